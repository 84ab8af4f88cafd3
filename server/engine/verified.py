# SPDX-License-Identifier: Apache-2.0
"""Verify, then answer: a second ensemble judges what the first one answers."""

import itertools
from collections.abc import Callable
from dataclasses import replace

from server.engine.ensembles import Ensemble
from server.engine.nested import EnsembleForecaster
from server.forecasting.answers import numeric_result
from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Cost, Forecast
from server.forecasting.ports import Identity
from server.forecasting.query import Query
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, Question, QuestionKind

#: Share of the time that is left for the first answer; the judges have the rest.
FIRST_SHARE = 0.6
#: Longest part of the first answer's reasons that the judges see, in characters.
MAX_REASONS = 2_000
#: A character of four bytes, the most that one can take.
_WIDEST = "\U0001f600"


class VerifiedForecaster:
    """Answers as the first ensemble does, where the judges find that more likely right than ``min_approval``.

    The judges' probability that it is right is the answer's confidence in itself, so
    it is the weight of a free-text vote. What they do not approve is absent, and so
    is what they cannot judge in time.
    """

    def __init__(
        self, ensemble: str, judge: str, find: Callable[[str], Ensemble], min_approval: float = 0.5
    ) -> None:
        self.identity = Identity(kind="verified", model=f"{ensemble} judged by {judge}")
        self._first = EnsembleForecaster(ensemble, find)
        self._judge = EnsembleForecaster(judge, find)
        self._min_approval = min_approval
        #: Who answers, and who judges.
        self.ensembles = (ensemble, judge)

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The first ensemble's answer once it has been judged."""
        answer = await self._first.forecast(query, deadline.within(FIRST_SHARE * deadline.remaining_s()))
        if isinstance(answer, Absent):
            return answer
        verdict = await self._judge.forecast(
            replace(query, question=judged(query.question, answer)), deadline
        )
        return self._weighed(answer, verdict)

    def _weighed(self, answer: Forecast, verdict: Answer) -> Answer:
        if isinstance(verdict, Absent):
            return _refused(answer, verdict, f"nobody judged the answer: {verdict.detail}", verdict.reason)
        approval = verdict.probabilities[0]
        if approval < self._min_approval:
            return _refused(
                answer,
                verdict,
                f"judged right with probability {approval:.2f}; {self._min_approval:.2f} is wanted",
                AbsentReason.NOT_APPLICABLE,
            )
        return replace(
            answer,
            self_confidence=approval,
            rationale=f"{answer.rationale} Judged right with probability {approval:.2f}.".strip(),
            cost=_cost(answer, verdict),
            attempts=answer.attempts + verdict.attempts,
        )

    def upper_bound(self, query: Query) -> int | None:
        """Most that both ensembles can cost; the judges also read the answer and its reasons."""
        judging = replace(query, question=judged(query.question, _longest(query.question.kind)))
        return _sum(self._first.upper_bound(query), self._judge.upper_bound(judging))

    def expected(self, query: Query) -> int | None:
        """What both usually cost."""
        return _sum(self._first.expected(query), self._judge.expected(query))

    @property
    def max_calls(self) -> int:
        """One: repetitions are in the bound."""
        return 1

    @property
    def is_free(self) -> bool:
        """Whether both are."""
        return self._first.is_free and self._judge.is_free

    async def close(self) -> None:
        """The members are closed by whoever made them."""


def judged(question: Question, answer: Forecast) -> Question:
    """The question that the judges get: is this answer right?

    Question and answer are the text, so that judges see them whatever else their providers
    may be shown; the reasons are background. Members are told to obey neither.
    """
    said = _said(question, answer)
    asked = question.text or question.id
    text = f"Is this the right answer to the question below? The answer: {said}\nThe question: {asked}"
    background = "\n\n".join(
        part
        for part in (
            f"Reasons given for the answer: {answer.rationale[:MAX_REASONS]}" if answer.rationale else "",
            question.background,
        )
        if part
    )
    return replace(
        question,
        id=f"{question.id}/judged",
        text=text,
        kind=Binary(),
        background=background,
        market_probability=None,
        resolution=None,
    )


def _said(question: Question, answer: Forecast) -> str:
    kind = question.kind
    if isinstance(kind, FreeText):
        return answer.text
    if isinstance(kind, Numeric):
        masses = [b - a for a, b in itertools.pairwise((0.0, *answer.probabilities, 1.0))]
        return f"about {numeric_result(kind, masses).median:g} {kind.unit}".strip()
    assert isinstance(kind, Binary | Exclusive)  # noqa: S101 - all kinds are named here
    best = max(range(len(kind.outcomes)), key=answer.probabilities.__getitem__)
    return kind.outcomes[best]


def _longest(kind: QuestionKind) -> Forecast:
    """An answer that takes no fewer bytes than any that the first ensemble may give."""
    reasons = _WIDEST * MAX_REASONS
    if isinstance(kind, FreeText):
        return Forecast((), text=_WIDEST * kind.max_characters, rationale=reasons)
    if isinstance(kind, Numeric):
        steps = len(kind.grid) + 1
        return Forecast(tuple(step / steps for step in range(1, steps)), rationale=reasons)
    longest = max(range(len(kind.outcomes)), key=lambda index: len(kind.outcomes[index].encode()))
    return Forecast(tuple(float(i == longest) for i in range(len(kind.outcomes))), rationale=reasons)


def _refused(answer: Forecast, verdict: Answer, detail: str, reason: AbsentReason) -> Absent:
    attempts = answer.attempts + verdict.attempts
    return Absent(reason, detail, _cost(answer, verdict), None, attempts)


def _cost(answer: Forecast, verdict: Answer) -> Cost | None:
    return Cost.total([cost for cost in (answer.cost, verdict.cost) if cost is not None])


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second
