# SPDX-License-Identifier: Apache-2.0
"""Looks at the log from outside of any server: verify, and sign how far it has come."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection

from server.forecasting.prediction import PredictionRecord
from server.storage.audit.checkpoints import parsed, whole
from server.storage.audit.findings import Report
from server.storage.audit.keys import KeyReference
from server.storage.audit.settings import AuditSettings
from server.storage.audit.verify import verify
from server.storage.database import Database
from server.storage.documents import decode
from server.storage.errors import StorageError
from server.storage.queries import document
from server.storage.reading import read
from server.storage.schema import HEAD, current_revision
from server.storage.settings import SQLITE, StorageSettings, resolved_url
from server.storage.store import open_database

Result = TypeVar("Result")


class Auditor:
    """Reads one database; changes nothing in it. An asynchronous context."""

    def __init__(self, storage: StorageSettings, audit: AuditSettings) -> None:
        self._storage = storage
        self._audit = audit
        self._key = KeyReference(audit.key, storage)
        self._database: Database

    async def __aenter__(self) -> Self:
        """Open the database.

        Raises:
            StorageError: there is none, or it was never used by this version.
        """
        await asyncio.to_thread(_want_file, self._storage)
        self._database = await open_database(self._storage)
        revision = await self._database.read(current_revision)
        if revision != HEAD:
            await self._database.close()
            raise StorageError(
                f"storage.url: the database is at migration {revision or 'none'}, not {HEAD}; "
                "start the server of this version once"
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._database.close()

    async def verify(self, anchored: str | None = None) -> Report:
        """Look at everything; ``anchored`` is the text of a checkpoint that was kept elsewhere.

        Raises:
            UnreadableError: the database cannot be read; StorageError: the text is no checkpoint.
        """
        key = await asyncio.to_thread(self._key.open)
        checkpoint = None if anchored is None else parsed(anchored)
        trusted = (key.public, *self._audit.trusted_keys)
        return await self._read(partial(verify, trusted=trusted, anchored=checkpoint))

    async def checkpoint(self) -> str:
        """A signed line about every chain as it is now.

        Raises:
            UnreadableError: the database cannot be read; StorageError: the key cannot.
        """
        key = await asyncio.to_thread(self._key.open)

        def work(connection: Connection) -> str:
            return whole(connection, key).text

        return await self._read(work)

    async def record(self, prediction_id: str) -> PredictionRecord | None:
        """A stored prediction with everything that was sent and said for it; None: there is none.

        Raises:
            UnreadableError: the database cannot be read; StorageError: the record cannot.
        """
        text = await self._read(partial(document, prediction_id=prediction_id))
        return None if text is None else decode(text)

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        return await read(self._database, work, "the audit log")


def _want_file(storage: StorageSettings) -> None:
    """A database that is not there is not made by looking at it."""
    url = resolved_url(storage)
    if url.drivername == SQLITE and not Path(url.database or "").exists():
        raise StorageError(f"storage.url: there is no database at {url.database}")
