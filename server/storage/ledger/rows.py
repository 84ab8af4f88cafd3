# SPDX-License-Identifier: Apache-2.0
"""Rows that are added many at a time: SQL compiled from a table once, straight to the driver where that pays.

SQLAlchemy makes a dictionary of parameters for every row; that was most of what
a call cost the ledger.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert

Row = tuple[Any, ...]


class Rows:
    """Inserts into one table; the rows' values stand in the order of ``columns``."""

    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        self._table = table
        self._columns = columns
        self._sql: dict[str, str] = {}

    def insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add all."""
        sql = self._sql.get(connection.dialect.name) or self._compile(connection)
        if connection.dialect.driver == "pysqlite":
            connection.connection.driver_connection.executemany(sql, rows)  # type: ignore[union-attr]
        else:
            connection.exec_driver_sql(sql, list(rows))

    def _compile(self, connection: Connection) -> str:
        dialect = connection.dialect
        sql = str(insert(self._table).compile(dialect=dialect, column_keys=self._columns))
        self._sql[dialect.name] = sql
        return sql
