# SPDX-License-Identifier: Apache-2.0
"""Forecasters that cost money, and an observer that keeps what it is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Cost, CostSource, Forecast
from server.forecasting.money import Charge, Payer
from server.forecasting.ports import Identity
from server.forecasting.purse import Refused
from server.forecasting.query import Query
from tests.fakes import Fake

CENT = 10_000_000


class Paid(Fake):
    """Costs ``costs`` a call, of which it makes as many as there are; each reserves ``bound`` first.

    The last call answers, unless ``hangs``. Its name is its provider's model.
    """

    def __init__(
        self,
        name: str,
        *,
        bound: int | None = CENT,
        costs: Sequence[int] = (CENT,),
        probability: float = 0.8,
        hangs: bool = False,
        free: bool = False,
        source: CostSource = CostSource.PROVIDER,
    ) -> None:
        super().__init__()
        self.identity = Identity("chat", "sim", name)
        self.bound, self.costs, self.probability = bound, costs, probability
        self.hangs, self.is_free, self.source = hangs, free, source
        self.max_calls = len(costs)
        self.calls = 0
        self.called = asyncio.Event()

    def upper_bound(self, query: Query) -> int | None:
        return self.bound

    def expected(self, query: Query) -> int | None:
        return self.bound

    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        spent = 0
        for cost in self.costs:
            refused = await self.call(query, cost)
            if refused is not None:
                return Absent(AbsentReason.POLICY_BUDGET_EXCEEDED, refused.detail)
            spent += cost
        probabilities = (self.probability, 1 - self.probability)
        return Forecast(probabilities, cost=Cost(spent, self.source), attempts=len(self.costs))

    async def call(self, query: Query, cost: int) -> Refused | None:
        assert query.purse is not None
        hold = await query.purse.reserve(
            self.identity.model, "sim", self.bound, callers_key="sim" in query.keys
        )
        if isinstance(hold, Refused):
            return hold
        self.calls += 1
        self.called.set()
        paid = Cost(cost, CostSource.ESTIMATE)
        try:
            if self.hangs:
                await asyncio.Event().wait()
            paid = Cost(cost, self.source)
        finally:
            hold.settle(paid)
        return None


@dataclass
class Told:
    """A ``SpendObserver``."""

    settlements: list[tuple[str, Cost]] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    excesses: list[tuple[str, int]] = field(default_factory=list)
    corrections: list[tuple[str, int]] = field(default_factory=list)

    def settled(self, charge: Charge, cost: Cost) -> None:
        self.settlements.append((charge.member, cost))

    def corrected(self, charge: Charge, guess: Cost, cost: Cost) -> None:
        self.corrections.append((charge.member, cost.nano_usd - guess.nano_usd))

    def refused(self, payer: Payer, member: str, why: str) -> None:
        self.refusals.append((member, why))

    def exceeded(self, charge: Charge, cost: Cost) -> None:
        self.excesses.append((charge.member, cost.nano_usd))
