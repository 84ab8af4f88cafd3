# SPDX-License-Identifier: Apache-2.0
"""Everything here talks to the simulator over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Answer, Cost
from server.forecasting.query import Query
from server.forecasting.question import Question
from server.llm.attempts import Attempt
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings
from server.simulator.ledger import Entry
from server.simulator.server import Simulator
from tests.patience import LoopClock
from tests.ports import closed_port

QUERY = Query(Question(id="q1", text="Will it rain in London tomorrow?", background="It is November."))
#: What the simulator charges, so that the price table and the bill can be compared to the last digit.
PRICE = {"input": 1.0, "cache_read": 0.1, "output": 4.0}


@dataclass
class Notes:
    """An observer that keeps what it is told."""

    attempts: list[Attempt] = field(default_factory=list)
    alerts: list[tuple[str, str, str]] = field(default_factory=list)
    corrections: list[tuple[Attempt, Cost]] = field(default_factory=list)

    def attempted(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

    def alerted(self, provider: str, what: str, detail: str) -> None:
        self.alerts.append((provider, what, detail))

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        self.corrections.append((attempt, cost))


@dataclass
class Bench:
    """A simulator, and members that ask it."""

    simulator: Simulator
    notes: Notes
    stack: AsyncExitStack

    def models(self, provider: dict[str, Any] | None = None, **members: dict[str, Any]) -> LanguageModels:
        """A room of members at one provider, "sim"."""
        settings = {"base_url": f"{self.simulator.url}/openai/v1", "flavour": "openai", **(provider or {})}
        room = LanguageModels(
            {"sim": ProviderSettings.model_validate(settings)},
            {
                name: ChatSettings.model_validate({"provider": "sim", "price": PRICE, **member})
                for name, member in members.items()
            },
            clock=LoopClock(),
            observer=self.notes,
        )
        self.stack.push_async_callback(room.close)
        return room

    async def ask(
        self,
        model: str,
        query: Query = QUERY,
        *,
        seconds: float = 10.0,
        provider: dict[str, Any] | None = None,
        **member: Any,
    ) -> Answer:
        """One question to one fresh member."""
        room = self.models(provider, m={"model": model, **member})
        return await room.forecasters["m"].forecast(query, deadline(seconds))

    def entries(self, model: str = "") -> list[Entry]:
        """What the simulator saw."""
        return self.simulator.service.ledger.entries(model)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator())
        yield Bench(simulator, Notes(), stack)


def deadline(seconds: float = 10.0) -> Deadline:
    return Deadline.after(seconds, LoopClock())


@pytest.fixture
def unused_tcp_port() -> Iterator[int]:
    with closed_port() as port:
        yield port
