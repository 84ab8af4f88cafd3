# SPDX-License-Identifier: Apache-2.0
"""What the store adds to the disk: a lone save beside a bare sync, many saves at once, reads.

A record of 12 members, about 9 kB of document. The bare sync overwrites as many
bytes of a file that has them already, which is the least that any log can do;
the kinds take turns, so drift hits all of them.

    python -m benchmarks.storage.saves                      SQLite in ``--folder``
    python -m benchmarks.storage.saves --url env:POSTGRES   the same on PostgreSQL
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.reporting import quantiles, write
from server.storage.records import rows_of
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage.samples import record

CALLS = 1000
CROWD, CROWD_ROUNDS = 256, 8
SYNC_BYTES, FILE_BYTES = 40_960, 8 << 20
COMMAND = "python -m benchmarks.storage.saves"


class BareSync:
    """A file that is long enough already, and one sync after each write."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        os.write(self.descriptor, bytes(FILE_BYTES))
        os.fsync(self.descriptor)
        self.offset = 0

    async def __call__(self) -> None:
        """Write the next bytes and sync them."""
        self.offset = (self.offset + SYNC_BYTES) % (FILE_BYTES - SYNC_BYTES)
        os.pwrite(self.descriptor, os.urandom(SYNC_BYTES), self.offset)
        os.fdatasync(self.descriptor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a database instead of a new SQLite file")
    parser.add_argument("--folder", type=Path, help="where to put the file; a temporary folder by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        results = uvloop.run(measure(Path(folder), arguments.url or f"sqlite:///{folder}/saves.db"))
    for name, figures in results.items():
        print(f"{name:24} " + "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    print(write("storage_postgres" if arguments.url else "storage", COMMAND, results))


async def measure(folder: Path, url: str) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of call; saves a second of the crowd."""
    store = await open_store(StorageSettings(url=url))
    known = record(caller="known", request_id=os.urandom(8).hex())
    await store.save(known)
    unsaved = [record() for _ in range(CALLS)]
    kinds: dict[str, Callable[[], Awaitable[Any]]] = {
        "bare sync": BareSync(folder / "bare"),
        "save alone": lambda: store.save(unsaved.pop()),
        "encode": lambda: _nothing(rows_of(known)),
        "get": lambda: store.get(known.prediction.id),
        "find_request, none": lambda: store.find_request("known", "nothing"),
    }
    taken = await take_turns(kinds)
    results = {name: quantiles(milliseconds) for name, milliseconds in taken.items()}
    results["save less bare sync"] = {
        key: results["save alone"][key] - results["bare sync"][key] for key in ("min", "p50")
    }
    results[f"{CROWD} at once"] = {"saves_per_s": await crowd(store)}
    await store.close()
    return results


async def take_turns(kinds: dict[str, Callable[[], Awaitable[Any]]]) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(CALLS):
        for name, call in kinds.items():
            begun = time.perf_counter()
            await call()
            taken[name].append((time.perf_counter() - begun) * 1e3)
    return taken


async def crowd(store: SqlPredictionStore) -> float:
    """Saves a second where many wait for the same sync."""
    begun = time.perf_counter()
    for _ in range(CROWD_ROUNDS):
        await asyncio.gather(*(store.save(record()) for _ in range(CROWD)))
    return CROWD * CROWD_ROUNDS / (time.perf_counter() - begun)


async def _nothing(_: object) -> None:
    return None


if __name__ == "__main__":
    main()
