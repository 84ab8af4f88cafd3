# SPDX-License-Identifier: Apache-2.0
"""SQLite in one file: write-ahead log, full sync, one writer, a few readers.

All of a transaction runs in one hop to a thread of our own. A driver that hops
for every statement costs more than the transaction itself (see ADR 0004).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from server.storage.database import FAULTS, cause_of
from server.storage.errors import StorageError
from server.storage.files import fill_with_zeros, make_folder
from server.storage.lanes import Lane
from server.storage.settings import StorageSettings

Result = TypeVar("Result")
log = structlog.get_logger(__name__)

#: The log is laid out in advance: a sync that makes a file longer costs twice one that does not.
LOG_BYTES = 8 << 20
#: Changed rows after which the log is copied into the database: about half of LOG_BYTES.
CHECKPOINT_CHANGES = 1000
#: Pages of log at which SQLite itself steps in, where the writer never rests.
AUTOMATIC_CHECKPOINT_PAGES = 8192


class SqliteDatabase:
    """A ``Database``: one writing thread with its connection, a few reading ones."""

    def __init__(self, path: Path, settings: StorageSettings) -> None:
        self._path = path
        url = URL.create("sqlite+pysqlite", database=str(path))
        driver = {"timeout": settings.lock_timeout_s, "check_same_thread": False, "isolation_level": None}
        self._writing = create_engine(url, connect_args=driver)
        self._reading = create_engine(
            url,
            connect_args=driver,
            poolclass=QueuePool,
            pool_size=settings.readers,
            max_overflow=0,
            isolation_level="AUTOCOMMIT",
        )
        event.listen(self._writing, "connect", _prepare_writer)
        event.listen(self._writing, "begin", _begin_immediate)
        event.listen(self._reading, "connect", _prepare_reader)
        self._writer = Lane("storage-writer")
        self._readers = Lane("storage-reader", settings.readers)
        self._connection: Connection | None = None
        self._changes_copied = 0

    @property
    def dialect(self) -> Dialect:
        """SQLite's."""
        return self._writing.dialect

    async def open(self) -> None:
        """Make the folder and the file where they are missing, and take the writing connection.

        Raises:
            StorageError: that cannot be done; names ``storage.url`` and the mend.
        """
        try:
            await self._writer.submit(self._connect)
        except StorageError:
            await self.close()
            raise
        except FAULTS as error:
            await self.close()
            raise _unusable(self._path, error) from error

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run work on the writing connection."""
        result, log_is_long = await self._writer.submit(partial(self._work, work))
        if log_is_long:
            self._writer.submit(self._checkpoint)
        return result

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run work on a reading connection."""
        return await self._readers.submit(partial(_with_connection, self._reading, work))

    async def close(self) -> None:
        """Close the file; the last one to do so removes the log."""
        await self._readers.submit(self._reading.dispose)
        await self._writer.submit(self._disconnect)
        self._readers.stop()
        self._writer.stop()

    def _connect(self) -> None:
        make_folder(self._path.parent)
        self._connection = self._writing.connect()
        with self._connection.begin():
            # Under the write lock, so that no other process adds to the log meanwhile.
            fill_with_zeros(Path(f"{self._path.resolve()}-wal"), LOG_BYTES)

    def _work(self, work: Callable[[Connection], Result]) -> tuple[Result, bool]:
        connection = self._open_connection()
        try:
            result = work(connection)
        except BaseException:  # a commit that failed may have left its transaction open
            connection.rollback()  # for SQLAlchemy, which takes a commit that failed for done
            _driver(connection).rollback()
            raise
        connection.rollback()  # nothing, unless the work left a transaction of its own open
        return result, self._changes() - self._changes_copied >= CHECKPOINT_CHANGES

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._writing.dispose()

    def _checkpoint(self) -> None:
        """Copy the log into the database, so that it starts over; after a batch has been released."""
        self._changes_copied = self._changes()
        try:
            _driver(self._open_connection()).execute("PRAGMA wal_checkpoint(PASSIVE)").close()
        except Exception as error:  # noqa: BLE001 - the log keeps everything; the next attempt copies it
            log.warning("storage.checkpoint_failed", error=str(error))

    def _changes(self) -> int:
        changes: int = _driver(self._open_connection()).total_changes
        return changes

    def _open_connection(self) -> Connection:
        if self._connection is None:
            msg = "the database is not open"
            raise StorageError(msg)
        return self._connection


def _with_connection(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    with engine.connect() as connection:
        return work(connection)


def _driver(connection: Connection) -> Any:
    """The ``sqlite3.Connection`` itself."""
    return connection.connection.driver_connection


def _prepare_writer(driver: Any, _record: object) -> None:
    mode = driver.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        msg = f"storage.url: this file system cannot hold SQLite's log (mode {mode}); name a local folder"
        raise StorageError(msg)
    driver.execute("PRAGMA synchronous = FULL")
    driver.execute("PRAGMA fullfsync = ON")  # macOS: past the drive's own cache
    driver.execute("PRAGMA checkpoint_fullfsync = ON")
    driver.execute("PRAGMA foreign_keys = ON")
    driver.execute(f"PRAGMA wal_autocheckpoint = {AUTOMATIC_CHECKPOINT_PAGES}")


def _prepare_reader(driver: Any, _record: object) -> None:
    driver.execute("PRAGMA query_only = ON")


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a lock that is upgraded later can fail half-way."""
    _driver(connection).execute("BEGIN IMMEDIATE")


def _unusable(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"storage.url: {path} cannot be used ({cause_of(error)}); "
        "name a file that this user may write, for example sqlite:///var/consilience.db"
    )
