# SPDX-License-Identifier: Apache-2.0
"""The audit log, and the experiment that a prediction was part of."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TABLES = ("audit_checkpoints", "audit_writers", "audit_contents", "audit_entries")
COLUMNS = ("experiment", "arm", "salt")


def upgrade() -> None:
    """Add columns to the predictions, and make the log's tables."""
    _widen_predictions()
    _make_log()


def downgrade() -> None:
    """Drop all of it."""
    for name in TABLES:
        op.drop_table(name)
    op.drop_index("predictions_by_experiment", "predictions")
    for name in COLUMNS:
        op.drop_column("predictions", name)


def _widen_predictions() -> None:
    for name in ("experiment", "arm"):
        op.add_column("predictions", sa.Column(name, NAME, nullable=False, server_default=""))
    op.add_column("predictions", sa.Column("salt", sa.LargeBinary))
    op.create_index(
        "predictions_by_experiment",
        "predictions",
        ["experiment", "create_time_us"],
        sqlite_where=sa.text("experiment <> ''"),
        postgresql_where=sa.text("experiment <> ''"),
    )


def _make_log() -> None:
    op.create_table(
        "audit_entries",
        *_place(),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_contents",
        *_place(),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_writers",
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("linked_number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("time_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )


def _place() -> list["sa.Column[object]"]:
    return [
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    ]
