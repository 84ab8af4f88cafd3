# SPDX-License-Identifier: Apache-2.0
"""Faults, cancels and hedges for as long as you like; nothing may grow, and the books must balance.

    python -m benchmarks.llm.soak --minutes 20

Ten members, streamed and whole, ask models that answer, stall, cut, flap, limit
and refuse. A third of the questions are cancelled on their way, another third
hedged: two members are asked, and the slower one is let go. Every half minute
the load rests, tasks, connections and memory are counted, and every attempt that
is no estimate is compared with the simulator's bill.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvloop

from benchmarks.llm.question import QUERY
from benchmarks.reporting import write
from benchmarks.serving import simulating
from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.forecast import Absent, Cost, CostSource
from server.llm.attempts import Attempt
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, ProviderSettings

MODELS = (
    "sim-lognormal40ms-tail5x10",
    "sim-30ms-500-rate20",
    "sim-30ms-503-flap50",
    "sim-cut-rate30",
    "sim-stall-rate10",
    "sim-hang-rate5",
    "sim-reset-rate20",
    "sim-garbage-rate30",
    "sim-429-rate20-wait100ms",
    "sim-nousage-rate20",
)
CALLERS = 24
REST_S = 30.0
BUDGET_S = 1.0
#: Live blocks of Python's allocator may be this share above the plateau: what happens to be under way.
#: The resident set is told, too, but not judged: reading the simulator's long ledger moves it by 15 MiB.
SLACK_BLOCKS = 0.02


@dataclass
class Books:
    """What was told since the last rest."""

    exact: dict[str, int] = field(default_factory=dict)
    estimates: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def attempted(self, attempt: Attempt) -> None:
        """Count it; keep the cost of those that are no estimate."""
        self.reasons[attempt.reason.value if attempt.reason else "forecast"] += 1
        if attempt.cost is None:
            return
        if attempt.cost.source is CostSource.ESTIMATE:
            self.estimates[attempt.model] += 1
        else:
            self.exact[attempt.response_id.rpartition("-")[2]] = attempt.cost.nano_usd

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """Of no interest here."""

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        """Of no interest here."""


def room(url: str, books: Books) -> LanguageModels:
    provider = {
        "base_url": f"{url}/openai/v1",
        "flavour": "openai",
        "timeouts": {"idle_s": 0.3},
        "breaker": {"open_s": 0.2, "max_open_s": 1.0, "ramp_s": 0.5},
    }
    price = {"input": 1.0, "cache_read": 0.1, "output": 4.0}
    members = {
        f"{model} {stream}": {"provider": "sim", "model": f"{model}-{mode}", "stream": stream, "price": price}
        for model in MODELS
        for mode, stream in (("s", True), ("w", False))
    }
    return LanguageModels(
        {"sim": ProviderSettings.model_validate(provider)},
        {name: ChatSettings.model_validate(member) for name, member in members.items()},
        observer=books,
    )


async def one(made: LanguageModels, source: random.Random) -> None:
    """A question: asked to the end, cancelled, or hedged."""
    first, second = source.sample(list(made.forecasters.values()), 2)
    deadline = Deadline.after(BUDGET_S, SystemClock())
    what = source.random()
    if what < 1 / 3:
        await first.forecast(QUERY, deadline)
        return
    asking = asyncio.create_task(first.forecast(QUERY, deadline))
    await asyncio.wait({asking}, timeout=source.uniform(0.0, 0.06))
    if what < 2 / 3:
        await let_go({asking})
        return
    hedge = asyncio.create_task(second.forecast(QUERY, deadline))
    both = {asking, hedge}
    while both:
        done, both = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if any(not isinstance(task.result(), Absent) for task in done):
            break
    await let_go(both)


async def let_go(tasks: set[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def work(made: LanguageModels, until: float, seed: int) -> int:
    source, asked = random.Random(seed), 0  # noqa: S311
    while time.monotonic() < until:
        await one(made, source)
        asked += 1
    return asked


def memory_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def count(made: LanguageModels) -> dict[str, float]:
    """What must not grow, while nobody asks."""
    provider = made.providers["sim"]
    connector = provider._transport.client.connector  # type: ignore[attr-defined]
    limiters = [limiter for endpoint in provider.endpoints.values() for limiter in endpoint.limiters]
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "connections_kept": sum(len(kept) for kept in connector._conns.values()),
        "connections_in_use": len(connector._acquired),
        "in_flight": sum(limiter.in_flight for limiter in limiters),
        "waiting": sum(limiter.waiting for limiter in limiters),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "objects": len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
        "memory_mib": round(memory_mib(), 1),
    }


async def balance(url: str, books: Books) -> dict[str, int]:
    """Compare with the simulator's books, then begin new ones."""
    async with httpx2.AsyncClient(timeout=60.0) as client:
        while True:
            ledger = (await client.get(f"{url}/ledger")).json()
            if all(entry["outcome"] != "open" for entry in ledger["entries"]):
                break
            await asyncio.sleep(0.1)
        await client.delete(f"{url}/ledger")
    billed = {entry["id"]: entry["billed_nano_usd"] for entry in ledger["entries"]}
    wrong = sum(billed.get(name) != cost for name, cost in books.exact.items())
    # A call that we left may have been billed to its end: then it must be among our estimates.
    unmatched = Counter(
        entry["model"]
        for entry in ledger["entries"]
        if entry["billed_nano_usd"] > 0 and entry["id"] not in books.exact
    )
    missed = (unmatched - books.estimates).total()
    found = {
        "exact": len(books.exact),
        "estimates": books.estimates.total(),
        "wrong": wrong,
        "missed": missed,
    }
    books.exact, books.estimates = {}, Counter()
    return found


