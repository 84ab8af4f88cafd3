# SPDX-License-Identifier: Apache-2.0
"""Callers that hang up: billed for what was generated, and no line in the log."""

import asyncio
import json
import logging

import pytest

from server.simulator.server import Simulator
from tests.eventually import eventually


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "model", ["sim-120ms", "sim-words400-120ms", "sim-stall", "sim-pingstall", "sim-hang"]
)
async def test_a_caller_that_hangs_up_leaves_no_traceback(
    simulator: Simulator, model: str, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for seconds in (0.0, 0.02, 0.05):
        await _hang_up(simulator.url, model, stream, seconds)
    ledger = simulator.service.ledger
    await eventually(lambda: all(entry.outcome != "open" for entry in ledger.entries()))
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


async def _hang_up(url: str, model: str, stream: bool, after_s: float) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    messages = [{"role": "user", "content": "?"}]
    body = json.dumps({"model": model, "stream": stream, "messages": messages}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    try:
        async with asyncio.timeout(after_s):
            await reader.read()
    except TimeoutError:
        pass
    writer.transport.abort()
