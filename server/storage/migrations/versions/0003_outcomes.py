# SPDX-License-Identifier: Apache-2.0
"""Outcomes, scores and what was learned; and what learning groups predictions by."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TABLES = ("learning_snapshots", "forecast_scores", "outcomes")
GROUPING = ("asked_time_us", "source", "origin", "regime", "horizon_days", "price_is_fresh")


def upgrade() -> None:
    """Add the columns and make the tables."""
    _add_columns()
    _make_outcomes()
    _make_scores()
    op.create_table(
        "learning_snapshots",
        sa.Column("writer", NAME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop both again."""
    for name in TABLES:
        op.drop_table(name)
    op.drop_column("member_forecasts", "is_price")
    for name in GROUPING:
        op.drop_column("predictions", name)


def _add_columns() -> None:
    for column in (
        sa.Column("asked_time_us", sa.BigInteger),
        sa.Column("source", NAME, nullable=False, server_default=""),
        sa.Column("origin", NAME, nullable=False, server_default=""),
        sa.Column("regime", NAME, nullable=False, server_default=""),
        sa.Column("horizon_days", sa.Double),
        sa.Column("price_is_fresh", sa.Boolean, nullable=False, server_default=sa.true()),
    ):
        op.add_column("predictions", column)
    op.add_column(
        "member_forecasts", sa.Column("is_price", sa.Boolean, nullable=False, server_default=sa.false())
    )


def _make_outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("question_id", NAME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("result", NAME, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("number", sa.Double),
        sa.Column("event_time_us", sa.BigInteger),
        sa.Column("known_time_us", sa.BigInteger, nullable=False),
        sa.Column("record_time_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("question_id", "version"),
    )


def _make_scores() -> None:
    op.create_table(
        "forecast_scores",
        sa.Column(
            "prediction_id", NAME, sa.ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("brier", sa.Double, nullable=False),
        sa.Column("log_score", sa.Double, nullable=False),
        sa.Column("correct", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
