# SPDX-License-Identifier: Apache-2.0
"""This process's chain: entries are appended in the transaction of what they are about.

They cost no sync of their own, and neither is on disk without the other.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Table, func, insert, select, update

from server.storage.audit.entries import GENESIS, START, ContentRow, Entry, Event, entry_after, event
from server.storage.audit.tables import audit_contents, audit_entries, audit_writers
from server.storage.tables import predictions

Append = Callable[[Sequence[Event]], None]


class Head(NamedTuple):
    """The last entry of a chain."""

    number: int
    hash: bytes


class AuditTrail:
    """The only writer of its chain; used where the database's writing connection is held."""

    def __init__(self, dialect: Dialect, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self.writer = f"{now_us() // 1000:012x}{secrets.token_hex(6)}"
        self._now_us = now_us
        self._head: Head | None = None
        self._entries_sql = _compiled(audit_entries, Entry._fields, dialect)
        self._contents_sql = _compiled(audit_contents, ContentRow._fields, dialect)
        self._execute = _on_driver if dialect.driver == "pysqlite" else _execute

    @property
    def head(self) -> Head | None:
        """The last entry on disk; None before the first, and while that is not certain."""
        return self._head

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[Append]:
        """A transaction, and the way to append to the chain in it."""
        begun = connection.begin()
        head = self._head
        try:

            def append(events: Sequence[Event]) -> None:
                nonlocal head
                head = self._append(connection, head, events)

            yield append
            begun.commit()
        except BaseException:
            # Whether a commit that failed has come to the disk is for the database to say, next time.
            self._head = None
            begun.rollback()
            raise
        self._head = head

    def _append(self, connection: Connection, head: Head | None, events: Sequence[Event]) -> Head:
        if head is None:
            head = head_of(connection, self.writer)
        if head is None:
            head = self._write(connection, Head(0, GENESIS), [self._start(connection)])
        return self._write(connection, head, events)

    def _write(self, connection: Connection, head: Head, events: Sequence[Event]) -> Head:
        entries: list[Entry] = []
        contents: list[ContentRow] = []
        number, previous = head
        now_us = self._now_us()
        for what in events:
            number += 1
            entry = entry_after(previous, self.writer, number, now_us, what)
            previous = entry.hash
            entries.append(entry)
            if what.content is not None:
                contents.append(ContentRow(self.writer, number, what.salt, what.content))
        if entries:
            self._execute(connection, self._entries_sql, entries)
        if contents:
            self._execute(connection, self._contents_sql, contents)
        return Head(number, previous)

    def _start(self, connection: Connection) -> Event:
        """The first entry: it names the heads of the chains that no other first entry covers."""
        heads = _loose_heads(connection)
        for writer, head in heads.items():
            linked = update(audit_writers).where(audit_writers.c.writer == writer)
            connection.execute(linked.values(linked_number=head.number))
        connection.execute(insert(audit_writers).values(writer=self.writer, linked_number=0))
        content = {
            "heads": {writer: [head.number, head.hash.hex()] for writer, head in heads.items()},
            "older_predictions": connection.scalar(
                select(func.count()).where(predictions.c.salt.is_(None)).select_from(predictions)
            ),
        }
        return event(START, self.writer, "", content)


def head_of(connection: Connection, writer: str) -> Head | None:
    """The last entry of a chain, or None."""
    columns = audit_entries.c
    query = select(columns.number, columns.hash).where(columns.writer == writer)
    row = connection.execute(query.order_by(columns.number.desc()).limit(1)).one_or_none()
    return None if row is None else Head(row.number, bytes(row.hash))


def heads(connection: Connection) -> dict[str, Head]:
    """The last entry of every chain."""
    return _heads_of(connection, _linked(connection))


def _loose_heads(connection: Connection) -> dict[str, Head]:
    """The heads that have moved since a first entry covered them, if one has."""
    linked = _linked(connection)
    # Of these chains alone: on PostgreSQL another may have begun since they were read.
    found = _heads_of(connection, linked)
    return {writer: head for writer, head in found.items() if head.number > linked[writer]}


def _linked(connection: Connection) -> dict[str, int]:
    """Every chain in order, and how far a first entry of another covers it."""
    columns = audit_writers.c
    query = select(columns.writer, columns.linked_number).order_by(columns.writer)
    return {row.writer: row.linked_number for row in connection.execute(query)}


def _heads_of(connection: Connection, writers: Iterable[str]) -> dict[str, Head]:
    found = {writer: head_of(connection, writer) for writer in writers}
    return {writer: head for writer, head in found.items() if head is not None}


def _compiled(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str:
    return str(insert(table).compile(dialect=dialect, column_keys=columns))


def _execute(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.exec_driver_sql(sql, list(rows))


def _on_driver(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.connection.driver_connection.executemany(sql, rows)  # type: ignore[union-attr]
