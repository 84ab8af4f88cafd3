# SPDX-License-Identifier: Apache-2.0
"""What another server does between two statements of this one."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.util import await_only

from server.storage.database import Database

_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


class Interruption:
    """Another server works before a statement: to its end, or until it waits for this one to commit.

    The statement is the ``at``-th of the database with ``before`` in it, where it reads or where
    it writes; in SQLite nobody else writes then.
    """

    def __init__(
        self,
        database: Database,
        act: Callable[[], Coroutine[Any, Any, Any]],
        before: str = "",
        at: int = 1,
        reading: bool = False,
    ) -> None:
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._act = act
        self._before = before
        self._left = at
        self._task: asyncio.Task[Any] | None = None
        engine = getattr(database, "_reading" if reading else "_writing")
        event.listen(getattr(engine, "sync_engine", engine), "before_cursor_execute", self._look)

    async def result(self) -> Any:
        """What came of the other's work; fails where there was no such statement."""
        assert self._task is not None
        return await self._task

    def _look(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if self._before in statement:
            self._left -= 1
            if self._left == 0:
                self._wait(self._interrupt())

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        if self._database.dialect.is_async:
            await_only(work)
        else:  # this is a thread
            asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _interrupt(self) -> None:
        self._task = asyncio.create_task(self._act())
        while not self._task.done() and not await self._database.read(_waiting):  # noqa: ASYNC110
            await asyncio.sleep(0)


def _waiting(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql" and bool(connection.scalar(_WAITING))
