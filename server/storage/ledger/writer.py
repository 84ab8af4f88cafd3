# SPDX-License-Identifier: Apache-2.0
"""Gathers what is to be written to the ledger into one transaction, so that many share one sync.

What somebody waits for is written at once. What nobody waits for lies for a
moment, so that the answer's own record gets to the disk first; it goes along
with whatever is written sooner. It is never lost while the process lives: a
transaction that fails is repeated until it succeeds.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from server.forecasting.money import LedgerError
from server.storage.database import cause_of
from server.storage.ledger.entries import Operation
from server.storage.ledger.post import Posted

log = structlog.get_logger(__name__)

#: How long an operation lies that nobody waits for.
LINGER_S = 0.02
#: Operations in one transaction at most.
BATCH = 1_000
#: Operations that may wait; more are refused, so that a disk that hangs does not fill memory.
QUEUE = 20_000
#: Waits between attempts of what must be written, first and longest.
RETRY_S = (0.05, 2.0)
#: Errors that an operation brings upon itself: repeating it is in vain.
_AT_FAULT = (DataError, IntegrityError, OverflowError, TypeError, ValueError)

Post = Callable[[Sequence[Operation], bool], Awaitable[Posted]]


class Waiting(NamedTuple):
    """An operation, and the future of the one who waits for it, if anybody does."""

    operation: Operation
    future: "asyncio.Future[Any] | None"


class LedgerWriter:
    """The only writer of this process. Lives on the event loop that made it."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._queue: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="ledger-writer")

    @property
    def is_taking(self) -> bool:
        """Whether there is room for more."""
        return not self._closing and len(self._queue) < QUEUE

    async def do(self, operation: Operation) -> Any:
        """Write an operation now and return its result. Carried out even if the caller is cancelled.

        Raises:
            LedgerError: it was not written.
        """
        if not self.is_taking:
            raise LedgerError("the ledger is closed" if self._closing else "too much waits for the ledger")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(operation, future))
        self._wake.set()
        return await future

    def do_soon(self, operation: Operation) -> None:
        """Write an operation within moments; repeated until it is written."""
        if self._task.done():
            log.error("ledger.closed", operation=repr(operation))
            return
        self._queue.append(Waiting(operation, None))
        if self._timer is None and not self._wake.is_set():
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._wake.set)

    async def close(self) -> None:
        """Take nothing more that is waited for, and write what is queued."""
        self._closing = True
        self._wake.set()
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        while self._queue or not self._closing:
            if not self._closing:
                await self._wake.wait()
            self._wake.clear()
            self._cancel_timer()
            while self._queue:
                await self._write(self._take())

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take(self) -> list[Waiting]:
        return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]

    async def _write(self, batch: list[Waiting]) -> None:
        error = await self._try(batch, repeated=False)
        if error is not None:
            # Whose fault it was is found by writing each alone.
            log.warning("ledger.write_failed", operations=len(batch), error=str(cause_of(error)))
            for waiting in batch:
                await self._write_alone(waiting)

    async def _write_alone(self, waiting: Waiting) -> None:
        """Once for one who waits; else again and again, unless the operation itself is at fault."""
        pause_s = RETRY_S[0]
        while (error := await self._try([waiting], repeated=True)) is not None:
            if waiting.future is not None:
                _fail(waiting.future, error)
                return
            if isinstance(error, _AT_FAULT) or self._closing:
                log.error("ledger.not_written", operation=repr(waiting.operation), error=str(cause_of(error)))
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_S[1])

    async def _try(self, batch: list[Waiting], *, repeated: bool) -> Exception | None:
        try:
            posted = await self._post([waiting.operation for waiting in batch], repeated)
        except Exception as error:  # noqa: BLE001 - the batch has failed, the writer goes on
            return error
        for waiting, result in zip(batch, posted.results, strict=True):
            if waiting.future is not None and not waiting.future.done():
                waiting.future.set_result(result)
        return None


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(LedgerError(f"the ledger cannot be written: {cause_of(error)}"))
