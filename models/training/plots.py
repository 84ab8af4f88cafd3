# SPDX-License-Identifier: Apache-2.0
"""Plots of a training's tests, as PNG: needs matplotlib."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.heads import DIRECTIONS
from models.scores import confusion

Calls = NDArray[np.int64]
Reals = NDArray[np.float64]
BINS = 12
INK, ACCENT, PALE = "#1f2933", "#0b6e99", "#9fb3c8"


def confusion_plot(horizons: Sequence[int], directions: Calls, calls: Calls) -> bytes:
    """One matrix for each horizon: of each label the shares of the calls."""
    figure, axes = _figure(len(horizons), width=2.6, height=2.9)
    for h, (axis, horizon) in enumerate(zip(axes, horizons, strict=True)):
        counts = confusion(directions[:, h], calls[:, h])
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        for row, column in np.ndindex(shares.shape):
            dark = shares[row, column] > 0.55
            axis.text(
                column, row, f"{shares[row, column]:.0%}", ha="center", va="center",
                color="white" if dark else INK, fontsize=8,
            )  # fmt: skip
        axis.set(title=f"{horizon} ahead", xlabel="called")
        axis.set_xticks(range(3), [name.lower() for name in DIRECTIONS], fontsize=7)
        axis.set_yticks(range(3), [name.lower() for name in DIRECTIONS] if h == 0 else [""] * 3, fontsize=7)
    axes[0].set_ylabel("happened")
    return _png(figure)


def reliability_plot(horizons: Sequence[int], right: NDArray[np.bool_], confidence: Reals) -> bytes:
    """Stated confidence against how often the call was right, in bins of equal mass."""
    figure, axes = _figure(len(horizons), width=2.6, height=2.7)
    for h, (axis, horizon) in enumerate(zip(axes, horizons, strict=True)):
        order = np.argsort(confidence[:, h], kind="stable")
        parts = [part for part in np.array_split(order, BINS) if len(part)]
        claimed = [confidence[part, h].mean() for part in parts]
        found = [right[part, h].mean() for part in parts]
        axis.plot([0.2, 1.0], [0.2, 1.0], color=PALE, linewidth=1)
        axis.plot(claimed, found, marker="o", markersize=3, color=ACCENT)
        axis.set(title=f"{horizon} ahead", xlabel="stated", xlim=(0.2, 1.0), ylim=(0.2, 1.0))
    axes[0].set_ylabel("right")
    return _png(figure)


def learning_plot(histories: Sequence[Sequence[Mapping[str, Any]]]) -> bytes:
    """Training and validation loss by epoch, one line for each training."""
    figure, axes = _figure(2, width=4.2, height=3.0)
    for axis, key, title in zip(
        axes, ("loss", "validation_loss"), ("training loss", "validation log loss"), strict=True
    ):
        for number, history in enumerate(histories, start=1):
            epochs = range(1, len(history) + 1)
            axis.plot(epochs, [row[key] for row in history], marker=".", label=f"test {number}")
        axis.set(title=title, xlabel="epoch")
    axes[1].legend(fontsize=7, frameon=False)
    return _png(figure)


def scores_plot(horizons: Sequence[int], scores: Mapping[str, Sequence[float]]) -> bytes:
    """Macro-F1 by horizon of the network and its rivals."""
    figure, axes = _figure(1, width=7.0, height=3.2)
    for number, (name, values) in enumerate(scores.items()):
        style = {"color": ACCENT, "linewidth": 2.2} if number == 0 else {"linewidth": 1.0, "linestyle": "--"}
        axes[0].plot(range(len(horizons)), values, marker="o", markersize=3, label=name, **style)
    axes[0].set_xticks(range(len(horizons)), [str(horizon) for horizon in horizons])
    axes[0].set(xlabel="updates ahead", ylabel="macro-F1", title="walk-forward macro-F1")
    axes[0].legend(fontsize=8, frameon=False)
    return _png(figure)


def _figure(columns: int, *, width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    figure = Figure(figsize=(width * columns, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()
