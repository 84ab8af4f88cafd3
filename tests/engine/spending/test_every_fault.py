# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong at a provider, our books agree with its bill, and say where they are a guess."""

import pytest

from server.engine.ensembles import Ensemble
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Durability, EnsembleSpec, MemberSpec
from server.forecasting.money import Budget, Spend
from server.forecasting.question import Question
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings
from server.simulator.faults import Fault
from server.simulator.ledger import Entry
from server.simulator.server import Simulator
from tests.engine.spending.conftest import Offices
from tests.eventually import eventually
from tests.llm.conftest import PRICE
from tests.llm.test_catalogue import unknowable
from tests.patience import LoopClock

#: Besides every fault: an answer that fails at first, and one that nobody waits for.
MORE = ("500-first1", "garbage-first1", "reset-first1", "cached50", "reason40", "30000ms")
ONLY_STREAMED = (Fault.STREAM_ERROR, Fault.PING_STALL)
USD = 10**9


def room_of(simulator: Simulator, stream: bool) -> LanguageModels:
    """A member for each way in which a call can go, each with keys and limits of its own."""
    mode = "s" if stream else "w"
    faults = [each.value for each in Fault if stream or each not in ONLY_STREAMED]
    names = [f"sim-p0.7-{fault}-{mode}1" for fault in (*faults, *MORE)]
    chats = {
        name: ChatSettings.model_validate({"provider": name, "model": name, "price": PRICE, "stream": stream})
        for name in names
    }
    provider = {"base_url": f"{simulator.url}/openai/v1", "flavour": "openai"}
    return LanguageModels(
        {name: ProviderSettings.model_validate(provider) for name in names}, chats, clock=LoopClock()
    )


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_our_books_are_the_providers_bill(offices: Offices, stream: bool) -> None:
    simulator = await offices.stack.enter_async_context(Simulator())
    room = room_of(simulator, stream)
    offices.stack.push_async_callback(room.close)
    spec = EnsembleSpec(
        "all",
        tuple(map(MemberSpec, room.forecasters)),
        execution="hedged",
        hedge_delay_s=1.5,
        hedge_share=1.0,
        deadline_s=4.0,
        max_cost_nano_usd=1_000 * USD,
        durability=Durability.NONE,
    )
    budget = Budget("b", "all", 1_000 * USD)
    office = await offices.open(Ensemble(spec, room.forecasters), budgets=(budget,))
    await office.engine.predict(PredictionRequest(Question("q1", "Will it rain?")))
    entries = simulator.service.ledger.entries
    await eventually(lambda: all(entry.outcome != "open" for entry in entries()))
    booked = await office.spend("member")
    for name in room.forecasters:
        check(booked.get(name, Spend(name)), entries(name))
    assert office.told.excesses == []
    total = sum(spend.settled_nano_usd for spend in booked.values())
    assert await office.taken() == (total, 0)


async def test_calls_of_unknown_price_are_shown_without_a_cost(offices: Offices) -> None:
    simulator = await offices.stack.enter_async_context(Simulator())
    names = ("sim-p0.7", "sim-500")
    chats = {name: ChatSettings(provider="sim", model=name) for name in names}
    provider = ProviderSettings(base_url=f"{simulator.url}/openai/v1", flavour="openai")
    room = LanguageModels({"sim": provider}, chats, clock=LoopClock())
    offices.stack.push_async_callback(room.close)
    spec = EnsembleSpec("all", tuple(map(MemberSpec, names)), deadline_s=4.0, durability=Durability.NONE)
    office = await offices.open(Ensemble(spec, room.forecasters), allow_unpriced=True)
    await office.engine.predict(PredictionRequest(Question("q1", "Will it rain?")))
    assert await office.spend("member") == {"sim-p0.7": Spend("sim-p0.7", calls=1, unpriced_calls=1)}


def check(booked: Spend, entries: list[Entry]) -> None:
    """What is no estimate is the bill to the last nano dollar; what is one had to be, and is not too low."""
    known = sum(entry.billed_nano_usd for entry in entries if not unknowable(entry))
    assert booked.settled_nano_usd - booked.estimated_nano_usd == known, booked
    assert booked.settled_nano_usd >= sum(entry.billed_nano_usd for entry in entries), booked
    if booked.estimated_nano_usd:
        assert any(unknowable(entry) for entry in entries), booked
