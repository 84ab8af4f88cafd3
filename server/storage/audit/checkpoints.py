# SPDX-License-Identifier: Apache-2.0
"""Signed statements of how far chains have come; one kept elsewhere shows what was cut off or rewritten."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from server.storage.audit.entries import canonical
from server.storage.audit.keys import SigningKey, is_signed
from server.storage.audit.tables import audit_checkpoints
from server.storage.audit.trail import Head, heads
from server.storage.errors import StorageError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A statement as it was signed; ``heads``, ``time_us`` and ``key`` are what it says."""

    statement: str
    signature: bytes
    heads: Mapping[str, Head]
    time_us: int
    key: str

    @property
    def holds(self) -> bool:
        """Whether the signature is by the key that the statement names."""
        return is_signed(self.key, self.statement, self.signature)

    @property
    def text(self) -> str:
        """For a file, one line."""
        return canonical(
            {"signature": base64.b64encode(self.signature).decode(), "statement": self.statement}
        )


def signed(chains: Mapping[str, Head], key: SigningKey, time_us: int | None = None) -> Checkpoint:
    """A checkpoint of these chains."""
    now_us = time.time_ns() // 1000 if time_us is None else time_us
    said = {
        "consilience_audit": 1,
        "heads": {writer: [head.number, head.hash.hex()] for writer, head in chains.items()},
        "key": key.public,
        "time_us": now_us,
    }
    statement = canonical(said)
    return Checkpoint(statement, key.sign(statement), chains, now_us, key.public)


def parsed(text: str) -> Checkpoint:
    """A checkpoint from a file's text. Whether it holds is another question.

    Raises:
        StorageError: it is none.
    """
    try:
        outer = json.loads(text)
        return read(outer["statement"], base64.b64decode(outer["signature"], validate=True))
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"this is no checkpoint of `consilience audit checkpoint`: {error!r}") from None


def read(statement: str, signature: bytes) -> Checkpoint:
    """A checkpoint from its statement; ValueError, KeyError or TypeError where it is none."""
    said = json.loads(statement)
    chains = {
        str(writer): Head(int(number), bytes.fromhex(value))
        for writer, (number, value) in said["heads"].items()
    }
    return Checkpoint(statement, signature, chains, int(said["time_us"]), str(said["key"]))


def whole(connection: Connection, key: SigningKey) -> Checkpoint:
    """A checkpoint of every chain in the database, to be kept elsewhere."""
    return signed(heads(connection), key)


def keep(connection: Connection, writer: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint beside the chains."""
    with connection.begin():
        connection.execute(
            insert(audit_checkpoints).values(
                writer=writer,
                time_us=checkpoint.time_us,
                statement=checkpoint.statement,
                signature=checkpoint.signature,
            )
        )


def kept(connection: Connection) -> list[tuple[str, Checkpoint | None]]:
    """All checkpoints beside the chains with their writers, in order of time; None: it cannot be read."""
    columns = audit_checkpoints.c
    query = select(columns.writer, columns.statement, columns.signature).order_by(columns.time_us)
    return [(row.writer, _readable(row.statement, bytes(row.signature))) for row in connection.execute(query)]


def _readable(statement: str, signature: bytes) -> Checkpoint | None:
    try:
        return read(statement, signature)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
