# SPDX-License-Identifier: Apache-2.0
"""The outcome store that the server uses, in the predictions' database."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, delete, insert, select

from server.forecasting.errors import RecordError
from server.forecasting.outcomes import Case, InForce, Recorded, unfit
from server.forecasting.question import Resolution
from server.storage import locks
from server.storage.audit.entries import OUTCOME, event
from server.storage.audit.trail import AuditTrail
from server.storage.database import FAULTS, Database, cause_of
from server.storage.outcomes import cases, versions
from server.storage.outcomes.scoring import score
from server.storage.outcomes.tables import learning_snapshots
from server.storage.reading import read
from server.storage.records import microseconds

Result = TypeVar("Result")


class SqlOutcomeStore:
    """An ``OutcomeStore``; the database is closed by the prediction store that opened it."""

    def __init__(self, database: Database, trail: AuditTrail) -> None:
        self._database = database
        self._trail = trail

    async def record(
        self, resolutions: Sequence[Resolution], now: datetime, actor: str = ""
    ) -> Sequence[Recorded]:
        """See ``OutcomeStore``."""
        work = partial(
            _record, trail=self._trail, resolutions=resolutions, now_us=microseconds(now), actor=actor
        )
        try:
            return await self._database.write(work)
        except FAULTS as error:
            msg = f"the outcomes are not on disk: {cause_of(error)}"
            raise RecordError(msg) from error

    async def last_sequence(self) -> int:
        """See ``OutcomeStore``."""
        return await self._read(versions.last_sequence)

    async def outcomes(self, after: int = 0) -> Sequence[InForce]:
        """See ``OutcomeStore``."""
        return await self._read(partial(versions.changed_after, sequence=after))

    async def judged(self, question_ids: Sequence[str]) -> Sequence[Case]:
        """See ``OutcomeStore``."""
        return await self._read(partial(cases.judged, question_ids=question_ids))

    async def answered(self, prediction_ids: Sequence[str]) -> Sequence[Case]:
        """See ``OutcomeStore``."""
        return await self._read(partial(cases.named, prediction_ids=prediction_ids))

    async def ids_since(self, since_us: int) -> Sequence[tuple[str, int]]:
        """See ``OutcomeStore``."""
        return await self._read(partial(cases.ids_since, since_us=since_us))

    async def load(self, writer: str) -> tuple[int, int, bytes] | None:
        """See ``OutcomeStore``."""
        return await self._read(partial(_load, writer=writer))

    async def keep(self, writer: str, sequence: int, time_us: int, state: bytes) -> None:
        """See ``OutcomeStore``."""
        work = partial(_keep, writer=writer, sequence=sequence, time_us=time_us, state=state)
        try:
            await self._database.write(work)
        except FAULTS as error:
            raise RecordError(f"the snapshot is not on disk: {cause_of(error)}") from error

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        return await read(self._database, work, "the outcomes")


def _record(
    connection: Connection, trail: AuditTrail, resolutions: Sequence[Resolution], now_us: int, actor: str
) -> list[Recorded]:
    with trail.transaction(connection) as append:
        locks.take(connection, locks.Lock.JUDGING)
        ids = list(dict.fromkeys(each.question_id for each in resolutions))
        before = versions.in_force(connection, ids)
        results, news = _numbered(resolutions, before, cases.asked(connection, ids))
        first = versions.last_sequence(connection) + 1
        added = versions.add(connection, list(enumerate(news, first)), now_us)
        if added:
            append([event(OUTCOME, row["question_id"], actor, row) for row in added])
        refused = {each.question_id for each in results if each.error}
        judged = versions.in_force(
            connection, [name for name in ids if name not in refused or name in before]
        )
        scored = score(connection, judged)
        return [_with_scores(each, scored) for each in results]


def _numbered(
    resolutions: Sequence[Resolution],
    before: dict[str, InForce],
    asked: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]],
) -> tuple[list[Recorded], list[Resolution]]:
    """What becomes of each, and the new versions in their order."""
    present = dict(before)
    results: list[Recorded] = []
    news: list[Resolution] = []
    for each in resolutions:
        known = present.get(each.question_id)
        one = unfit(each, asked.get(each.question_id, ())) or versions.numbered(each, known)
        if isinstance(one, str):
            results.append(Recorded(each.question_id, known.version if known else 0, error=one))
            continue
        changed = known is None or one is not known.resolution
        results.append(Recorded(each.question_id, one.version, changed=changed))
        if changed:
            news.append(one)
            present[each.question_id] = InForce(each.question_id, one.version, 0, 0, one)
    return results, news


def _with_scores(result: Recorded, scored: dict[str, int]) -> Recorded:
    """The scores go to the first result of a question that was not refused."""
    if result.error:
        return result
    return Recorded(
        result.question_id, result.version, scored.pop(result.question_id, 0), changed=result.changed
    )


def _load(connection: Connection, writer: str) -> tuple[int, int, bytes] | None:
    columns = learning_snapshots.c
    row = connection.execute(
        select(columns.sequence, columns.time_us, columns.state).where(columns.writer == writer)
    ).one_or_none()
    return None if row is None else (row.sequence, row.time_us, row.state)


def _keep(connection: Connection, writer: str, sequence: int, time_us: int, state: bytes) -> None:
    with connection.begin():
        locks.take(connection, locks.Lock.SNAPSHOT)
        connection.execute(delete(learning_snapshots))
        connection.execute(
            insert(learning_snapshots).values(writer=writer, sequence=sequence, time_us=time_us, state=state)
        )
