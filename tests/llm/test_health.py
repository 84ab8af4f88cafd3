# SPDX-License-Identifier: Apache-2.0
"""Probes, warm-up and the look-up of what cut calls have cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from server.forecasting.forecast import Absent, AbsentReason, CostSource, Forecast
from server.llm.health import probe
from server.llm.room import LanguageModels
from server.simulator.server import Simulator
from server.simulator.settings import SimulatorSettings
from tests.eventually import eventually
from tests.llm.conftest import QUERY, Bench, deadline
from tests.llm.wires import WIRES, WireCase, each_wire

ROUTER = next(wire for wire in WIRES if wire.name == "openrouter")


@asynccontextmanager
async def watching(room: LanguageModels) -> AsyncIterator[None]:
    task = asyncio.create_task(room.watch())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@each_wire
async def test_a_provider_that_is_there(bench: Bench, wire: WireCase) -> None:
    room = bench.models(wire.provider(bench.simulator.url), m={"model": "sim-fast"})
    assert await probe(room.providers["sim"])
    assert bench.entries() == [], "a probe is free"


async def test_a_provider_that_is_not(bench: Bench, unused_tcp_port: int) -> None:
    room = bench.models({"base_url": f"http://127.0.0.1:{unused_tcp_port}/v1"}, m={"model": "sim-fast"})
    assert not await probe(room.providers["sim"])


async def test_an_outage_ends_for_us_when_it_ends(bench: Bench, unused_tcp_port: int) -> None:
    """Refused connections open the circuit for a minute; the probe finds the provider back long before."""
    settings = {
        "base_url": f"http://127.0.0.1:{unused_tcp_port}/v1",
        "breaker": {"consecutive_failures": 2, "open_s": 60.0, "trial_calls": 1, "ramp_s": 0.0},
        "probe_s": 0.02,
    }
    room = bench.models(settings, m={"model": "sim-p0.7"})
    forecaster = room.forecasters["m"]
    answer = await forecaster.forecast(QUERY, deadline())
    assert isinstance(answer, Absent)
    assert (answer.reason, answer.attempts) == (AbsentReason.PROVIDER_CONNECTION_FAILED, 2)
    assert forecaster.circuit == "open"
    async with watching(room), Simulator(SimulatorSettings(port=unused_tcp_port)):
        await eventually(lambda: forecaster.circuit == "half_open")
        assert isinstance(await forecaster.forecast(QUERY, deadline()), Forecast)
        assert forecaster.circuit == "closed"


async def test_while_all_is_well_nobody_probes(bench: Bench, unused_tcp_port: int) -> None:
    room = bench.models(
        {"base_url": f"http://127.0.0.1:{unused_tcp_port}/v1", "probe_s": 0.005}, m={"model": "sim-fast"}
    )
    async with watching(room):
        await asyncio.sleep(0.05)
    assert bench.notes.attempts == []


@pytest.mark.parametrize("model", ["sim-cut", "sim-nousage"])
async def test_estimates_give_way_to_the_providers_own_figure(bench: Bench, model: str) -> None:
    settings = ROUTER.provider(bench.simulator.url, probe_s=0.01)
    room = bench.models(settings, m={"model": model, "stream": True})
    await room.forecasters["m"].forecast(QUERY, deadline())
    guessed = [attempt for attempt in bench.notes.attempts if attempt.cost]
    assert {attempt.cost.source for attempt in guessed if attempt.cost} == {CostSource.ESTIMATE}
    async with watching(room):
        await eventually(lambda: len(bench.notes.corrections) == len(guessed))
    billed = [entry.billed_nano_usd for entry in bench.entries() if entry.billed_nano_usd]
    assert [cost.nano_usd for _, cost in bench.notes.corrections] == billed
    assert [attempt for attempt, _ in bench.notes.corrections] == guessed
    assert all(cost.source is CostSource.PROVIDER for _, cost in bench.notes.corrections)


async def test_a_cancelled_call_is_looked_up_too(bench: Bench) -> None:
    settings = ROUTER.provider(bench.simulator.url, probe_s=0.01)
    room = bench.models(settings, m={"model": "sim-stall", "stream": True, "prompt": "forecast-1"})
    answer = await room.forecasters["m"].forecast(QUERY, deadline(0.3))
    assert isinstance(answer, Absent)
    async with watching(room):
        await eventually(lambda: len(bench.notes.corrections) == 1)
    assert bench.notes.corrections[0][1].nano_usd == bench.entries()[0].billed_nano_usd > 0


async def test_a_call_on_a_callers_own_key_is_not_looked_up_with_ours(bench: Bench) -> None:
    room = bench.models(ROUTER.provider(bench.simulator.url), m={"model": "sim-cut", "stream": True})
    own = replace(QUERY, keys={"sim": "sk-of-a-caller"})
    assert isinstance(await room.forecasters["m"].forecast(own, deadline()), Absent)
    assert len(room.providers["sim"].reconciler) == 0


async def test_look_ups_end(bench: Bench) -> None:
    """A call that the provider never learns of is looked up three times, and the estimate stands."""
    room = bench.models(ROUTER.provider(bench.simulator.url), m={"model": "sim-cut", "stream": True})
    await room.forecasters["m"].forecast(QUERY, deadline())
    bench.simulator.service.reset()
    provider = room.providers["sim"]
    left = []
    for _ in range(3):
        left.append(len(provider.reconciler))
        await provider.reconciler.settle(provider)
    assert left == [2, 2, 2]
    assert len(provider.reconciler) == 0
    assert bench.notes.corrections == []


async def test_warm_up_opens_connections_and_costs_nothing(bench: Bench) -> None:
    room = bench.models({"warm_connections": 3}, m={"model": "sim-fast"})
    await room.warm_up(deadline())
    session = room.providers["sim"]._transport.client  # type: ignore[attr-defined]
    assert sum(len(kept) for kept in session.connector._conns.values()) >= 1
    assert bench.entries() == []


async def test_warm_up_asks_what_it_is_told_to(bench: Bench) -> None:
    room = bench.models({"warm_kinds": ["binary", "numeric"]}, m={"model": "sim-fast"})
    await room.warm_up(deadline())
    assert len(bench.entries()) == 2
    assert {attempt.question_id for attempt in bench.notes.attempts} == {"warm-up"}
    assert all(attempt.cost for attempt in bench.notes.attempts), "and says what it cost"


async def test_warm_up_survives_a_dead_provider(bench: Bench, unused_tcp_port: int) -> None:
    room = bench.models({"base_url": f"http://127.0.0.1:{unused_tcp_port}/v1"}, m={"model": "sim-fast"})
    await room.warm_up(deadline())
