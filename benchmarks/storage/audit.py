# SPDX-License-Identifier: Apache-2.0
"""What the audit log and the replayable record add to one durable prediction.

Processor time of a lone save with its entry in the chain against the same save
without, in turns on one database; and of packing a computation for the record.

python -m benchmarks.storage.audit
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from benchmarks.reporting import write
from server.engine.consensus import RunningConsensus
from server.engine.gathering import CHOICES
from server.forecasting.ensemble import EnsembleSpec, MemberSpec, Options, make_plan
from server.forecasting.question import Question
from server.storage.audit.trail import Append, AuditTrail
from server.storage.inserts import Inserts
from server.storage.records import rows_of
from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.storage.samples import record

SAVES, ROUNDS = 100, 15


class NoTrail(AuditTrail):
    """Transactions without a chain: the baseline."""

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[Append]:
        with connection.begin():
            yield lambda events: None


async def saves(folder: Path) -> dict[str, float]:
    store = await open_store(StorageSettings(url=f"sqlite:///{folder}/records.db"))
    dialect = store.database.dialect
    kinds = {"without": Inserts(dialect, NoTrail(dialect)), "with": Inserts(dialect, AuditTrail(dialect))}
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, inserts in kinds.items():
            rows = [rows_of(record()) for _ in range(SAVES)]

            def work(connection: Connection, inserts: Inserts = inserts, rows: list = rows) -> float:  # type: ignore[type-arg]
                begun = time.thread_time()
                for one in rows:
                    inserts.write(connection, [one])
                return (time.thread_time() - begun) / SAVES * 1e6

            taken[name].append(await store.database.write(work))
    await store.close()
    middle = {f"save {name} entry, us": statistics.median(values) for name, values in taken.items()}
    pairs = zip(taken["with"], taken["without"], strict=True)
    return {**middle, "entry, us": statistics.median(one - other for one, other in pairs)}


def packing() -> float:
    members = tuple(MemberSpec(f"m{i}") for i in range(12))
    plan = make_plan(EnsembleSpec("bench", members), Options(), CHOICES)
    consensus = RunningConsensus(Question("q", "Will it rain?"), plan, None)
    matrix, _ = consensus.pool()
    matrix.probabilities[:] = np.random.default_rng(1).dirichlet([1, 1], 12)
    return per_call_us(lambda: consensus.computation(matrix))


def per_call_us(call: Callable[[], object], calls: int = 5_000) -> float:
    call()
    best = []
    for _ in range(7):
        begun = time.thread_time()
        for _ in range(calls):
            call()
        best.append((time.thread_time() - begun) / calls * 1e6)
    return statistics.median(best)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(saves(Path(folder)))
    results["computation of 12 members for the record, us"] = packing()
    for name, value in results.items():
        print(f"{name:48} {value:8.1f}")
    print(write("audit", "python -m benchmarks.storage.audit", results))


if __name__ == "__main__":
    main()
