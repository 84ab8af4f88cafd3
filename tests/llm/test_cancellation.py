# SPDX-License-Identifier: Apache-2.0
"""A caller who leaves: the connection closes, the cost is booked as an estimate, nothing is left behind."""

import asyncio

import pytest

from server.forecasting.forecast import AbsentReason, CostSource, Forecast
from server.llm.room import LanguageModels
from tests.eventually import eventually
from tests.llm.conftest import QUERY, Bench, deadline
from tests.llm.wires import WireCase, each_mode, each_wire


def task_names() -> set[str]:
    return {repr(task.get_coro()) for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def cancelled(room: LanguageModels, bench: Bench, *, when: int = 1) -> None:
    """Ask, wait until the simulator has seen ``when`` calls, and leave."""
    asking = asyncio.create_task(room.forecasters["m"].forecast(QUERY, deadline(60.0)))
    await eventually(lambda: len(bench.entries()) == when)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


@each_wire
@each_mode
async def test_it_closes_and_books(bench: Bench, wire: WireCase, stream: bool) -> None:
    room = bench.models(wire.provider(bench.simulator.url), m={"model": "sim-30000ms", "stream": stream})
    await cancelled(room, bench)
    await eventually(lambda: bench.entries()[0].outcome == "disconnected")
    (attempt,) = bench.notes.attempts
    assert attempt.reason is AbsentReason.CALLER_CANCELLED
    assert attempt.cost is not None
    assert attempt.cost.source is CostSource.ESTIMATE
    assert attempt.cost.nano_usd >= bench.entries()[0].billed_nano_usd > 0


async def test_words_already_said_are_in_the_estimate(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-stall", "stream": True})
    asking = asyncio.create_task(room.forecasters["m"].forecast(QUERY, deadline(60.0)))
    await eventually(lambda: len(bench.entries()) == 1 and bench.entries()[0].status == 0)
    endpoint = room.providers["sim"].endpoints["sim-stall"]
    assert endpoint is not None
    # The simulator sends half of the answer at once and then stalls.
    await asyncio.sleep(0.2)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    (attempt,) = bench.notes.attempts
    assert attempt.usage is not None
    assert attempt.usage.output > 0
    assert attempt.usage.estimated


@each_mode
async def test_nothing_is_left_behind(bench: Bench, stream: bool) -> None:
    room = bench.models({"limits": {"concurrency": 2}}, m={"model": "sim-30000ms", "stream": stream})
    before = task_names()
    for number in range(1, 6):
        await cancelled(room, bench, when=number)
    provider = room.providers["sim"]
    endpoint = provider.endpoints["sim-30000ms"]
    limiter = endpoint.limiter(provider.keys.keys[0])
    assert (limiter.in_flight, limiter.waiting) == (0, 0)
    assert endpoint.breaker.state == "closed"
    await eventually(lambda: all(entry.outcome == "disconnected" for entry in bench.entries()))
    await eventually(lambda: task_names() <= before)


async def test_a_connection_survives_success_and_not_a_cancel(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-50ms", "stream": False})
    for _ in range(3):
        assert isinstance(await room.forecasters["m"].forecast(QUERY, deadline()), Forecast)
    assert open_connections(room) == 1
    await cancelled(room, bench, when=4)
    assert open_connections(room) == 0


def open_connections(room: LanguageModels) -> int:
    """Connections that aiohttp keeps for the next request."""
    session = room.providers["sim"]._transport.client  # type: ignore[attr-defined]
    return sum(len(kept) for kept in session.connector._conns.values())


async def test_cancelled_while_waiting_for_a_place(bench: Bench) -> None:
    room = bench.models({"limits": {"concurrency": 1}}, m={"model": "sim-30000ms"})
    first = asyncio.create_task(room.forecasters["m"].forecast(QUERY, deadline(60.0)))
    await eventually(lambda: len(bench.entries()) == 1)
    second = asyncio.create_task(room.forecasters["m"].forecast(QUERY, deadline(60.0)))
    provider = room.providers["sim"]
    limiter = provider.endpoints["sim-30000ms"].limiter(provider.keys.keys[0])
    await eventually(lambda: limiter.waiting == 1)
    for task in (second, first):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert (limiter.in_flight, limiter.waiting) == (0, 0)
    assert len(bench.notes.attempts) == 1, "the second was never sent, so it cost nothing"
    assert len(bench.entries()) == 1


async def test_the_trial_place_of_a_breaker_is_freed(bench: Bench) -> None:
    room = bench.models(
        {"breaker": {"consecutive_failures": 1, "open_s": 0.01}},
        m={"model": "sim-503-first1-30000ms"},
    )
    await room.forecasters["m"].forecast(QUERY, deadline())
    breaker = room.providers["sim"].endpoints["sim-503-first1-30000ms"].breaker
    await eventually(lambda: breaker.state == "half_open")
    await cancelled(room, bench, when=2)
    assert breaker.admit() is not None
