# SPDX-License-Identifier: Apache-2.0
"""The audit log's tables. Nothing is ever updated; only contents are ever deleted."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from server.storage.tables import Name, metadata

#: The chains. ``hash`` covers the entry and the hash of the one before it.
audit_entries = Table(
    "audit_entries",
    metadata,
    Column("writer", Name, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_us", BigInteger, nullable=False),
    Column("kind", Name, nullable=False),
    Column("subject", Name, nullable=False),
    Column("actor", Name, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

#: What entries are about, but for predictions, which have a table of their own.
audit_contents = Table(
    "audit_contents",
    metadata,
    Column("writer", Name, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("content", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Who has written. ``linked_number``: how far a later writer's first entry covers the chain.
audit_writers = Table(
    "audit_writers",
    metadata,
    Column("writer", Name, primary_key=True),
    Column("linked_number", BigInteger, nullable=False),
)

#: Signed statements of how far chains had come.
audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("writer", Name, primary_key=True),
    Column("time_us", BigInteger, primary_key=True, autoincrement=False),
    Column("statement", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
