# SPDX-License-Identifier: Apache-2.0
"""Learning in the live server: python -m benchmarks.learning.live [DATA/forecasts].

CPU of advice for each weighting; stored member forecasts scored by outcomes, in the
database and its tables; snapshots; and, with the data, the coverage of label sets.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reporting import write
from server.forecasting.forecast import Forecast
from server.forecasting.prediction import MemberAnswer
from server.forecasting.question import Resolution
from server.learning import snapshots
from server.learning.context import Context
from server.learning.memory import Memory
from server.learning.methods import ADAPTIVE, WEIGHTINGS
from server.learning.rebuilding import judgements, rebuilt
from server.research.cases import make_ensembles
from server.research.label_sets import coverage_of
from server.research.panels import read_panels
from server.research.series import DEFAULT
from server.research.table import read_table
from server.research.walk import walk
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.storage.samples import NOON, record

MEMBERS, QUESTIONS, ASKED = 50, 200, 10
CALLS = 300


def main(folder: Path | None) -> None:
    results = asyncio.run(_stored())
    if folder is not None:
        results["label_sets"] = _coverage(folder)
    print(write("learning_live", "python -m benchmarks.learning.live DATA/forecasts", results))


async def _stored() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(StorageSettings(url=f"sqlite:///{folder}/bench.db"))
        outcomes = SqlOutcomeStore(store.database, store.trail)
        await _save(store)
        known = NOON + timedelta(days=3)
        news = [
            Resolution(f"q-{i}", known + timedelta(minutes=i), outcome="YES", version=0)
            for i in range(QUESTIONS)
        ]
        begun, cpu = time.perf_counter(), time.process_time()
        recorded = await outcomes.record(news, known)
        scored = sum(each.scored for each in recorded)
        wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
        in_force = await outcomes.outcomes()
        cases = await outcomes.judged([one.question_id for one in in_force])
        begun = time.process_time()
        memory = rebuilt(cases, in_force, {})
        rebuild_s = time.process_time() - begun
        found = judgements(cases, in_force)
        await store.close()
    state = snapshots.dump(memory)
    begun = time.process_time()
    snapshots.load(state)
    return {
        "members": MEMBERS,
        "scored_forecasts": scored,
        "scoring_wall_s": round(wall_s, 2),
        "scoring_cpu_s": round(cpu_s, 2),
        "scored_per_minute": round(scored * 60.0 / wall_s),
        "scored_per_cpu_minute": round(scored * 60.0 / cpu_s),
        "rebuild_cpu_s": round(rebuild_s, 2),
        "answers_rebuilt": len(cases),
        "outcomes_rebuilt": len(found),
        "snapshot_bytes": len(state),
        "snapshot_load_cpu_ms": round(1e3 * (time.process_time() - begun), 1),
        "advice_cpu_us": {name: _advice_us(memory, name) for name in (*WEIGHTINGS, ADAPTIVE)},
    }


async def _save(store: Any) -> None:
    chance = np.random.default_rng(0)
    base = record("p")
    saves = []
    for question in range(QUESTIONS):
        for asked in range(ASKED):
            said = chance.uniform(0.05, 0.95, MEMBERS)
            members = tuple(
                MemberAnswer(f"m{i}", Forecast((p, 1 - p)), 1.0) for i, p in enumerate(said.tolist())
            )
            created = base.prediction.create_time + timedelta(minutes=asked)
            prediction = replace(
                base.prediction,
                id=f"p-{question}-{asked}",
                question_id=f"q-{question}",
                members=members,
                create_time=created,
            )
            asked_question = replace(base.question, id=f"q-{question}")
            saves.append(store.save(replace(base, prediction=prediction, question=asked_question)))
            if len(saves) == 200:
                await asyncio.gather(*saves)
                saves.clear()
    await asyncio.gather(*saves)


def _advice_us(memory: Memory, weighting: str) -> float:
    names = tuple(f"m{i}" for i in range(12))
    matrix = np.random.default_rng(1).dirichlet((1.0, 1.0), 12)
    begun = time.process_time()
    for _ in range(CALLS):
        advice = memory.learning.advise(weighting, "hierarchical", "quickstart", names, Context("quickstart"))
        advice.weights(matrix)
        advice.curve(12)
    return round((time.process_time() - begun) / CALLS * 1e6, 1)


def _coverage(folder: Path) -> list[dict[str, Any]]:
    """Walking forward over the panels: how often the set of the default holds the truth, and its size."""
    table = read_table(folder / "forecasts.parquet", folder / "market_prices.parquet")
    panels = read_panels(folder / "panels.json")
    ensembles = make_ensembles(table, panels)
    said = [rows[0] for rows in walk(ensembles, [DEFAULT], background=True).said["strict"]]
    return [asdict(one) for one in coverage_of(ensembles, said, [panel.name for panel in panels])]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
