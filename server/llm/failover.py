# SPDX-License-Identifier: Apache-2.0
"""A member with others that answer in its place when its own model cannot.

Only those that the configuration names, in that order; the answer says who it
was. Whoever has an open circuit is passed over without being asked; if all
have, the member is absent for that reason. A member that is slow is hedged with
them, too: what slows one provider down seldom slows the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Cost, Forecast, TokenUsage
from server.forecasting.judging import Shown
from server.forecasting.ports import Identity
from server.forecasting.query import Query
from server.llm.billing import total_usage
from server.llm.breaker import Circuit
from server.llm.forecaster import MARGIN_S, ChatForecaster

_Kind = TypeVar("_Kind", Forecast, Absent)
#: Less time than this is not worth another question.
_LEAST_S = 0.05


#: Those who may answer for a member, by name, in the order in which they are asked; "" is its own model.
_Line = Sequence[tuple[str, ChatForecaster]]


class FailoverForecaster:
    """Fits ``Forecaster``, ``PricedForecaster`` and ``HedgedForecaster``. ``others``: first choice first."""

    def __init__(self, own: ChatForecaster, others: Mapping[str, ChatForecaster]) -> None:
        self._own = own
        self._others = dict(others)
        self.identity = own.identity

    @property
    def circuit(self) -> str:
        """Open only while nobody can answer for the member; else that of whoever is asked first."""
        circuits = [each.circuit for each in self._all]
        return next((circuit for circuit in circuits if circuit != Circuit.OPEN), circuits[0])

    @property
    def shown(self) -> Shown:
        """What of a question may be shown to the providers of all."""
        return {name: fields for each in self._all for name, fields in each.shown.items()}

    @property
    def prompt_version(self) -> str:
        """Hashes of the prompts of all."""
        return ";".join(each.prompt_version for each in self._all)

    @property
    def warm_kinds(self) -> tuple[str, ...]:
        """The member's own; who stands in is not asked before there is need."""
        return self._own.warm_kinds

    @property
    def _all(self) -> list[ChatForecaster]:
        return [self._own, *self._others.values()]

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The first forecast of those who can give one; else the member's own reason, with all costs."""
        return await _first_answer([("", self._own), *self._others.items()], query, deadline)

    def revive(self) -> None:
        """All of them try everything again."""
        for each in self._all:
            each.revive()

    def instead(self, attempt: int) -> "Substitutes":
        """Another model than is under way: the others in turn, then the member's own with its next key."""
        line = [*self._others.items(), ("", self._own)]
        fit = [each for each in line if each[1].circuit != Circuit.OPEN] or line
        start = (attempt - 1) % len(fit)
        return Substitutes(self.identity, fit[start:])

    def upper_bound(self, query: Query) -> int | None:
        """More than one attempt can cost, at whomever; None: of one nobody knows."""
        bounds = [each.upper_bound(query) for each in self._all]
        known = [bound for bound in bounds if bound is not None]
        return max(known) if len(known) == len(bounds) else None

    def expected(self, query: Query) -> int | None:
        """A guess at what one attempt costs at the member's own model."""
        return self._own.expected(query)

    @property
    def max_calls(self) -> int:
        """Attempts of all together."""
        return sum(each.max_calls for each in self._all)

    @property
    def is_free(self) -> bool:
        """Whether nobody of them costs anything."""
        return all(each.is_free for each in self._all)

    async def close(self) -> None:
        """Nothing of its own to close."""


class Substitutes:
    """Fits ``Forecaster``: those who are asked for a member while its own model is slow."""

    def __init__(self, identity: Identity, line: _Line) -> None:
        self.identity = identity
        self._line = line

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """As for the member."""
        return await _first_answer(self._line, query, deadline)

    async def close(self) -> None:
        """Nothing of its own to close."""


async def _first_answer(line: _Line, query: Query, deadline: Deadline) -> Answer:
    tried: list[Absent] = []
    for name, forecaster in line:
        if tried and deadline.remaining_s() < MARGIN_S + _LEAST_S:
            break
        answer, may_be_mended = await _asked(forecaster, query, deadline)
        if isinstance(answer, Forecast):
            return _with_costs(replace(answer, fallback=name), tried)
        tried.append(answer)
        if not may_be_mended:
            break
    return _with_costs(tried[0], tried[1:])


async def _asked(forecaster: ChatForecaster, query: Query, deadline: Deadline) -> tuple[Answer, bool]:
    if forecaster.circuit == Circuit.OPEN:
        detail = f"{forecaster.identity.model} at {forecaster.identity.provider} failed too often"
        return Absent(AbsentReason.POLICY_CIRCUIT_OPEN, detail), True
    return await forecaster.asked(query, deadline)


def _with_costs(answer: _Kind, others: list[Absent]) -> _Kind:
    """The answer with the costs, tokens and attempts of the others on top."""
    if not others:
        return answer
    everyone: list[Answer] = [answer, *others]
    usages: list[TokenUsage] = [each.usage for each in everyone if each.usage is not None]
    return replace(
        answer,
        cost=Cost.total([each.cost for each in everyone if each.cost is not None]),
        usage=total_usage(usages),
        attempts=sum(each.attempts for each in everyone),
    )
