# SPDX-License-Identifier: Apache-2.0
"""Predictions and their member forecasts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make both tables."""
    _make_predictions()
    _make_member_forecasts()


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("member_forecasts")
    op.drop_table("predictions")


def _make_predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("create_time_us", sa.BigInteger, nullable=False),
        sa.Column("question_id", NAME, nullable=False),
        sa.Column("ensemble", NAME, nullable=False),
        sa.Column("caller", NAME, nullable=False),
        sa.Column("request_id", NAME, nullable=False),
        sa.Column("category", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("resolve_time_us", sa.BigInteger),
        sa.Column("outcomes", sa.Text, nullable=False),
        sa.Column("probabilities", sa.LargeBinary, nullable=False),
        sa.Column("raw_probabilities", sa.LargeBinary, nullable=False),
        sa.Column("durable", sa.Boolean, nullable=False),
        sa.Column("cached", sa.Boolean, nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger),
        sa.Column("cost_source", NAME),
        sa.Column("elapsed_us", sa.BigInteger),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("predictions_by_time", "predictions", ["create_time_us", "id"])
    op.create_index("predictions_by_question", "predictions", ["question_id", "create_time_us", "id"])
    op.create_index(
        "predictions_by_request",
        "predictions",
        ["caller", "request_id"],
        unique=True,
        sqlite_where=sa.text("request_id <> ''"),
        postgresql_where=sa.text("request_id <> ''"),
    )


def _make_member_forecasts() -> None:
    op.create_table(
        "member_forecasts",
        sa.Column(
            "prediction_id", NAME, sa.ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("member", NAME, nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("prompt_hash", NAME, nullable=False),
        sa.Column("probabilities", sa.LargeBinary),
        sa.Column("self_confidence", sa.Double),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("absent_reason", NAME),
        sa.Column("raw_weight", sa.Double),
        sa.Column("cost_nano_usd", sa.BigInteger),
        sa.Column("cost_source", NAME),
        sa.Column("latency_us", sa.BigInteger),
        sa.Column("cached", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
