# SPDX-License-Identifier: Apache-2.0
"""Erases stored questions and answers, by policy and on request, and leaves the chain whole.

What is left of a prediction is its entry (an id and a digest of salted content)
and an entry that says who erased it and why.
"""

from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import ColumnElement, Connection, delete, select, true

from server.forecasting.errors import RecordError
from server.storage import locks
from server.storage.audit.entries import ERASURE, event
from server.storage.audit.trail import AuditTrail
from server.storage.database import FAULTS, Database, cause_of
from server.storage.errors import StorageError
from server.storage.tables import predictions

log = structlog.get_logger(__name__)

#: Predictions in one transaction, so that answers need not wait long for theirs.
BATCH = 200


class Eraser:
    """Erases predictions with their members' answers."""

    def __init__(self, database: Database, trail: AuditTrail) -> None:
        self._database = database
        self._trail = trail

    async def erase(
        self, actor: str, reason: str, *, question_id: str = "", before_us: int | None = None
    ) -> int:
        """Erase those of a question, those made before an instant, or those that are both; say how many.

        Raises:
            ValueError: neither is given.
            RecordError: not all of them could be erased.
        """
        if not question_id and before_us is None:
            raise ValueError("name a question, an instant or both")
        meant = true() if before_us is None else predictions.c.create_time_us < before_us
        if question_id:
            meant = meant & (predictions.c.question_id == question_id)
        work = partial(self._erase_some, meant=meant, actor=actor, reason=reason)
        erased = 0
        try:
            while count := await self._database.write(work):
                erased += count
        except (*FAULTS, StorageError) as error:
            raise RecordError(f"erased {erased} predictions, then failed: {cause_of(error)}") from error
        return erased

    def _erase_some(self, connection: Connection, meant: ColumnElement[bool], actor: str, reason: str) -> int:
        with self._trail.transaction(connection) as append:
            locks.take(connection, locks.Lock.JUDGING)
            query = select(predictions.c.id).where(meant).order_by(predictions.c.create_time_us).limit(BATCH)
            ids: Sequence[str] = connection.execute(query).scalars().all()
            if ids:
                connection.execute(delete(predictions).where(predictions.c.id.in_(ids)))
                append([event(ERASURE, "", actor, {"predictions": list(ids), "reason": reason})])
        return len(ids)
