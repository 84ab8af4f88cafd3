# SPDX-License-Identifier: Apache-2.0
"""What counting money costs a member call: processor time, and the wait before it may be made.

    python -m benchmarks.llm.money [--rounds 3] [--url env:POSTGRES]

The simulator runs in a process of its own. Every kind sends the same bodies to it
in alternating rounds: the bare transport; the engine with nobody counting; with the
ledger and no budget; with one budget, so that every call is on disk before it is
made; with a budget and a request id. A question goes to five members; records of
predictions are off, so that what is left is money. The added time is that of a whole
question less that of five bare calls at once.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.llm import overhead
from benchmarks.llm.ensembles import quiet
from benchmarks.llm.load import Load, run
from benchmarks.llm.question import QUERY
from benchmarks.reporting import quantiles, write
from benchmarks.serving import simulating
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.engine.treasury import SpendingTerms, Treasury
from server.forecasting.deadline import SystemClock
from server.forecasting.ensemble import Durability, EnsembleSpec, MemberSpec
from server.forecasting.money import Budget
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, Transport
from server.storage.ledger.ledger import open_ledger
from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.fakes import Catalogue

MEMBERS = 5
#: Zero latency for the added time, 20 ms for the processor time, as in ``overhead``.
MODELS = {1: "sim-p0.7", 32: "sim-p0.7-20ms", 256: "sim-p0.7-20ms"}
BARE, UNCOUNTED = "five bare calls", "engine, nobody counts"
KINDS: dict[str, tuple[int, bool] | None] = {
    "engine, ledger without budget": (0, False),
    "engine, one budget": (1, False),
    "engine, one budget, request id": (1, True),
}
Call = Callable[[], Awaitable[None]]


@asynccontextmanager
async def bare(url: str, model: str) -> AsyncIterator[Call]:
    overhead.MODEL = model
    async with overhead.bare(url, Transport.AIOHTTP) as one:

        async def five() -> None:
            await asyncio.gather(*(one() for _ in range(MEMBERS)))

        yield five


@asynccontextmanager
async def engine(url: str, model: str, database: str, kind: tuple[int, bool] | None) -> AsyncIterator[Call]:
    """An engine over five members; ``kind``: how many budgets, and whether requests have ids."""
    async with AsyncExitStack() as stack:
        chats = {
            f"m{i}": ChatSettings.model_validate(
                {"provider": "sim", "model": model, "price": {"input": 1.0, "output": 4.0}}
            )
            for i in range(MEMBERS)
        }
        room = LanguageModels({"sim": overhead.settings(url, Transport.AIOHTTP)}, chats)
        stack.push_async_callback(room.close)
        spec = EnsembleSpec("e", tuple(map(MemberSpec, chats)), deadline_s=60.0, durability=Durability.NONE)
        store = await open_store(StorageSettings(url=database))
        stack.push_async_callback(store.close)
        ensembles, clock = Ensembles([Ensemble(spec, room.forecasters)], "e"), SystemClock()
        treasury = None
        if kind is not None:
            budgets = [Budget(f"b{i}", "all", 10**15) for i in range(kind[0])]
            ledger = await open_ledger(store.database, budgets)
            stack.push_async_callback(ledger.close)
            treasury = Treasury(ledger, (), ensembles.switch_off, clock, SpendingTerms())
        made = PredictionEngine(
            ensembles, Catalogue(), Recorder(store), (), clock, EngineSettings("bench", 0.05), treasury
        )
        prefix, numbers = os.urandom(6).hex(), itertools.count()

        async def ask() -> None:
            request_id = f"{prefix}-{next(numbers)}" if kind and kind[1] else ""
            prediction = await made.predict(PredictionRequest(QUERY.question, request_id=request_id))
            assert prediction.agreement.answered == MEMBERS, prediction.members

        yield ask


async def measure(url: str, database: str, name: str, in_flight: int, questions: int) -> Load:
    model = MODELS[in_flight]
    opened = bare(url, model) if name == BARE else engine(url, model, database, KINDS.get(name))
    async with opened as call:
        at_once = max(1, in_flight // MEMBERS)
        await run(call, 2 * at_once, at_once)  # connections
        return await run(call, questions, at_once)


def take(url: str, database: str, rounds: int) -> dict[tuple[str, int], list[Load]]:
    loads: dict[tuple[str, int], list[Load]] = defaultdict(list)
    for _ in range(rounds):
        for in_flight in MODELS:
            for name in (BARE, UNCOUNTED, *KINDS):
                questions = 150 if in_flight == 1 else 250
                load = uvloop.run(measure(url, database, name, in_flight, questions))
                loads[name, in_flight].append(load)
    return loads


def summary(loads: dict[tuple[str, int], list[Load]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for (name, in_flight), taken in loads.items():
        cpu = statistics.median(load.cpu_us / MEMBERS for load in taken)
        bare_cpu = statistics.median(load.cpu_us / MEMBERS for load in loads[BARE, in_flight])
        times = quantiles([1e3 * one for load in taken for one in load.latencies_s])
        base = quantiles([1e3 * one for load in loads[BARE, in_flight] for one in load.latencies_s])
        made[f"{name}, {in_flight} in flight"] = {
            "cpu_us_per_member_call": round(cpu, 1),
            "times_bare": round(cpu / bare_cpu, 2),
            "question_ms": times,
            "added_ms": {key: round(times[key] - base[key], 3) for key in ("p50", "p90", "p99")},
        }
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", default="", help="a database instead of a new SQLite file")
    given = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory() as folder, simulating(Path(folder)) as simulator:
        database = given.url or f"sqlite:///{folder}/money.db"
        results = summary(take(f"http://{simulator.address}", database, given.rounds))
    name = "llm_money_postgres" if given.url else "llm_money"
    print(write(name, "python -m benchmarks.llm.money", results))
    for kind, found in results.items():
        added = found["added_ms"]
        print(
            f"{kind:<48} {found['cpu_us_per_member_call']:>7} us  {found['times_bare']:>5}x  "
            f"added p50 {added['p50']:>7.2f} ms  p99 {added['p99']:>7.2f} ms"
        )


if __name__ == "__main__":
    main()
