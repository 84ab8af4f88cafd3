# SPDX-License-Identifier: Apache-2.0
"""A process that saves and says what became of each record: one line each, as soon as it knows.

Run as ``python -m tests.storage.saving_process URL``; one command a line on
standard input, ``done`` after each:

    save N            N records at once, and wait
    save-within S N   the same, each caller giving up after S seconds
    forever           16 callers, each saving one record after another
    leave             end without closing the store
"""

import asyncio
import sys

import structlog

from server.forecasting.errors import RecordError
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage.samples import record


def say(*words: str) -> None:
    """A whole line, past every buffer of ours."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def save(store: SqlPredictionStore, within_s: float | None = None) -> None:
    """Save one record."""
    stored = record()
    try:
        async with asyncio.timeout(within_s):
            await store.save(stored)
    except TimeoutError:
        say("late", stored.prediction.id)
    except RecordError:
        say("failed", stored.prediction.id)
    else:
        say("saved", stored.prediction.id)


async def forever(store: SqlPredictionStore) -> None:
    """Save until the end."""
    while True:
        await save(store)


async def obey(store: SqlPredictionStore, command: str) -> None:
    """Carry out one line."""
    match command.split():
        case ["save", count]:
            await asyncio.gather(*(save(store) for _ in range(int(count))))
        case ["save-within", seconds, count]:
            await asyncio.gather(*(save(store, float(seconds)) for _ in range(int(count))))
        case ["forever"]:
            await asyncio.gather(*(forever(store) for _ in range(16)))


async def main(url: str) -> None:
    """Obey until told to leave."""
    store = await open_store(StorageSettings(url=url))
    say("ready")
    while (command := await asyncio.to_thread(sys.stdin.readline)) != "leave\n":
        await obey(store, command)
        say("done")


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(sys.argv[1]))