async def soak(url: str, minutes: float) -> dict[str, Any]:
    books = Books()
    made = room(url, books)
    samples: list[dict[str, Any]] = []
    start, asked, number = time.monotonic(), 0, 0
    while time.monotonic() - start < minutes * 60:
        until = time.monotonic() + REST_S
        number += 1
        asked += sum(await asyncio.gather(*(work(made, until, number * 1_000 + i) for i in range(CALLERS))))
        ledger = await balance(url, books)
        samples.append({"minute": round((time.monotonic() - start) / 60, 2), **count(made), **ledger})
        print(json.dumps(samples[-1]), flush=True)
    await made.close()
    return {"questions": asked, "outcomes": dict(books.reasons), "samples": samples, **verdict(samples)}


def verdict(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """The last third against the plateau, which begins after the first third."""
    third = max(1, len(samples) // 3)
    plateau, end = samples[third : 2 * third] or samples, samples[-third:]

    def most(part: list[dict[str, Any]], name: str) -> float:
        return max(float(sample[name]) for sample in part)

    growth = {
        name: round(most(end, name) - most(plateau, name), 1)
        for name in (
            "tasks",
            "connections_kept",
            "connections_in_use",
            "in_flight",
            "files",
            "blocks",
            "memory_mib",
        )
    }
    # Connections and files: as many as were needed at once, which varies with the load.
    allowed = {
        "connections_kept": CALLERS,
        "files": CALLERS,
        "blocks": SLACK_BLOCKS * most(plateau, "blocks"),
    }
    steady = all(change <= allowed.get(name, 0) for name, change in growth.items() if name != "memory_mib")
    wrong = sum(sample["wrong"] + sample["missed"] for sample in samples)
    return {"growth": growth, "steady": steady, "wrongly_booked": wrong}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    minutes = parser.parse_args().minutes
    with (
        tempfile.TemporaryDirectory() as folder,
        simulating(Path(folder)) as simulator,
    ):
        results = uvloop.run(soak(f"http://{simulator.address}", minutes))
    write("llm_soak", f"python -m benchmarks.llm.soak --minutes {minutes:g}", results)
    print(json.dumps({name: results[name] for name in ("questions", "growth", "steady", "wrongly_booked")}))


if __name__ == "__main__":
    main()
