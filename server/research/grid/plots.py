# SPDX-License-Identifier: Apache-2.0
"""Pictures of a run. The only file of this room that imports matplotlib, an optional extra."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from server.research.grid.profile import frontier, price
from server.research.grid.run import Results, choices

NEEDED = (
    "plots need matplotlib; install it with: pip install 'consilience-server[research]', or pass --no-plots"
)
INK, ACCENT, PALE, BAD = "#22313f", "#0b7a75", "#9fb8b6", "#b3541e"
_STYLE = {
    "figure.figsize": (8.0, 4.8),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e9ec",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlelocation": "left",
}


class PlotsUnavailableError(Exception):
    """Matplotlib is not installed; the message says how to get it."""


def library() -> Any:
    """Matplotlib's pyplot, drawing to files.

    Raises:
        PlotsUnavailableError: it is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - optional, and slow to import

        mpl.use("Agg")
        from matplotlib import pyplot as plt  # noqa: PLC0415
    except ImportError as error:
        raise PlotsUnavailableError(NEEDED) from error
    return plt


def draw(results: Results, out: Path) -> list[Path]:
    """The run's pictures as PNG files in a folder, in the order in which a report shows them.

    Raises:
        PlotsUnavailableError: matplotlib is not installed.
    """
    plt = library()
    out.mkdir(parents=True, exist_ok=True)
    wanted: list[tuple[str, Callable[..., None], bool]] = [
        ("cost_against_quality", _cost, True),
        ("ensemble_size", _sizes, bool(results.sizes)),
        ("members", _members, bool(results.members)),
        ("calibration", _calibration, True),
        ("latency", _latency, any(row.latency_p95_s is not None for row in results.figures)),
    ]
    drawn = []
    with plt.rc_context(_STYLE):
        for name, picture, there in wanted:
            if there:
                drawn.append(save(plt, partial(picture, results=results), out / f"{name}.png"))
    return drawn


def save(plt: Any, picture: Callable[[Any], None], path: Path) -> Path:
    """Draw on new axes and write a PNG without the time in it."""
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots()
        picture(axes)
        figure.savefig(path, metadata={"Software": None})
        plt.close(figure)
    return path


def _cost(axes: Any, results: Results) -> None:
    rows = choices(results.figures)
    draw_frontier(axes, [(price(row), row.brier, row.cell) for row in rows], len(frontier(rows)))
    unit = "calls a question" if rows[0].cost_usd is None else "US dollars a question (simulated)"
    axes.set(xlabel=unit, ylabel="Brier score (lower is better)", title="Cost against quality")


def draw_frontier(axes: Any, points: Sequence[tuple[float, float, str]], labels: int) -> None:
    """Points (price, loss, name) with the line of those that nobody beats at their price."""
    axes.scatter([p for p, _, _ in points], [loss for _, loss, _ in points], color=PALE, s=24, zorder=2)
    edge: list[tuple[float, float, str]] = []
    for point in sorted(points):
        if not edge or point[1] < edge[-1][1]:
            edge.append(point)
    axes.plot([p for p, _, _ in edge], [loss for _, loss, _ in edge], color=ACCENT, marker="o", zorder=3)
    for place, loss, name in edge[:labels]:
        axes.annotate(name, (place, loss), fontsize=7, xytext=(5, 4), textcoords="offset points")


def _sizes(axes: Any, results: Results) -> None:
    rows = [row for row in results.sizes if row.panel == results.sizes[-1].panel]
    counts = [int(row.selection.partition(":")[2]) for row in rows]
    axes.fill_between(
        counts, [r.brier_low for r in rows], [r.brier_high for r in rows], color=PALE, alpha=0.35
    )
    axes.plot(
        counts, [row.brier for row in rows], color=ACCENT, marker="o", label="Brier score, 95 % interval"
    )
    axes.set(xlabel="members asked, drawn at random for each question", ylabel="Brier score")
    axes.set_title("Reliability against ensemble size")
    other = axes.twinx()
    other.plot(counts, [row.reliability for row in rows], color=BAD, marker=".", ls="--")
    other.set(
        ylabel="share answered in time (dashed)", ylim=(min(0.9, *(r.reliability for r in rows)), 1.005)
    )
    other.grid(visible=False)


def _members(axes: Any, results: Results) -> None:
    rows = sorted(results.members, key=lambda row: row["without_minus_with"])[-30:]
    places = np.arange(len(rows))
    middle = np.array([row["without_minus_with"] for row in rows])
    low, high = (np.array([row[f"without_minus_with_{end}"] for row in rows]) for end in ("low", "high"))
    axes.errorbar(
        middle, places, xerr=[middle - low, high - middle], fmt="o", color=ACCENT, ecolor=PALE, ms=4
    )
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(places, [row["member"] for row in rows], fontsize=6)
    axes.set(xlabel="Brier score without the member minus with it (right: it helps)", title="Ablations")


def _calibration(axes: Any, results: Results) -> None:
    best = choices(results.figures)[0]
    scores = results.scores[best.cell]
    told = ~np.isnan(scores.said)
    said, happened = scores.said[told], scores.happened[told]
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    axes.plot([0, 1], [0, 1], color=INK, lw=0.8, ls="--")
    x, y = [said[part].mean() for part in parts], [happened[part].mean() for part in parts]
    spread = [1.96 * np.sqrt(max(m * (1 - m), 1e-9) / len(p)) for m, p in zip(y, parts, strict=True)]
    axes.errorbar(x, y, yerr=spread, fmt="o-", color=ACCENT, ecolor=PALE)
    axes.set(xlabel="said", ylabel="happened", title=f"Calibration of {best.cell}", xlim=(0, 1), ylim=(0, 1))


def _latency(axes: Any, results: Results) -> None:
    rows = [row for row in choices(results.figures) if row.latency_p95_s is not None]
    for rank, style in (("latency_p50_s", "o"), ("latency_p99_s", "s")):
        axes.scatter(
            [getattr(r, rank) for r in rows], [r.brier for r in rows], marker=style, s=20, label=rank[8:11]
        )
    axes.set_xscale("log")
    axes.set(xlabel="seconds (simulated)", ylabel="Brier score", title="Latency against quality")
    axes.legend()
