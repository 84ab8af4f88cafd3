# SPDX-License-Identifier: Apache-2.0
"""The checked door to scores: one number a question, and their mean."""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from kernels._types import Indices, Matrix, Vector
from kernels.checks import as_array, as_probabilities, require_shape, require_unit
from kernels.scores import (
    brier_binary,
    brier_outcomes,
    correct_binary,
    correct_outcomes,
    log_binary,
    log_outcomes,
    mean_of_numbers,
    ranked_probability,
)


class Score(StrEnum):
    """What a forecast is scored by; formulas stand in kernels.scores. Lower is better but for CORRECT."""

    BRIER = "brier"
    LOG = "log"
    RANKED = "ranked"
    CORRECT = "correct"


_BINARY: dict[Score, Callable[[Vector, Vector, Vector], None]] = {
    Score.BRIER: brier_binary,
    Score.LOG: log_binary,
    Score.RANKED: brier_binary,
    Score.CORRECT: correct_binary,
}
_OUTCOMES: dict[Score, Callable[[Matrix, Indices, Vector], None]] = {
    Score.BRIER: brier_outcomes,
    Score.LOG: log_outcomes,
    Score.RANKED: ranked_probability,
    Score.CORRECT: correct_outcomes,
}


def score_binary(p: ArrayLike, y: ArrayLike, score: Score = Score.BRIER) -> Vector:
    """Score of each binary question, (N,).

    Args:
        p: (N,) probabilities of YES, NaN for none.
        y: (N,) what happened, 0..1, NaN where annulled.
        score: Which.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts: Vector = as_array("p", p, 1)
    happened: Vector = as_array("y", y, 1)
    require_shape("y", happened, forecasts.shape, "one for each forecast")
    require_unit("p", forecasts)
    require_unit("y", happened)
    out = np.empty(forecasts.shape)
    _BINARY[Score(score)](forecasts, happened, out)
    return out


def score_outcomes(p: ArrayLike, outcome: ArrayLike, score: Score = Score.BRIER) -> Vector:
    """Score of each question with a set of outcomes, (N,).

    Args:
        p: (N, C); rows sum to 1, a NaN row is no forecast.
        outcome: (N,) index of what happened, -1 where annulled.
        score: Which; RANKED wants outcomes in their order.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts: Matrix = as_probabilities("p", p)
    happened: Indices = as_array("outcome", outcome, 1, np.int64)
    require_shape("outcome", happened, forecasts.shape[:1], "one for each forecast")
    if np.any((happened < -1) | (happened >= forecasts.shape[1])):
        raise ValueError(f"outcome must be an index under {forecasts.shape[1]}, or -1 where annulled")
    out = np.empty(len(forecasts))
    _OUTCOMES[Score(score)](forecasts, happened, out)
    return out


def mean_score(scores: Vector) -> float:
    """Mean of the scores that are not NaN; NaN if there are none."""
    return float(mean_of_numbers(as_array("scores", scores, 1)))
