# SPDX-License-Identifier: Apache-2.0
"""Versions of outcomes: what is new, what is known already, what cannot be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from server.forecasting.outcomes import InForce
from server.forecasting.question import Resolution
from server.storage.outcomes.tables import outcomes
from server.storage.records import EPOCH, microseconds

#: Ids in one statement.
CHUNK = 500

_RESULTS = ("outcome", "fraction", "value")
_LAST = select(func.coalesce(func.max(outcomes.c.sequence), 0))


def last_sequence(connection: Connection) -> int:
    """Of the last change."""
    return int(connection.scalar(_LAST) or 0)


def in_force(connection: Connection, question_ids: Sequence[str]) -> dict[str, InForce]:
    """The highest version of each of these questions that has one."""
    found: dict[str, InForce] = {}
    for chunk in chunks(question_ids):
        query = select(outcomes).where(outcomes.c.question_id.in_(chunk)).order_by(outcomes.c.version)
        found.update((row.question_id, _read(row)) for row in connection.execute(query))
    return found


def changed_after(connection: Connection, sequence: int) -> list[InForce]:
    """Those in force that changed after a sequence, in its order."""
    later = outcomes.alias()
    newer = select(later.c.version).where(
        later.c.question_id == outcomes.c.question_id, later.c.version > outcomes.c.version
    )
    query: Select[tuple[object, ...]] = (
        select(outcomes).where(outcomes.c.sequence > sequence, ~newer.exists()).order_by(outcomes.c.sequence)
    )
    return [_read(row) for row in connection.execute(query)]


def numbered(new: Resolution, present: InForce | None) -> Resolution | str:
    """The resolution with its version; the present one where it is known already; or what is wrong."""
    if present is None:
        return (
            "there is no earlier outcome to retract"
            if new.retracted
            else replace(new, version=new.version or 1)
        )
    if _same(new, present.resolution):
        return present.resolution
    if new.version and new.version <= present.version:
        return f"version {present.version} is in force and says otherwise; give a larger version, or none"
    return replace(new, version=new.version or present.version + 1)


def add(connection: Connection, news: Iterable[tuple[int, Resolution]], now_us: int) -> list[dict[str, Any]]:
    """Insert versions with their sequences; the rows."""
    rows: list[dict[str, Any]] = [
        {
            "sequence": sequence,
            "question_id": each.question_id,
            "version": each.version,
            **_result(each),
            "event_time_us": None if each.event_time is None else microseconds(each.event_time),
            "known_time_us": microseconds(each.known_time),
            "record_time_us": now_us,
        }
        for sequence, each in news
    ]
    if rows:
        connection.execute(insert(outcomes), rows)
    return rows


def chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """At most CHUNK at a time."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def _same(new: Resolution, present: Resolution) -> bool:
    """Whether it says the same; to learn later what is known already says nothing new."""
    same = (*_result(new).values(), new.version or present.version) == (
        *_result(present).values(),
        present.version,
    )
    return same and new.known_time >= present.known_time and new.event_time in (None, present.event_time)


def _result(resolution: Resolution) -> Mapping[str, object]:
    if resolution.annulled or resolution.retracted:
        name = "annulled" if resolution.annulled else "retracted"
        return {"result": name, "outcome": None, "number": None}
    for name in _RESULTS[1:]:
        if (value := getattr(resolution, name)) is not None:
            return {"result": name, "outcome": None, "number": float(value)}
    return {"result": "outcome", "outcome": resolution.outcome, "number": None}


def _read(row: Row[tuple[object, ...]]) -> InForce:
    resolution = Resolution(
        question_id=row.question_id,
        known_time=EPOCH + timedelta(microseconds=row.known_time_us),
        outcome=row.outcome,
        fraction=row.number if row.result == "fraction" else None,
        value=row.number if row.result == "value" else None,
        annulled=row.result == "annulled",
        retracted=row.result == "retracted",
        event_time=None if row.event_time_us is None else EPOCH + timedelta(microseconds=row.event_time_us),
        version=row.version,
    )
    return InForce(row.question_id, row.version, row.sequence, row.known_time_us, resolution)
