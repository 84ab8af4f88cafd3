# SPDX-License-Identifier: Apache-2.0
"""How good answers on a recording are: scores by horizon, each with its interval."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import scores

Calls = NDArray[np.int64]
Reals = NDArray[np.float64]

#: Rows of one block of the bootstrap, where the recording is long enough for many.
BLOCK = 500
#: A short recording is cut into at least so many blocks.
BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """One forecaster's answers on all rows of a recording, beside what happened.

    directions, calls (N, H): what happened (-1 unknown) and what was called.
    probabilities (N, H, 3) and confidence (N, H), that the call is right: None
    where the forecaster states none. Rows before ``first`` are not judged.
    """

    horizons: tuple[int, ...]
    directions: Calls
    calls: Calls
    probabilities: Reals | None = None
    confidence: Reals | None = None
    offsets: Reals | None = None

    def only(self, horizons: tuple[int, ...]) -> "Judged":
        """The same for some of its horizons."""
        places = [self.horizons.index(horizon) for horizon in horizons]

        def pick(values: NDArray[Any] | None, axis: int = 1) -> Any:
            return None if values is None else np.take(values, places, axis=axis)

        return Judged(
            horizons,
            pick(self.directions),
            pick(self.calls),
            pick(self.probabilities),
            pick(self.confidence),
            pick(self.offsets, 0),
        )


@dataclass(frozen=True, slots=True)
class Score:
    """How one forecaster did at one horizon. ``ece`` and the top tenth judge its stated confidence.

    Scores of probabilities are None for those who state none. Intervals are 95 %:
    that of the macro-F1 by moving-block bootstrap, that of the slope by sums over blocks.
    """

    horizon: int
    rows: int
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    mcc: float
    accuracy: float
    ece: float | None = None
    accuracy_most_confident_tenth: float | None = None
    log_loss: float | None = None
    calibration_slope: float | None = None
    calibration_slope_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """By how much a forecaster's macro-F1 exceeds a baseline's on the same rows; 95 % block bootstrap."""

    forecaster: str
    baseline: str
    horizon: int
    macro_f1: float
    interval: tuple[float, float]


def block_length(rows: int) -> int:
    """Rows of one block: 500, fewer on a short recording."""
    return max(1, min(BLOCK, rows // BLOCKS))


def score_all(judged: Judged, first: int) -> tuple[Score, ...]:
    """Scores of every horizon that has a label."""
    return tuple(_score(judged, h, first) for h in range(len(judged.horizons)))


def _score(judged: Judged, h: int, first: int) -> Score:
    labels, called = judged.directions[first:, h], judged.calls[first:, h]
    known = labels >= 0
    low, high = scores.bootstrap_interval(labels, called, block=block_length(int(known.sum())))
    return Score(
        horizon=judged.horizons[h],
        rows=int(known.sum()),
        macro_f1=_round(scores.macro_f1(labels, called)),
        macro_f1_interval=(_round(low), _round(high)),
        mcc=_round(scores.matthews(labels, called)),
        accuracy=_round(scores.accuracy(labels, called)),
        **_probability_scores(judged, h, first),
    )


def _probability_scores(judged: Judged, h: int, first: int) -> dict[str, Any]:
    if judged.probabilities is None:
        return {}
    labels, called = judged.directions[first:, h], judged.calls[first:, h]
    given = judged.probabilities[first:, h]
    known = labels >= 0
    stated = (
        np.take_along_axis(given, called[:, None], axis=1)[:, 0]
        if judged.confidence is None
        else judged.confidence[first:, h]
    )
    slope, low, high = scores.calibration_slope_interval(labels, given, block=block_length(int(known.sum())))
    return {
        "ece": _round(scores.calibration_error((called == labels)[known], stated[known])),
        "accuracy_most_confident_tenth": _round(scores.accuracy_of_most_confident(labels, called, stated)),
        "log_loss": _round(scores.log_loss(labels, given)),
        "calibration_slope": _round(slope),
        "calibration_slope_interval": (_round(low), _round(high)),
    }


def lead(name: str, judged: Judged, baseline: str, rival: Judged, horizon: int, first: int) -> Lead:
    """The lead over a baseline at one horizon, both judged by the forecaster's own labels."""
    own, other = judged.horizons.index(horizon), rival.horizons.index(horizon)
    labels, called = judged.directions[first:, own], judged.calls[first:, own]
    against = rival.calls[first:, other]
    low, high = scores.bootstrap_interval(
        labels, called, rival=against, block=block_length(int((labels >= 0).sum()))
    )
    gain = scores.macro_f1(labels, called) - scores.macro_f1(labels, against)
    return Lead(name, baseline, horizon, _round(gain), (_round(low), _round(high)))


def _round(value: float) -> float:
    return round(float(value), 5)
