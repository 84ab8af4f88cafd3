# SPDX-License-Identifier: Apache-2.0
"""Threads that do blocking work, one hop away from the event loop.

Daemon threads, on purpose: a disk that never answers must not keep the process
from ending.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from server.storage.errors import StorageError

Result = TypeVar("Result")
Job = tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]]


class Lane:
    """One or more threads that take jobs in the order in which they came."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._stopped = False
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=_work, args=(self._jobs,), name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[[], Result]) -> asyncio.Future[Result]:
        """Queue a job; it runs even if nobody waits for it any more.

        Raises:
            StorageError: the lane has been stopped.
        """
        if self._stopped:
            msg = "the store is closed"
            raise StorageError(msg)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._jobs.put((loop, future, function))
        return future

    def stop(self) -> None:
        """End the threads after the jobs that are queued."""
        self._stopped = True
        for _ in self._threads:
            self._jobs.put(None)


def _work(jobs: SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        loop, future, function = job
        try:
            settle = partial(_settle, future, function(), None)
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who waits
            settle = partial(_settle, future, None, error)
        del job
        _tell(loop, settle)


def _tell(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop was closed meanwhile: nobody is left to hear it
        return


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
