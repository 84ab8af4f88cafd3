# SPDX-License-Identifier: Apache-2.0
"""What a network is to say: directions and returns for each row and horizon."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels import labels
from models.training.recordings import Recording
from models.training.settings import LabelSettings, ThresholdRule

BPS = 1e4


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of N rows for H horizons.

    directions (N, H) int64: 0 down, 1 neutral, 2 up, -1 where a window leaves the recording.
    returns_bps (N, H) float32: change of the mid from row t to row t + h, NaN likewise.
    alphas (H,): the thresholds behind the directions.
    """

    directions: NDArray[np.int64]
    returns_bps: NDArray[np.float32]
    alphas: tuple[float, ...]


def fit_alphas(
    recording: Recording, *, horizons: Sequence[int], settings: LabelSettings
) -> tuple[float, ...]:
    """Thresholds from a recording that holds nothing but the training part."""
    if settings.rule is ThresholdRule.FIXED:
        return (labels.FI2010_ALPHA,) * len(horizons)
    if settings.rule is ThresholdRule.SPREAD:
        return (labels.spread_threshold(recording.ask_px, recording.bid_px),) * len(horizons)
    mid2 = labels.doubled_mid(recording.ask_px, recording.bid_px)
    changes = (labels.label_changes(settings.kind, mid2, horizon=horizon) for horizon in horizons)
    return tuple(labels.half_mean_change(change) for change in changes)


def make_targets(
    recording: Recording, *, horizons: Sequence[int], alphas: Sequence[float], settings: LabelSettings
) -> Targets:
    """Targets of every row of a recording, by thresholds fitted before."""
    mid2 = labels.doubled_mid(recording.ask_px, recording.bid_px)
    directions = [
        labels.classify(labels.label_changes(settings.kind, mid2, horizon=horizon), alpha)
        for horizon, alpha in zip(horizons, alphas, strict=True)
    ]
    returns = [_forward_return_bps(mid2, horizon) for horizon in horizons]
    return Targets(np.stack(directions, 1).astype(np.int64), np.stack(returns, 1), tuple(alphas))


def _forward_return_bps(mid2: NDArray[np.int64], horizon: int) -> NDArray[np.float32]:
    change = np.full(len(mid2), np.nan, np.float32)
    change[:-horizon] = BPS * (mid2[horizon:] / mid2[:-horizon] - 1.0)
    return change
