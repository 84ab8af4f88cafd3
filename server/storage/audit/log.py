# SPDX-License-Identifier: Apache-2.0
"""The audit log as the rest of the server sees it: note what happened, sign now and then."""

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog
from sqlalchemy import Connection

from server.forecasting.errors import RecordError
from server.storage.audit.checkpoints import keep, signed
from server.storage.audit.entries import event
from server.storage.audit.keys import KeyReference
from server.storage.audit.trail import AuditTrail
from server.storage.database import FAULTS, Database, cause_of
from server.storage.errors import StorageError

log = structlog.get_logger(__name__)


class SqlAuditLog:
    """An ``AuditLog`` in the predictions' database."""

    def __init__(self, database: Database, trail: AuditTrail, key: KeyReference, every_s: float) -> None:
        self._database = database
        self._trail = trail
        self._key = key
        self._every_s = every_s
        self._signed_number = 0
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._sign_now_and_then(), name="audit-checkpoints")

    async def note(self, kind: str, subject: str, actor: str, content: Mapping[str, object]) -> None:
        """Write an entry; return once it is on disk.

        Raises:
            RecordError: it is not.
        """
        what = event(kind, subject, actor, content)

        def work(connection: Connection) -> None:
            with self._trail.transaction(connection) as append:
                append([what])

        try:
            await self._database.write(work)
        except (*FAULTS, StorageError) as error:
            raise RecordError(f"the audit log cannot be written: {cause_of(error)}") from error

    async def checkpoint(self) -> None:
        """Sign how far this process's chain has come, if it has moved.

        Raises:
            StorageError: there is no usable key.
            OSError, SQLAlchemyError: it cannot be written.
        """
        head = self._trail.head
        if head is None or head.number == self._signed_number:
            return
        key = await asyncio.to_thread(self._key.open)
        made = signed({self._trail.writer: head}, key)
        await self._database.write(partial(keep, writer=self._trail.writer, checkpoint=made))
        self._signed_number = head.number

    async def close(self) -> None:
        """Sign once more. To be closed before the store."""
        self._closing.set()
        await self._task

    async def _sign_now_and_then(self) -> None:
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(self._every_s):
                    await self._closing.wait()
            except TimeoutError:
                pass
            await self._try_to_sign()

    async def _try_to_sign(self) -> None:
        try:
            await self.checkpoint()
        except (*FAULTS, StorageError) as error:
            log.error("audit.not_signed", error=str(cause_of(error)))
