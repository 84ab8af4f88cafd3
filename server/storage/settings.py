# SPDX-License-Identifier: Apache-2.0
"""Where predictions are kept, and how much may wait for the disk."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from server.storage.errors import StorageError

REFERENCES = ("env:", "file:")
SQLITE, POSTGRESQL = "sqlite", "postgresql"


class StorageSettings(BaseModel):
    """The ``[storage]`` table.

    ``url`` is ``sqlite:///relative/path.db``, ``sqlite:////absolute/path.db``,
    ``postgresql://user@host/database``, or a reference (``env:NAME``,
    ``file:/path``) to such a URL. A password is accepted behind a reference only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        default="sqlite:///var/consilience.db",
        description="sqlite:///FILE or postgresql://...; env:NAME or file:/path where it has a password",
    )
    queue_records: int = Field(4096, ge=1, description="records that may wait to be written")
    queue_mib: int = Field(256, ge=1, description="memory that waiting records may take")
    batch_records: int = Field(256, ge=1, description="records in one transaction at most")
    readers: int = Field(2, ge=1, le=64, description="connections that read")
    lock_timeout_s: float = Field(5.0, gt=0, description="wait for another process's lock on the file")
    connect_timeout_s: float = Field(10.0, gt=0, description="wait for a PostgreSQL server")

    @field_validator("url")
    @classmethod
    def _refuse_bad_url(cls, value: str) -> str:
        if not value.startswith(REFERENCES) and checked_url(value).password is not None:
            msg = (
                "holds a password; put the whole URL into the environment and name it here, "
                'for example url = "env:DATABASE_URL"'
            )
            raise ValueError(msg)
        return value


def resolved_url(settings: StorageSettings) -> URL:
    """The database's URL, with references followed.

    Raises:
        StorageError: the reference leads nowhere, or to something that is no URL.
    """
    try:
        return checked_url(_followed(settings.url))
    except ValueError as error:
        msg = f"storage.url: {error}"
        raise StorageError(msg) from None


def checked_url(text: str) -> URL:
    """Parse a URL of one of the two databases; ValueError says what is wrong, not the URL."""
    try:
        url = make_url(text)
    except ArgumentError:
        msg = "is no database URL; write sqlite:///var/consilience.db or postgresql://user@host/database"
        raise ValueError(msg) from None
    if url.drivername == "postgres":
        url = url.set(drivername=POSTGRESQL)
    if url.drivername not in (SQLITE, POSTGRESQL):
        msg = f"{url.drivername} is not supported; use sqlite or postgresql"
        raise ValueError(msg)
    if url.drivername == SQLITE and url.database in (None, "", ":memory:"):
        msg = "a database in memory keeps nothing; name a file, for example sqlite:///var/consilience.db"
        raise ValueError(msg)
    return url


def _followed(url: str) -> str:
    kind, _, target = url.partition(":")
    if kind == "env":
        return _from_environment(target)
    if kind == "file":
        return _from_file(Path(target))
    return url


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        msg = f"the environment variable {name} is not set"
        raise ValueError(msg)
    return value


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"the file {path} cannot be read ({type(error).__name__})"
        raise ValueError(msg) from None
