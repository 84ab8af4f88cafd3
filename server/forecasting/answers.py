# SPDX-License-Identifier: Apache-2.0
"""Answers as a matrix: members × outcomes, a NaN row for each absent member.

Binary questions, exclusive outcomes, grouped free text and numbers (as the
masses between grid points) are all that matrix; one set of kernels serves them.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.forecasting.forecast import Answer, Forecast
from server.forecasting.normalization import normalise
from server.forecasting.prediction import NumericResult
from server.forecasting.question import FreeText, Numeric, NumericScale, Question

#: How far a forecast's probabilities may be from summing to 1.
SUM_TOLERANCE = 1e-6
#: Everything that no member said, so that a free-text row can sum to 1.
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class AnswerMatrix:
    """``probabilities`` (M, C) with the names of its columns."""

    outcomes: tuple[str, ...]
    probabilities: NDArray[np.float64]


def fault_in(question: Question, forecast: Forecast) -> str:
    """What is wrong with a forecast's shape or values; empty if nothing is."""
    values = forecast.probabilities
    kind = question.kind
    if isinstance(kind, FreeText):
        return "" if forecast.text.strip() else "the answer is empty"
    wanted = len(kind.grid) if isinstance(kind, Numeric) else len(kind.outcomes)
    if len(values) != wanted:
        return f"{len(values)} probabilities where {wanted} are wanted"
    if not all(0.0 <= value <= 1.0 for value in values):  # NaN fails, too
        return "a probability is outside 0..1"
    if isinstance(kind, Numeric):
        falls = any(later < earlier for earlier, later in itertools.pairwise(values))
        return "cumulative probabilities decrease" if falls else ""
    return "" if abs(math.fsum(values) - 1.0) <= SUM_TOLERANCE else "probabilities do not sum to 1"


def answer_matrix(
    question: Question, answers: Sequence[Answer | None], min_confidences: Sequence[float]
) -> AnswerMatrix:
    """The matrix of those who have answered so far; None stands for "still out".

    A forecast below its member's least confidence is an absent row, too.
    """
    forecasts = [
        answer if isinstance(answer, Forecast) and _confident(question, answer, least) else None
        for answer, least in zip(answers, min_confidences, strict=True)
    ]
    if isinstance(question.kind, FreeText):
        return _free_text_matrix(question.kind, forecasts)
    if isinstance(question.kind, Numeric):
        return AnswerMatrix(
            bin_names(question.kind), _rows(forecasts, len(question.kind.grid) + 1, numeric=True)
        )
    return AnswerMatrix(question.outcomes, _rows(forecasts, len(question.outcomes), numeric=False))


def _confident(question: Question, forecast: Forecast, least: float) -> bool:
    if least <= 0.0 or isinstance(question.kind, Numeric):
        return True
    own = forecast.self_confidence
    if isinstance(question.kind, FreeText):
        return own is None or own >= least
    return max(forecast.probabilities) >= least


def _rows(forecasts: Sequence[Forecast | None], columns: int, *, numeric: bool) -> NDArray[np.float64]:
    matrix = np.full((len(forecasts), columns), math.nan)
    for row, forecast in enumerate(forecasts):
        if forecast is not None:
            matrix[row] = np.diff((0.0, *forecast.probabilities, 1.0)) if numeric else forecast.probabilities
    return matrix


def _free_text_matrix(kind: FreeText, forecasts: Sequence[Forecast | None]) -> AnswerMatrix:
    """Each member's row: its own confidence on its own answer, the rest spread over the others."""
    forms = [normalise(f.text[: kind.max_characters], kind.normalization) if f else None for f in forecasts]
    outcomes = (*dict.fromkeys(form for form in forms if form is not None), OTHER)
    column = {outcome: index for index, outcome in enumerate(outcomes)}
    matrix = np.full((len(forecasts), len(outcomes)), math.nan)
    for row, (form, forecast) in enumerate(zip(forms, forecasts, strict=True)):
        if form is None or forecast is None:
            continue
        own = 1.0 if forecast.self_confidence is None else forecast.self_confidence
        matrix[row] = (1.0 - own) / (len(outcomes) - 1)
        matrix[row, column[form]] = own
    return AnswerMatrix(outcomes, matrix)


def votes(matrix: AnswerMatrix) -> tuple[int, ...]:
    """How many members find each outcome most probable."""
    present = matrix.probabilities[~np.isnan(matrix.probabilities[:, 0])]
    return tuple(np.bincount(choices(present), minlength=len(matrix.outcomes)).tolist())


def choices(rows: NDArray[np.float64]) -> NDArray[np.intp]:
    """Each row's most probable outcome, by the kernels' rule: a tie of two outcomes is the second."""
    if rows.shape[1] == 2:
        return np.asarray(rows[:, 0] <= rows[:, 1], dtype=np.intp)
    return np.asarray(rows.argmax(axis=1), dtype=np.intp)


def bin_names(kind: Numeric) -> tuple[str, ...]:
    """Names of the ranges between grid points, open tails included."""
    points = [f"{point:g}" for point in kind.grid]
    between = (f"{low}..{high}" for low, high in itertools.pairwise(points))
    return (f"<={points[0]}", *between, f">{points[-1]}")


def numeric_result(kind: Numeric, masses: Sequence[float]) -> NumericResult:
    """Cumulative probabilities and the median of pooled masses (G + 1,)."""
    cumulative = np.minimum(np.cumsum(masses[:-1]), 1.0)
    return NumericResult(kind.grid, tuple(cumulative.tolist()), _median(kind, cumulative), kind.unit)


def _median(kind: Numeric, cumulative: NDArray[np.float64]) -> float:
    """Where the cumulative curve crosses one half; NaN in an open tail."""
    if cumulative[0] > 0.5 or cumulative[-1] < 0.5:
        return math.nan
    grid = np.log(kind.grid) if kind.scale is NumericScale.LOG else np.asarray(kind.grid)
    right = int(np.searchsorted(cumulative, 0.5))
    if right == 0:
        return kind.grid[0]
    share = (0.5 - cumulative[right - 1]) / (cumulative[right] - cumulative[right - 1])
    point = float(grid[right - 1] + share * (grid[right] - grid[right - 1]))
    return math.exp(point) if kind.scale is NumericScale.LOG else point
