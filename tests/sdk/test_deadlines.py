# SPDX-License-Identifier: Apache-2.0
import asyncio
import time

import pytest

from consilience import AsyncClient, Client, ConsilienceError, DeadlineError, UnavailableError
from tests.sdk.answering import Heard
from tests.sdk.conftest import Ask, Served

#: gRPC rounds time-outs up, by up to two in a hundred.
ROUNDED = 1.02


def assert_allowed(call: Heard, called_s: float, seconds: float) -> None:
    """The deadline is so long after the call, however long the call took to reach the server."""
    assert call.time_remaining_s is not None, call.request
    assert call.time_remaining_s < seconds * ROUNDED, call.request
    assert call.heard_s + call.time_remaining_s - called_s > seconds - 0.1, call.request


async def test_every_call_has_a_deadline(ask: Ask, served: Served) -> None:
    for name, arguments in {
        "predict": ("Will it?",),
        "batch_predict": (["Will it?"],),
        "aggregate": ([0.5],),
        "stream": ("Will it?",),
        "get_prediction": ("p1",),
        "get_question": ("q1",),
        "list_questions": (),
        "admin.status": (),
        "admin.members": (),
    }.items():
        called_s = time.monotonic()
        await ask(name, *arguments)
        assert_allowed(served.answering.calls[-1], called_s, 2.5)


@pytest.mark.client(deadline_s=20.0, network_margin_s=5.0)
async def test_the_server_hears_the_deadline_without_the_margin(ask: Ask, served: Served) -> None:
    called_s = time.monotonic()
    await ask("predict", "Will it?")
    call = served.answering.calls[-1]
    assert call.request.options.deadline.ToSeconds() == 20  # type: ignore[attr-defined]
    assert_allowed(call, called_s, 25.0)


async def test_a_calls_own_deadline_comes_first(ask: Ask, served: Served) -> None:
    called_s = time.monotonic()
    await ask("predict", "Will it?", deadline_s=30)
    call = served.answering.calls[-1]
    assert call.request.options.deadline.ToSeconds() == 30  # type: ignore[attr-defined]
    assert_allowed(call, called_s, 30.5)
    called_s = time.monotonic()
    await ask("aggregate", [0.5], timeout_s=60)
    assert_allowed(served.answering.calls[-1], called_s, 60.0)


@pytest.mark.client(deadline_s=0.05, network_margin_s=0.05)
async def test_too_late_is_an_error_and_ends_the_call_on_the_server(ask: Ask, served: Served) -> None:
    served.answering.hang = True
    while not served.answering.calls:  # a call may be over before a busy server has heard it
        with pytest.raises(DeadlineError) as caught:
            await ask("predict", "Will it?")
        assert caught.value.code == "DEADLINE_EXCEEDED"
    async with asyncio.timeout(60):
        await served.answering.cancelled.wait()


async def test_leaving_a_stream_cancels_it_on_the_server(served: Served) -> None:
    served.answering.hang = True
    async with AsyncClient(served.address, deadline_s=60) as client:
        async with client.stream("Will it?") as events:
            await anext(events)
        async with asyncio.timeout(60):
            await served.answering.cancelled.wait()


async def test_leaving_a_plain_stream_cancels_it_on_the_server(served: Served) -> None:
    def watch() -> None:
        with Client(served.address, deadline_s=60) as client, client.stream("Will it?") as events:
            next(events)

    served.answering.hang = True
    await asyncio.to_thread(watch)
    async with asyncio.timeout(60):
        await served.answering.cancelled.wait()


async def test_a_cancelled_stream_is_over(served: Served) -> None:
    served.answering.hang = True
    async with AsyncClient(served.address, deadline_s=60) as client:
        events = client.stream("Will it?")
        await anext(events)
        events.cancel()
        assert [event async for event in events] == []


async def test_a_cancelled_plain_stream_is_over(served: Served) -> None:
    def watch() -> list[object]:
        with Client(served.address, deadline_s=60) as client:
            events = client.stream("Will it?")
            next(events)
            events.cancel()
            return list(events)

    served.answering.hang = True
    assert await asyncio.to_thread(watch) == []


async def test_cancelling_the_callers_task_cancels_the_call(served: Served) -> None:
    served.answering.hang = True
    async with AsyncClient(served.address, deadline_s=60) as client:
        task = asyncio.ensure_future(client.predict("Will it?"))
        while not served.answering.calls:  # noqa: ASYNC110 - the server has no event for "heard"
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(60):
            await served.answering.cancelled.wait()


@pytest.mark.parametrize("name", ["deadline_s", "network_margin_s"])
def test_a_deadline_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Client(**{name: 0.0})  # type: ignore[arg-type]


async def test_nobody_there() -> None:
    # Port 1 of the loopback: nothing listens there.
    async with AsyncClient("127.0.0.1:1", deadline_s=1.0) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.admin.status()
    assert isinstance(caught.value, ConsilienceError)
    assert caught.value.reason == ""
