# SPDX-License-Identifier: Apache-2.0
"""Reads for a caller, to whom a database that is away is no fault of the server's."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from server.forecasting.errors import UnreadableError
from server.storage.database import FAULTS, Database, cause_of

Result = TypeVar("Result")


async def read(database: Database, work: Callable[[Connection], Result], what: str) -> Result:
    """Run work on a reading connection; ``what`` it reads, for the error.

    Raises:
        UnreadableError: the database is away, or not well.
    """
    try:
        return await database.read(work)
    except FAULTS as error:
        raise UnreadableError(f"{what} cannot be read: {cause_of(error)}") from error
