# SPDX-License-Identifier: Apache-2.0
"""A pool as its calibration curve sees it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kernels.calibrators import CalibrationMethod, calibrate
from server.forecasting.answers import AnswerMatrix, choices
from server.forecasting.pooling import Pooled
from server.forecasting.prediction import Interval
from server.learning.calibration import Curve

Floats = NDArray[np.float64]


def recalibrated(pooled: Pooled, matrix: AnswerMatrix, curve: Curve) -> Pooled:
    """The pool with calibrated probabilities, and everything that follows from them.

    Where the pool's choice was its most probable outcome, the calibrated choice is,
    too; a vote that chose otherwise stays as it was.
    """
    if not pooled.probabilities or curve.method is CalibrationMethod.NONE:
        return pooled
    raw = np.array(pooled.probabilities)
    said = calibrated_row(raw, curve)
    chosen = pooled.chosen
    if chosen == int(choices(raw[None])[0]):
        chosen = int(choices(said[None])[0])
    return replace(
        pooled,
        probabilities=tuple(said.tolist()),
        raw=pooled.probabilities,
        chosen=chosen,
        agreement=replace(pooled.agreement, vote_share=_vote_share(matrix, chosen), entropy=_entropy(said)),
        interval=_interval(pooled.interval, raw, curve),
    )


def calibrated_row(raw: Floats, curve: Curve) -> Floats:
    """(C,) probabilities through the curve; more than two outcomes each against the rest, then normalised."""
    said = np.empty_like(raw)
    calibrate(raw, int(curve.method), np.array(curve.parameters, dtype=np.float64), said)
    return said


def _vote_share(matrix: AnswerMatrix, chosen: int) -> float:
    rows = matrix.probabilities[~np.isnan(matrix.probabilities[:, 0])]
    return float((choices(rows) == chosen).mean())


def _entropy(said: Floats) -> float:
    held = said[said > 0.0]
    return float(-(held * np.log(held)).sum())


def _interval(interval: Interval | None, raw: Floats, curve: Curve) -> Interval | None:
    """The ends of the first outcome's range, each through the curve."""
    if interval is None:
        return None
    low, high = (_first(end, raw, curve) for end in (interval.low, interval.high))
    return replace(interval, low=min(low, high), high=max(low, high))


def _first(end: float, raw: Floats, curve: Curve) -> float:
    """The first outcome's calibrated probability if its pool were ``end``, the others in proportion."""
    rest = float(raw[1:].sum())
    scale = (1.0 - end) / rest if rest > 0.0 else 0.0
    return float(calibrated_row(np.concatenate([[end], raw[1:] * scale]), curve)[0])
