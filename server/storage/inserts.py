# SPDX-License-Identifier: Apache-2.0
"""Writes a batch of records in one transaction.

The SQL text is compiled from the tables once. A batch goes to SQLite's driver
directly, which saves a fifth of the time of a lone save; the slow path, where a
record of the batch is at fault, and PostgreSQL go through SQLAlchemy.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.forecasting.errors import ConflictError, RecordError
from server.storage.audit.entries import PREDICTION, Event, digest_of
from server.storage.audit.trail import AuditTrail
from server.storage.database import cause_of
from server.storage.queries import document, document_of_request
from server.storage.records import MemberRow, PredictionRow, Rows
from server.storage.tables import member_forecasts, predictions

#: What became of one record: None where it is on disk.
Outcome = Exception | None
Row = tuple[Any, ...]
Execute = Callable[[Connection, str, Sequence[Row]], None]


class _BatchAtFault(Exception):  # noqa: N818 - it never leaves this module
    """A record of the batch cannot be written; which one, is found by writing each alone."""


class Inserts:
    """The two statements in one database's dialect, and an entry of the audit log for each record."""

    def __init__(self, dialect: Dialect, trail: AuditTrail) -> None:
        self._trail = trail
        self._prediction = _compiled(predictions, PredictionRow._fields, dialect)
        self._member = _compiled(member_forecasts, MemberRow._fields, dialect)
        self._execute_batch = _execute_on_driver if dialect.driver == "pysqlite" else _execute

    def write(self, connection: Connection, batch: Sequence[Rows]) -> list[Outcome]:
        """Write all; where one of them cannot be written, the others still are.

        Raises:
            Exception: the transaction could not begin or commit; nothing may be taken as written.
        """
        try:
            with self._trail.transaction(connection) as append:
                self._write_all(connection, batch)
                append([_recorded(rows) for rows in batch])
        except _BatchAtFault:
            return self._write_each(connection, batch)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # The server may have gone after the commit: what is there already is found to be equal.
            return self._write_each(connection, batch)
        return [None] * len(batch)

    def _write_all(self, connection: Connection, batch: Sequence[Rows]) -> None:
        try:
            self._insert(connection, batch, self._execute_batch)
        except Exception as error:  # whatever it is, the next attempt finds whose fault it is
            raise _BatchAtFault from error

    def _write_each(self, connection: Connection, batch: Sequence[Rows]) -> list[Outcome]:
        """One transaction still, so one sync, but a savepoint for each record."""
        written: list[Event] = []
        with self._trail.transaction(connection) as append:
            outcomes = [self._attempt(connection, rows, written) for rows in batch]
            append(written)
        return outcomes

    def _attempt(self, connection: Connection, rows: Rows, written: list[Event]) -> Outcome:
        savepoint = connection.begin_nested()
        try:
            self._insert(connection, [rows], _execute)
        except IntegrityError as error:
            savepoint.rollback()
            return _conflict(connection, rows.prediction, error)
        except Exception as error:  # noqa: BLE001 - it belongs to this record's caller alone
            savepoint.rollback()
            return refused(rows.prediction, error)
        savepoint.commit()
        written.append(_recorded(rows))
        return None

    def _insert(self, connection: Connection, batch: Sequence[Rows], execute: Execute) -> None:
        execute(connection, self._prediction, [rows.prediction for rows in batch])
        members = [row for rows in batch for row in rows.members]
        if members:
            execute(connection, self._member, members)


def _recorded(rows: Rows) -> Event:
    row = rows.prediction
    return Event(PREDICTION, row.id, "", digest_of(row.salt, row.document))


def _execute(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    connection.exec_driver_sql(sql, list(rows))


def _execute_on_driver(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    connection.connection.driver_connection.executemany(sql, rows)  # type: ignore[union-attr]


def refused(row: PredictionRow, error: Exception) -> RecordError:
    """The error for a record that is not on disk."""
    return RecordError(f"prediction {row.id!r} is not on disk: {cause_of(error)}")


def _compiled(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str:
    if columns != tuple(table.columns.keys()):
        msg = f"rows of {table.name} are not in the order of its columns"
        raise TypeError(msg)
    return str(insert(table).compile(dialect=dialect, column_keys=columns))


def _conflict(connection: Connection, row: PredictionRow, error: IntegrityError) -> Outcome:
    """Saving the same record again is no conflict; anything else that is there already is."""
    stored = document(connection, row.id)
    if stored == row.document:
        return None
    if stored is not None:
        return ConflictError(f"prediction {row.id!r} exists already, with another content")
    if document_of_request(connection, row.caller, row.request_id) is not None:
        return ConflictError(
            f"request_id {row.request_id!r} of caller {row.caller!r} has been answered already"
        )
    return refused(row, error)
