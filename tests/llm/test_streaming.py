# SPDX-License-Identifier: Apache-2.0
"""Streams: used early where that helps, never believed when cut."""

import asyncio
import contextlib
import json
import re

import pytest

from server.forecasting.forecast import Absent, AbsentReason, CostSource, Forecast
from server.forecasting.query import Query
from server.forecasting.question import Exclusive, Question
from server.llm.asking import EARLIEST
from server.llm.exchange import MAX_BODY_BYTES
from tests.eventually import eventually
from tests.llm.conftest import QUERY, Bench, deadline
from tests.llm.wires import WireCase, each_wire

EARLY_PROMPT = "quick-1"  # numbers first


@each_wire
async def test_at_the_deadline_what_was_said_counts(bench: Bench, wire: WireCase) -> None:
    answer = await bench.ask(
        "sim-p0.73-stall-words99",
        provider=wire.provider(bench.simulator.url),
        stream=True,
        prompt=EARLY_PROMPT,
        seconds=0.6,
    )
    assert isinstance(answer, Forecast)
    assert answer.probabilities[0] == 0.73
    assert answer.cost is not None
    assert answer.cost.source is CostSource.ESTIMATE


async def test_reasons_first_have_nothing_to_salvage(bench: Bench) -> None:
    answer = await bench.ask("sim-p0.73-stall", stream=True, prompt="forecast-1", seconds=0.4)
    assert isinstance(answer, Absent)
    assert answer.reason is AbsentReason.PROVIDER_TIMEOUT


async def test_never_means_never(bench: Bench) -> None:
    answer = await bench.ask("sim-p0.73-stall", stream=True, prompt=EARLY_PROMPT, early="never", seconds=0.4)
    assert isinstance(answer, Absent)


@each_wire
async def test_at_once_hangs_up_when_the_numbers_are_in(bench: Bench, wire: WireCase) -> None:
    answer = await bench.ask(
        "sim-p0.73-2000ms-ttft10ms",
        provider=wire.provider(bench.simulator.url),
        stream=True,
        prompt=EARLY_PROMPT,
        early="at_once",
    )
    assert isinstance(answer, Forecast)
    assert answer.probabilities[0] == 0.73
    await eventually(lambda: bench.entries()[0].outcome != "open")
    assert bench.entries()[0].outcome == "disconnected", "the rest was not waited for"
    assert answer.usage is not None
    assert answer.usage.estimated


async def test_a_long_stream_is_not_looked_through_with_each_word(bench: Bench) -> None:
    said = json.dumps({"note": "x, " * EARLIEST, "probability": 0.73, "rationale": "so"})

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for choice in ({"delta": {"content": part}} for part in re.findall(r"[^,]+,?", said)):
            writer.write(event({"choices": [choice]}))
        usage = {"prompt_tokens": 5, "completion_tokens": 6}
        writer.write(event({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage}))
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as peer:
        base_url = f"http://127.0.0.1:{peer.sockets[0].getsockname()[1]}/v1"
        answer = await bench.ask("any", provider={"base_url": base_url}, stream=True, early="at_once")
    assert isinstance(answer, Forecast)
    assert answer.usage is not None
    assert not answer.usage.estimated, "it was heard to its end"


async def request_of(reader: asyncio.StreamReader) -> None:
    """Read a request to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))


def event(data: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


async def test_named_outcomes_are_used_only_when_all_are_in(bench: Bench) -> None:
    query = Query(Question("q", "Who?", Exclusive(("x", "y", "z"))))
    answer = await bench.ask(
        "sim-p0.5-1000ms-ttft10ms", query, stream=True, prompt=EARLY_PROMPT, early="at_once"
    )
    assert isinstance(answer, Forecast)
    assert sum(answer.probabilities) == pytest.approx(1.0)


@pytest.mark.parametrize("early", ["never", "at_deadline", "at_once"])
async def test_a_cut_stream_is_never_an_answer(bench: Bench, early: str) -> None:
    answer = await bench.ask("sim-p0.73-cut", stream=True, prompt="forecast-1", early=early)
    assert isinstance(answer, Absent)
    assert answer.reason is AbsentReason.PROVIDER_CONNECTION_FAILED


@pytest.mark.parametrize("fault", ["slowstart", "hang"])
async def test_first_byte_limit(bench: Bench, fault: str) -> None:
    """The limit, not the deadline a minute away, ends the wait."""
    provider = {"timeouts": {"first_byte_s": 0.1}}
    answer = await bench.ask(f"sim-{fault}", provider=provider, stream=True, seconds=60.0)
    assert isinstance(answer, Absent)
    assert answer.reason is AbsentReason.PROVIDER_TIMEOUT
    assert "the first word" in answer.detail


async def test_the_first_byte_limit_ends_with_the_first_byte(bench: Bench) -> None:
    provider = {"timeouts": {"first_byte_s": 0.3}}
    answer = await bench.ask("sim-p0.2-900ms-ttft20ms", provider=provider, stream=True, seconds=60.0)
    assert isinstance(answer, Forecast)


@pytest.mark.parametrize("fault", ["stall", "pingstall"])
async def test_idle_limit_is_not_fooled_by_pings(bench: Bench, fault: str) -> None:
    answer = await bench.ask(
        f"sim-{fault}", provider={"timeouts": {"idle_s": 0.1}}, stream=True, seconds=60.0, prompt="forecast-1"
    )
    assert isinstance(answer, Absent)
    assert "the next word" in answer.detail


async def test_a_slow_but_steady_stream_passes_the_idle_limit(bench: Bench) -> None:
    answer = await bench.ask(
        "sim-p0.2-800ms", provider={"timeouts": {"idle_s": 0.5}}, stream=True, seconds=60.0
    )
    assert isinstance(answer, Forecast)


async def test_bad_chunks_are_skipped(bench: Bench) -> None:
    answer = await bench.ask("sim-p0.73-badchunk", stream=True)
    assert isinstance(answer, Forecast)
    assert answer.probabilities[0] == 0.73
    assert [attempt.bad_chunks for attempt in bench.notes.attempts] == [1], "and counted"


@each_wire
async def test_without_an_end_marker(bench: Bench, wire: WireCase) -> None:
    """The finish reason is enough where there is one; where the end marker carries it, the stream was cut."""
    answer = await bench.ask("sim-p0.73-noend", provider=wire.provider(bench.simulator.url), stream=True)
    carried_by_the_end = wire.format in ("openai_responses", "gemini")
    assert isinstance(answer, Absent if carried_by_the_end else Forecast)


async def test_many_streams_at_once(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-p0.6-50ms", "stream": True})
    answers = await asyncio.gather(
        *(room.forecasters["m"].forecast(QUERY, deadline(30.0)) for _ in range(100))
    )
    assert all(isinstance(answer, Forecast) and answer.probabilities[0] == 0.6 for answer in answers)


async def test_a_stream_without_end_does_not_fill_the_memory(bench: Bench) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        flooding = event({"choices": [{"delta": {"content": "x" * 2**19}}]})
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(flooding)
                await writer.drain()

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as peer:
        port = peer.sockets[0].getsockname()[1]
        answer = await bench.ask("any", provider={"base_url": f"http://127.0.0.1:{port}/v1"}, stream=True)
    assert isinstance(answer, Absent)
    assert answer.reason is AbsentReason.PROVIDER_BAD_OUTPUT
    assert f"over {MAX_BODY_BYTES} bytes" in answer.detail
