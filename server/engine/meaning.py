# SPDX-License-Identifier: Apache-2.0
"""Which free-text answers mean the same, so that they vote together.

The first answer of a meaning leads it; a later one joins the leader that it is
most like, if it is like enough. What was found is part of the forecast and so of
the record: nothing is asked again when an answer is computed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from server.forecasting.answers import form_of
from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Answer, Forecast
from server.forecasting.lexical import MIN_SIMILARITY, cosine, differ_in_numbers, letters
from server.forecasting.query import Query
from server.forecasting.question import FreeText, Normalization, QuestionKind

#: Kept back from the deadline for pooling what was compared.
MARGIN_S = 0.05


class Embedder(Protocol):
    """Turns texts into vectors whose cosines tell how near their meanings are."""

    @property
    def min_similarity(self) -> float:
        """Cosine from which two answers are one."""
        ...

    async def embed(self, text: str, query: Query, deadline: Deadline) -> Sequence[float] | None:
        """The text's vector, never all zeros; None: none in time, or no money for it. Raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class _Leader:
    form: str
    vector: Sequence[float] | None


class Meaning:
    """The meanings of one question's answers."""

    def __init__(self, kind: FreeText, embedder: Embedder | None) -> None:
        self._kind = kind
        self._embedder = embedder
        self._leaders: list[_Leader] = []

    async def compared(self, answer: Answer, query: Query, deadline: Deadline) -> Answer:
        """The answer with the group that it belongs to."""
        if not isinstance(answer, Forecast) or answer.group:
            return answer
        form = form_of(self._kind, answer)
        vector = None
        until = deadline.earlier(MARGIN_S)  # an answer in hand must not be lost over its meaning
        known = any(form == leader.form for leader in self._leaders)
        if self._embedder is not None and not known and not until.expired:
            vector = await self._embedder.embed(form, query, until)
        # From here on nothing is awaited: answers that come together see each other.
        near = self._nearest(form, vector)
        if near is None:
            self._leaders.append(_Leader(form, vector))
            return replace(answer, group=form)
        return replace(answer, group=near.form)

    def _nearest(self, form: str, vector: Sequence[float] | None) -> _Leader | None:
        best, nearest = 0.0, None
        for leader in self._leaders:
            surplus = self._surplus(leader, form, vector)
            if surplus >= 0.0 and (nearest is None or surplus > best):
                best, nearest = surplus, leader
        return nearest

    def _surplus(self, leader: _Leader, form: str, vector: Sequence[float] | None) -> float:
        """By how much they are alike enough; negative: they are not."""
        if leader.form == form:
            return 2.0
        if differ_in_numbers(leader.form, form):
            return -1.0
        other = leader.vector
        # A provider may change its model's size from one call to the next.
        if self._embedder is None or vector is None or other is None or len(vector) != len(other):
            return cosine(letters(leader.form), letters(form)) - MIN_SIMILARITY
        return _cosine(other, vector) - self._embedder.min_similarity


def _cosine(first: Sequence[float], second: Sequence[float]) -> float:
    a, b = np.asarray(first), np.asarray(second)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def meaning_of(kind: QuestionKind, embedder: Embedder | None) -> Meaning | None:
    """What compares the answers' meanings; None where their forms decide."""
    if isinstance(kind, FreeText) and kind.normalization is Normalization.EMBEDDING:
        return Meaning(kind, embedder)
    return None
