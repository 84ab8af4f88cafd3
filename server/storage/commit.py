# SPDX-License-Identifier: Apache-2.0
"""Gathers concurrent saves into one transaction, so that they share one sync of the disk.

While one batch is being written the next one gathers; nobody waits for a batch
to fill. A record is accepted or refused at once; after that it will be written
whatever becomes of its caller, and the caller is released when it is on disk.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog

from server.forecasting.errors import RecordError
from server.storage.inserts import Outcome, refused
from server.storage.records import Rows

log = structlog.get_logger(__name__)

WriteBatch = Callable[[Sequence[Rows]], Awaitable[Sequence[Outcome]]]


class Waiting(NamedTuple):
    """A record in the queue and the future of the one who waits for it."""

    rows: Rows
    future: asyncio.Future[None]


def _request(waiting: Waiting) -> tuple[str, str]:
    row = waiting.rows.prediction
    return row.caller, row.request_id


class GroupCommit:
    """The only writer. Lives on the event loop that made it."""

    def __init__(
        self, write: WriteBatch, *, queue_records: int, queue_bytes: int, batch_records: int
    ) -> None:
        self._write = write
        self._queue_records = queue_records
        self._queue_bytes = queue_bytes
        self._batch_records = batch_records
        self._queue: deque[Waiting] = deque()
        self._records = 0
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="storage-writer")

    @property
    def pending(self) -> int:
        """Records accepted that are not on disk yet."""
        return self._records

    async def save(self, rows: Rows) -> None:
        """Return once the rows are on disk.

        Raises:
            RecordError: they are not; ConflictError: they contradict what is there.
        """
        self._refuse_if_full(rows)
        waiting = Waiting(rows, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._count(waiting, +1)
        self._wake.set()
        await waiting.future

    async def close(self) -> None:
        """Refuse new records and return when those accepted have been written or have failed."""
        self._closing = True
        self._wake.set()
        await asyncio.shield(self._task)

    def _refuse_if_full(self, rows: Rows) -> None:
        if self._closing:
            msg = "the store is closed"
            raise RecordError(msg)
        full = self._records >= self._queue_records
        if full or (self._records and self._bytes + rows.size > self._queue_bytes):
            msg = (
                f"{self._records} records wait for the disk, which is all that "
                "storage.queue_records and storage.queue_mib allow"
            )
            raise RecordError(msg)

    def _count(self, waiting: Waiting, sign: int) -> None:
        self._records += sign
        self._bytes += sign * waiting.rows.size

    async def _run(self) -> None:
        while self._queue or not self._closing:
            if self._queue:
                await self._commit(self._take())
            else:
                self._wake.clear()
                await self._wake.wait()

    def _take(self) -> list[Waiting]:
        """The next batch, in the order that all servers keep.

        On PostgreSQL a row waits for another server's of the same request. Two batches that
        wait for each other would fail.
        """
        taken = [self._queue.popleft() for _ in range(min(len(self._queue), self._batch_records))]
        return sorted(taken, key=_request)

    async def _commit(self, batch: list[Waiting]) -> None:
        try:
            outcomes = await self._write([waiting.rows for waiting in batch])
        except Exception as error:  # noqa: BLE001 - the batch has failed, the writer goes on
            outcomes = [refused(waiting.rows.prediction, error) for waiting in batch]
            log.warning("storage.commit_failed", records=len(batch), error=str(error))
        for waiting, outcome in zip(batch, outcomes, strict=True):
            self._release(waiting, outcome)

    def _release(self, waiting: Waiting, outcome: Outcome) -> None:
        self._count(waiting, -1)
        if waiting.future.done():
            if outcome is not None:
                log.warning("storage.unheard_failure", id=waiting.rows.prediction.id, error=str(outcome))
        elif outcome is None:
            waiting.future.set_result(None)
        else:
            waiting.future.set_exception(outcome)
