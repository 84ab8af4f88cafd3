# SPDX-License-Identifier: Apache-2.0
"""What a database must do for the store. Work is handed over as functions of a connection."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import SQLAlchemyError

Result = TypeVar("Result")

#: What a database that is not well may raise.
FAULTS = (OSError, SQLAlchemyError, sqlite3.Error)

_FREEZE = {"sqlite": "BEGIN", "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"}


class Database(Protocol):
    """One database with one writing connection and a few that read."""

    @property
    def dialect(self) -> Dialect:
        """How its SQL is written."""
        ...

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run work on the writing connection, off the event loop; one at a time, in order.

        Work begins and ends its own transactions.
        """
        ...

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run work on a reading connection, off the event loop."""
        ...

    async def close(self) -> None:
        """Let go of all connections, once nothing runs."""
        ...


@contextmanager
def frozen(connection: Connection) -> Iterator[None]:
    """See one state of the database throughout, whatever others commit meanwhile; to read only."""
    with connection.begin():
        connection.exec_driver_sql(_FREEZE[connection.dialect.name])
        yield


def cause_of(error: Exception) -> Exception:
    """The driver's own error, without SQLAlchemy's statement around it."""
    orig = getattr(error, "orig", None)
    return orig if isinstance(orig, Exception) else error
