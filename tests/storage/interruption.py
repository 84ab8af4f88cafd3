# SPDX-License-Identifier: Apache-2.0
"""What another server does between two statements of this one, on PostgreSQL."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.util import await_only

from server.storage.store import SqlPredictionStore

_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


class Interruption:
    """Another server works before a statement: to its end, or until it waits for this one to commit.

    The statement is the ``at``-th that ``store`` writes with ``before`` in it.
    """

    def __init__(
        self,
        store: SqlPredictionStore,
        act: Callable[[], Coroutine[Any, Any, Any]],
        before: str = "",
        at: int = 1,
    ) -> None:
        self._store = store
        self._act = act
        self._before = before
        self._left = at
        self._task: asyncio.Task[Any] | None = None
        engine = store.database._writing.sync_engine  # type: ignore[attr-defined]
        event.listen(engine, "before_cursor_execute", self._look)

    async def result(self) -> Any:
        """What came of the other's work; fails where there was no such statement."""
        assert self._task is not None
        return await self._task

    def _look(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if self._before in statement:
            self._left -= 1
            if self._left == 0:
                await_only(self._interrupt())

    async def _interrupt(self) -> None:
        self._task = asyncio.create_task(self._act())
        while not self._task.done() and not await self._store.database.read(_waiting):  # noqa: ASYNC110
            await asyncio.sleep(0)


def _waiting(connection: Connection) -> int:
    return int(connection.scalar(_WAITING) or 0)
