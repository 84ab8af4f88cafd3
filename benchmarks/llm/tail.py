# SPDX-License-Identifier: Apache-2.0
"""What hedging, a quorum and over-provisioning do to a slow tail, and how many calls they cost.

    python -m benchmarks.llm.tail

Five members at the provider simulator over real HTTP, log-normal with a median of
400 ms, and one call in twenty takes ten times as long. Predictions go through
the very engine that serves; the ways take turns, so that all meet the same noise.
Calls are the simulator's count, cancelled ones included.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import uvloop

from benchmarks.llm.ensembles import engine_of, quiet, settings_of
from benchmarks.reporting import quantiles, write
from benchmarks.serving import simulating
from server.engine.predict import PredictionEngine
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Options
from server.forecasting.question import Question

MODEL = "sim-lognormal400ms0.2-tail5x10"
FIVE = tuple("abcde")
HEDGED = {"execution": "hedged", "hedge_multiple": 2.0, "hedge_share": 0.08, "hedge_delay_s": 0.8}
WAYS: dict[str, dict[str, Any]] = {
    "all 5": {"members": FIVE},
    "all 5, hedged": {"members": FIVE, **HEDGED},
    "4 of 5": {"members": FIVE, "enough_responses": 4},
    "4 of 5, hedged": {"members": FIVE, "enough_responses": 4, **HEDGED},
    "5 of 6": {"members": (*FIVE, "f"), "enough_responses": 5, "spare_members": 1},
    "5 of 7": {"members": (*FIVE, "f", "g"), "enough_responses": 5, "spare_members": 2},
}
IN_FLIGHT = 12
WARM_UP = 36
BASE = "all 5"


def slug(way: str) -> str:
    return way.replace(" ", "-").replace(",", "")


async def ask(engine: PredictionEngine, way: str, count: int) -> list[float]:
    """Seconds that each prediction took."""
    left = iter(range(count))
    took: list[float] = []

    async def caller() -> None:
        for _ in left:
            begun = time.perf_counter()
            prediction = await engine.predict(
                PredictionRequest(Question("q", "Will it rain?"), Options(ensemble=slug(way)))
            )
            took.append(time.perf_counter() - begun)
            wanted = WAYS[way].get("enough_responses", 5)
            assert prediction.agreement.answered >= wanted, prediction.warnings

    await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))
    return took


async def measure(url: str, folder: Path, rounds: int, count: int) -> list[dict[str, Any]]:
    models = {name: f"{MODEL}-{name}" for name in "abcdefg"}
    settings = settings_of(url, models, {slug(way): special for way, special in WAYS.items()})
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    calls = dict.fromkeys(WAYS, 0)
    async with engine_of(settings, folder) as engine, httpx2.AsyncClient(timeout=60.0) as client:
        for way in WAYS:
            await ask(engine, way, WARM_UP)
        for _ in range(rounds):
            for way in WAYS:
                before = await total(client, url)
                took[way] += await ask(engine, way, count)
                calls[way] += await total(client, url) - before
    return [row(way, took, calls) for way in WAYS]


async def total(client: httpx2.AsyncClient, url: str) -> int:
    """Calls of all models since the start."""
    return int((await client.get(f"{url}/ledger", params={"entries": "no"})).json()["calls"])


def row(way: str, took: dict[str, list[float]], calls: dict[str, int]) -> dict[str, Any]:
    own, base = quantiles(took[way]), quantiles(took[BASE])
    return {
        "way": way,
        "predictions": len(took[way]),
        "calls_a_prediction": calls[way] / len(took[way]),
        "more_calls": calls[way] / len(took[way]) / (calls[BASE] / len(took[BASE])) - 1.0,
        "p50_s": own["p50"],
        "p90_s": own["p90"],
        "p99_s": own["p99"],
        "p99_cut": 1.0 - own["p99"] / base["p99"],
    }


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| way | p50 ms | p90 ms | p99 ms | p99 cut by | calls | more calls |", "| --- |" + " --- |" * 6]
    lines += [
        f"| {r['way']} | {r['p50_s'] * 1e3:.0f} | {r['p90_s'] * 1e3:.0f} | {r['p99_s'] * 1e3:.0f} "
        f"| {r['p99_cut']:.0%} | {r['calls_a_prediction']:.2f} | {r['more_calls']:+.1%} |"
        for r in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--predictions", type=int, default=400, help="of each way in each round")
    given = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory() as name, simulating(Path(name)) as simulator:
        url = f"http://{simulator.address}"
        rows = uvloop.run(measure(url, Path(name), given.rounds, given.predictions))
    print(table(rows))
    write("llm_tail", "python -m benchmarks.llm.tail", rows)


if __name__ == "__main__":
    main()
