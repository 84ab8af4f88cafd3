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


class Answers:
    """The answers of M members as they come in, and the matrix of those who have answered so far.

    A forecast below its member's least confidence is an absent row, too. The
    matrix of free text has as many columns as there are different answers; that
    of all other kinds is one array, filled row by row.
    """

    def __init__(self, question: Question, min_confidences: Sequence[float]) -> None:
        self._question = question
        self._least = min_confidences
        self._forecasts: list[Forecast | None] = [None] * len(min_confidences)
        self._filled = None if isinstance(question.kind, FreeText) else _empty(question, len(min_confidences))

    def put(self, row: int, answer: Answer) -> None:
        """Take one member's answer."""
        if not isinstance(answer, Forecast) or not _confident(self._question, answer, self._least[row]):
            return
        self._forecasts[row] = answer
        if self._filled is not None:
            values = answer.probabilities
            numeric = isinstance(self._question.kind, Numeric)
            self._filled.probabilities[row] = np.diff((0.0, *values, 1.0)) if numeric else values

    def matrix(self) -> AnswerMatrix:
        """The matrix now; but for free text it changes with the next answer."""
        kind = self._question.kind
        if isinstance(kind, FreeText):
            return _free_text_matrix(kind, self._forecasts)
        assert self._filled is not None  # noqa: S101 - made for every other kind
        return self._filled


def answer_matrix(
    question: Question, answers: Sequence[Answer | None], min_confidences: Sequence[float]
) -> AnswerMatrix:
    """The matrix of these answers; None stands for "still out"."""
    collected = Answers(question, min_confidences)
    for row, answer in enumerate(answers):
        if answer is not None:
            collected.put(row, answer)
    return collected.matrix()


def _empty(question: Question, members: int) -> AnswerMatrix:
    kind = question.kind
    outcomes = bin_names(kind) if isinstance(kind, Numeric) else question.outcomes
    return AnswerMatrix(outcomes, np.full((members, len(outcomes)), math.nan))


def _confident(question: Question, forecast: Forecast, least: float) -> bool:
    if least <= 0.0 or isinstance(question.kind, Numeric):
        return True
    own = forecast.self_confidence
    if isinstance(question.kind, FreeText):
        return own is None or own >= least
    return max(forecast.probabilities) >= least


def _free_text_matrix(kind: FreeText, forecasts: Sequence[Forecast | None]) -> AnswerMatrix:
    """Each member's row: its own confidence on its own answer, the rest spread over the others."""
    forms = [form_of(kind, f) if f else None for f in forecasts]
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


def form_of(kind: FreeText, forecast: Forecast) -> str:
    """The form under which a free-text answer is counted."""
    return forecast.group or normalise(forecast.text[: kind.max_characters], kind.normalization)


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
