# SPDX-License-Identifier: Apache-2.0
"""The prediction store that the server uses."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from server.forecasting.prediction import PredictionRecord
from server.storage import queries
from server.storage.audit.trail import AuditTrail
from server.storage.commit import GroupCommit
from server.storage.database import FAULTS, Database, cause_of
from server.storage.documents import decode
from server.storage.errors import StorageError
from server.storage.inserts import Inserts, Outcome
from server.storage.reading import read
from server.storage.records import Rows, rows_of
from server.storage.schema import upgrade
from server.storage.settings import SQLITE, StorageSettings, resolved_url
from server.storage.sqlite import SqliteDatabase

Result = TypeVar("Result")


class SqlPredictionStore:
    """A ``PredictionStore`` on either database. Used on the event loop that opened it."""

    def __init__(self, database: Database, settings: StorageSettings) -> None:
        self._database = database
        self.trail = AuditTrail(database.dialect)
        self._inserts = Inserts(database.dialect, self.trail)
        self._closed = False
        self._commit = GroupCommit(
            self._write,
            queue_records=settings.queue_records,
            queue_bytes=settings.queue_mib << 20,
            batch_records=settings.batch_records,
        )

    @property
    def database(self) -> Database:
        """For what else is kept there, such as the ledger; closed with the store."""
        return self._database

    @property
    def pending(self) -> int:
        """Records accepted that are not on disk yet."""
        return self._commit.pending

    async def save(self, record: PredictionRecord) -> None:
        """Return once the record is on disk, synced.

        A caller that is cancelled meanwhile takes nothing back: the record is
        written all the same. Saving an equal record again does nothing.

        Raises:
            RecordError: it is not on disk, or too many others wait for the disk.
            ConflictError: another record has its id, or has answered the same
                caller's ``request_id``.
        """
        await self._commit.save(rows_of(record))

    async def get(self, prediction_id: str) -> PredictionRecord | None:
        """The record, or None."""
        text = await self._read(partial(queries.document, prediction_id=prediction_id))
        return None if text is None else decode(text)

    async def find_request(self, caller: str, request_id: str) -> PredictionRecord | None:
        """The answer once given to this caller's request, or None."""
        text = await self._read(partial(queries.document_of_request, caller=caller, request_id=request_id))
        return None if text is None else decode(text)

    async def list(
        self,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        question_id: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[PredictionRecord]:
        """Newest first, at most ``limit``, created in [start, end), strictly before (create_time, id)."""
        query = queries.page(limit, before, question_id, start, end)
        texts = await self._read(partial(queries.documents, query=query))
        return await asyncio.to_thread(_decoded, texts)

    async def close(self) -> None:
        """Refuse new records, write those accepted, let go of the database."""
        await self._commit.close()
        if not self._closed:
            self._closed = True
            await self._database.close()

    async def _write(self, batch: Sequence[Rows]) -> Sequence[Outcome]:
        return await self._database.write(partial(self._inserts.write, batch=batch))

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        if self._closed:
            msg = "the store is closed"
            raise StorageError(msg)
        return await read(self._database, work, "the prediction store")


async def open_store(settings: StorageSettings) -> SqlPredictionStore:
    """Open the database, bring it up to date, and start its writer.

    Raises:
        StorageError: it cannot be opened, or is newer than this code; the
            message names ``storage.url`` and the mend.
    """
    database = await open_database(settings)
    try:
        await database.write(upgrade)
    except FAULTS as error:
        await database.close()
        msg = f"storage.url: the database could not be brought up to date: {cause_of(error)}"
        raise StorageError(msg) from error
    except BaseException:
        await database.close()
        raise
    return SqlPredictionStore(database, settings)


async def open_database(settings: StorageSettings) -> Database:
    """Open the database as it is.

    Raises:
        StorageError: it cannot be opened.
    """
    url = resolved_url(settings)
    if url.drivername == SQLITE:
        sqlite = SqliteDatabase(Path(url.database or ""), settings)
        await sqlite.open()
        return sqlite
    # Loads SQLAlchemy's asynchronous half, a quarter of the time that this room takes to load.
    from server.storage.postgresql import PostgresDatabase  # noqa: PLC0415

    postgres = PostgresDatabase(url, settings)
    await postgres.open()
    return postgres


def _decoded(texts: Sequence[str]) -> list[PredictionRecord]:
    return [decode(text) for text in texts]
