# SPDX-License-Identifier: Apache-2.0
"""Outcomes and ranges that hold the truth with a stated coverage, and how doubtful an answer is."""

import math
from collections.abc import Sequence

from server.forecasting.prediction import Interval, LabelSet, NumericResult

METHOD = "conformal"


def label_set(
    outcomes: Sequence[str], probabilities: Sequence[float], threshold: float, level: float
) -> LabelSet:
    """The outcomes that are no stranger than the threshold, most probable first; at least that one."""
    order = sorted(range(len(outcomes)), key=lambda place: -probabilities[place])
    kept = [place for place in order if 1.0 - probabilities[place] <= threshold] or order[:1]
    return LabelSet(tuple(outcomes[place] for place in kept), level, METHOD)


def number_interval(numeric: NumericResult, threshold: float, level: float) -> Interval:
    """The middle of the distribution, as much of it as the threshold says; ends in a tail are infinite."""
    low, high = ((1.0 - threshold) / 2.0, (1.0 + threshold) / 2.0)
    return Interval(_quantile(numeric, low), _quantile(numeric, high), level, METHOD)


def doubt(probabilities: Sequence[float]) -> float:
    """Expected Brier score of a calibrated answer: half of 1 - Σ p²; p (1 - p) for two outcomes."""
    return 0.5 * (1.0 - math.fsum(p * p for p in probabilities))


def _quantile(numeric: NumericResult, share: float) -> float:
    """Where the cumulative curve reaches the share, straight between grid points."""
    grid, curve = numeric.grid, numeric.cumulative
    if share < curve[0]:
        return -math.inf
    if share > curve[-1]:
        return math.inf
    right = next(place for place, value in enumerate(curve) if value >= share)
    if right == 0:
        return grid[0]
    rise = curve[right] - curve[right - 1]
    part = (share - curve[right - 1]) / rise if rise > 0.0 else 1.0
    return grid[right - 1] + part * (grid[right] - grid[right - 1])
