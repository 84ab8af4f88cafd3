# SPDX-License-Identifier: Apache-2.0
"""Brings a database to the tables that this code knows, at start."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from server.storage import locks
from server.storage.errors import StorageError

#: The last migration in ``migrations/versions``; a test sees that it is.
HEAD = "0005"
MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Apply the migrations that are missing, in one transaction.

    Raises:
        StorageError: the database was made by a later version of the code.
    """
    with connection.begin():
        locks.take(connection, locks.Lock.MIGRATING)
        revision = current_revision(connection)
        if revision != HEAD:
            _apply(connection, revision)


def current_revision(connection: Connection) -> str | None:
    """The last migration applied, or None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _apply(connection: Connection, revision: str | None) -> None:
    # Only a database that is behind pays for loading Alembic.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        msg = (
            f"storage.url: the database is at migration {revision}, later than {HEAD}, the last that this "
            "server knows; start the version that made it, or name another database"
        )
        raise StorageError(msg)
    command.upgrade(config, "head")
