# SPDX-License-Identifier: Apache-2.0
"""What a database must do for the store. Work is handed over as functions of a connection."""

import sqlite3
from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import SQLAlchemyError

Result = TypeVar("Result")

#: What a database that is not well may raise.
FAULTS = (OSError, SQLAlchemyError, sqlite3.Error)


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


def cause_of(error: Exception) -> Exception:
    """The driver's own error, without SQLAlchemy's statement around it."""
    orig = getattr(error, "orig", None)
    return orig if isinstance(orig, Exception) else error
