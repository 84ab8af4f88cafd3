# SPDX-License-Identifier: Apache-2.0
"""Processor time of one member call, with every policy on, against the bare transports and LiteLLM.

    python -m benchmarks.llm.overhead [--rounds 5] [--litellm .venvs/litellm/bin/python]

The simulator runs in a process of its own and answers after 20 ms. All clients
send the same body in alternating rounds and read the answer as JSON. LiteLLM
needs an environment of its own (``uv venv .venvs/litellm``, then ``uv pip install
--python .venvs/litellm/bin/python litellm``); without one its rows are left out.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import jiter
import uvloop

from benchmarks.llm.load import Load, run
from benchmarks.llm.question import QUERY, body, deadline
from benchmarks.reporting import quantiles, write
from benchmarks.serving import simulating
from server.forecasting.forecast import Forecast
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings, Transport
from server.llm.transport import make_transport

MODEL = "sim-p0.7-20ms"
IN_FLIGHT = (1, 32, 256)
Call = Callable[[], Awaitable[None]]


def settings(url: str, transport: Transport) -> ProviderSettings:
    return ProviderSettings.model_validate(
        {
            "base_url": f"{url}/openai/v1",
            "flavour": "openai",
            "transport": transport,
            "timeouts": {"connect_s": 30.0},  # a busy machine is no part of the measurement
            "limits": {"concurrency": 1_000, "requests_per_minute": 10**8, "tokens_per_minute": 10**12},
        }
    )


@asynccontextmanager
async def bare(url: str, transport: Transport) -> Any:
    """httpx2 as anybody would use it: a client, a post, the JSON."""
    made = httpx2.AsyncClient(transport=make_transport(settings(url, transport)), timeout=None)
    sent = body(MODEL)

    async def call() -> None:
        response = await made.post(
            f"{url}/openai/v1/chat/completions", json=sent, headers={"authorization": "Bearer x"}
        )
        assert jiter.from_json(response.content)["choices"]

    async with made:
        yield call


@asynccontextmanager
async def member(url: str, transport: Transport) -> Any:
    """One of our members: prompt, limiter, breaker, deadline, parsing, price, observer."""
    chat = ChatSettings.model_validate(
        {"provider": "sim", "model": MODEL, "price": {"input": 1.0, "output": 4.0}}
    )
    room = LanguageModels({"sim": settings(url, transport)}, {"m": chat})
    forecaster = room.forecasters["m"]

    async def call() -> None:
        answer = await forecaster.forecast(replace(QUERY, memo={}), deadline())
        assert isinstance(answer, Forecast), answer

    yield call
    await room.close()


CANDIDATES: dict[str, Callable[[str], Any]] = {
    "bare httpx2 on aiohttp": lambda url: bare(url, Transport.AIOHTTP),
    "member on aiohttp": lambda url: member(url, Transport.AIOHTTP),
    "bare httpx2, own transport": lambda url: bare(url, Transport.HTTPX2),
    "member on httpx2's own": lambda url: member(url, Transport.HTTPX2),
}


async def measure(url: str, name: str, in_flight: int, calls: int) -> Load:
    async with CANDIDATES[name](url) as call:
        await run(call, 2 * in_flight, in_flight)  # connections
        return await run(call, calls, in_flight)


def litellm(python: str, url: str, in_flight: int, calls: int) -> Load:
    script = Path(__file__).with_name("litellm_client.py")
    given = {"url": f"{url}/openai/v1", "body": body(MODEL), "in_flight": in_flight, "calls": calls}
    made = subprocess.run(
        [python, script], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return Load(**json.loads(made.stdout.splitlines()[-1]))


def take(url: str, rounds: int, python: str | None) -> dict[str, Any]:
    loads: dict[tuple[str, int], list[Load]] = defaultdict(list)
    for _ in range(rounds):
        for in_flight in IN_FLIGHT:
            calls = 100 if in_flight == 1 else 1_500
            for name in CANDIDATES:
                loads[name, in_flight].append(uvloop.run(measure(url, name, in_flight, calls)))
            if python:
                few = min(calls, 600)
                loads["litellm Router", in_flight].append(litellm(python, url, in_flight, few))
    return {f"{name}, {in_flight} in flight": summary(made) for (name, in_flight), made in loads.items()}


def summary(loads: list[Load]) -> dict[str, Any]:
    latencies = [1e3 * (one - 0.02) for load in loads for one in load.latencies_s]
    return {
        "cpu_us_median": round(statistics.median(load.cpu_us for load in loads), 1),
        "cpu_us_each": [round(load.cpu_us, 1) for load in loads],
        "calls_per_s_median": round(statistics.median(load.calls / load.wall_s for load in loads)),
        "added_ms": {name: round(value, 2) for name, value in quantiles(latencies).items()},
    }


def ratios(results: dict[str, Any]) -> dict[str, float]:
    made = {}
    for in_flight in IN_FLIGHT:
        ours = results[f"member on aiohttp, {in_flight} in flight"]["cpu_us_median"]
        bare_us = results[f"bare httpx2 on aiohttp, {in_flight} in flight"]["cpu_us_median"]
        made[f"member / bare, {in_flight} in flight"] = round(ours / bare_us, 2)
        if (other := results.get(f"litellm Router, {in_flight} in flight")) is not None:
            made[f"litellm / member, {in_flight} in flight"] = round(other["cpu_us_median"] / ours, 2)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--litellm", default=".venvs/litellm/bin/python")
    given = parser.parse_args()
    python = given.litellm if Path(given.litellm).exists() else None
    with (
        tempfile.TemporaryDirectory() as folder,
        simulating(Path(folder)) as simulator,
    ):
        results = take(f"http://{simulator.address}", given.rounds, python)
    found = ratios(results)
    write("llm_overhead", "python -m benchmarks.llm.overhead", {"ratios": found, "clients": results})
    for name, result in results.items():
        print(f"{name:<45} {result['cpu_us_median']:>8} us  {result['calls_per_s_median']:>6} calls/s")
    for name, ratio in found.items():
        print(f"{name:<45} {ratio:>8}")


if __name__ == "__main__":
    main()
