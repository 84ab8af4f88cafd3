# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL through asyncpg, for servers that share one database."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Dialect, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from server.storage.database import FAULTS, cause_of
from server.storage.errors import StorageError
from server.storage.settings import StorageSettings

Result = TypeVar("Result")

#: A machine that vanishes in the middle of a transaction holds its locks for so long. Work pauses
#: between two statements only to compute.
IDLE_MS = 60_000


class PostgresDatabase:
    """A ``Database``: one writing connection and a pool that reads."""

    def __init__(self, url: URL, settings: StorageSettings) -> None:
        self._url = url
        self._writing = _engine(url, settings, connections=1)
        self._reading = _engine(url, settings, connections=settings.readers)
        event.listen(self._writing.sync_engine, "connect", _prepare_writer)
        event.listen(self._writing.sync_engine, "checkout", _refuse_lost)

    @property
    def dialect(self) -> Dialect:
        """PostgreSQL's, as asyncpg takes it."""
        return self._writing.dialect

    async def open(self) -> None:
        """Connect once, and see that the server writes to its disk what it says.

        Raises:
            StorageError: no connection, or a server that does not sync.
        """
        try:
            syncs = await self.read(lambda connection: connection.scalar(text("SHOW fsync")))
        except FAULTS as error:
            await self.close()
            raise _unreachable(self._url, error) from error
        if syncs != "on":
            await self.close()
            msg = f"storage.url: PostgreSQL at {self._url.host} runs with fsync = off; turn it on"
            raise StorageError(msg)

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run work on the writing connection; the engine lends it to one at a time."""
        async with self._writing.connect() as connection:
            return await connection.run_sync(work)

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run work on a reading connection; once more where it turns out that the server has gone."""
        try:
            return await self._run(work)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return await self._run(work)

    async def close(self) -> None:
        """Close all connections."""
        await self._writing.dispose()
        await self._reading.dispose()

    async def _run(self, work: Callable[[Connection], Result]) -> Result:
        async with self._reading.connect() as connection:
            return await connection.run_sync(work)


def _engine(url: URL, settings: StorageSettings, connections: int) -> AsyncEngine:
    try:
        engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=0,
            connect_args={"timeout": settings.connect_timeout_s},
        )
    except ModuleNotFoundError as error:
        msg = f"storage.url: PostgreSQL needs {error.name}; install consilience-server[postgres]"
        raise StorageError(msg) from None
    event.listen(engine.sync_engine, "connect", _read_committed)
    return engine


def _read_committed(driver: Any, _record: object) -> None:
    """Undo a default under which a statement does not see what others committed before it.

    Whoever has waited for a lock would read what was there before its last holder came.
    """
    _run(driver, "SET default_transaction_isolation = 'read committed'")


def _prepare_writer(driver: Any, _record: object) -> None:
    """Undo a default that lets a commit return before its log is on disk; bound what the dead hold."""
    _run(
        driver,
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'",
    )
    _run(driver, f"SET idle_in_transaction_session_timeout = {IDLE_MS}")


def _run(driver: Any, statement: str) -> None:
    cursor = driver.cursor()
    cursor.execute(statement)
    cursor.close()
    driver.commit()


def _refuse_lost(driver: Any, _record: object, _proxy: object) -> None:
    """Have the pool connect anew where the connection is known to be lost; asks nobody."""
    if driver.driver_connection.is_closed():
        raise DisconnectionError


def _unreachable(url: URL, error: Exception) -> StorageError:
    cause = cause_of(error)
    return StorageError(
        f"storage.url: {url.render_as_string(hide_password=True)} cannot be reached "
        f"({type(cause).__name__}: {cause}); start the server, or correct the URL"
    )
