# SPDX-License-Identifier: Apache-2.0
"""Budgets, the ledger, and requests under way."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
#: Those that others point to come last.
TABLES = (
    "request_answers",
    "requests",
    "ledger_owners",
    "reservations",
    "ledger_entries",
    "budgets",
    "ledger_lock",
)
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make all tables."""
    _make_lock()
    _make_budgets()
    _make_entries()
    _make_reservations()
    _make_requests()


def downgrade() -> None:
    """Drop all tables."""
    for name in TABLES:
        op.drop_table(name)


def _make_lock() -> None:
    lock = op.create_table("ledger_lock", sa.Column("id", sa.Integer, primary_key=True))
    op.bulk_insert(lock, [{"id": 1}])


def _make_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("scope", NAME, nullable=False),
        sa.Column("limit_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("window_us", sa.BigInteger),
        sa.Column("configured", sa.Text, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("window_start_us", sa.BigInteger, nullable=False),
        sa.Column("settled_nano_usd", sa.BigInteger, nullable=False),
        sa.Column("reserved_nano_usd", sa.BigInteger, nullable=False),
    )


def _make_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("call_time_us", sa.BigInteger, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("charge_id", NAME, nullable=False),
        *_payer(),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
        sa.Column("estimated", sa.Boolean, nullable=False),
    )
    op.create_index("ledger_entries_by_call_time", "ledger_entries", ["call_time_us"])
    op.create_index("ledger_entries_by_charge", "ledger_entries", ["charge_id"])


def _make_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("charge_id", NAME, primary_key=True),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("call_time_us", sa.BigInteger, nullable=False),
        *_payer(),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
    )
    op.create_index("reservations_by_owner", "reservations", ["owner"])
    op.create_table(
        "ledger_owners",
        sa.Column("owner", NAME, primary_key=True),
        sa.Column("expire_time_us", sa.BigInteger, nullable=False),
    )


def _make_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("caller", NAME, primary_key=True),
        sa.Column("request_id", NAME, primary_key=True),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("prediction_id", NAME, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "request_answers",
        sa.Column("caller", NAME, primary_key=True),
        sa.Column("request_id", NAME, primary_key=True),
        sa.Column("member", NAME, primary_key=True),
        sa.Column("answer", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["caller", "request_id"], ["requests.caller", "requests.request_id"], ondelete="CASCADE"
        ),
    )


def _payer() -> list["sa.Column[str]"]:
    names = ("prediction_id", "member", "provider", "category", "caller", "request_id")
    return [sa.Column(name, NAME, nullable=False) for name in names]
