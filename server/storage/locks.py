# SPDX-License-Identifier: Apache-2.0
"""Locks that the servers of one PostgreSQL database take in turn.

There each statement sees what others have committed by then; what reads and then
writes takes a lock first. SQLite needs none: it has one write lock for everything.
"""

from enum import IntEnum

from sqlalchemy import Connection, text

_TAKE = text("SELECT pg_advisory_xact_lock(:number)")


class Lock(IntEnum):
    """What one server does while the others wait. Any numbers, the same in all servers."""

    MIGRATING = 4_207_849_484
    #: Outcomes are recorded, or predictions erased: the scores of the one refer to the rows of the other.
    JUDGING = 4_207_849_485
    SNAPSHOT = 4_207_849_486
    EXPERIMENTS = 4_207_849_487


def take(connection: Connection, lock: Lock) -> None:
    """Hold a lock until the transaction ends; what is read from now on is what its last holder left."""
    if connection.dialect.name != "sqlite":
        connection.execute(_TAKE, {"number": lock.value})
