# SPDX-License-Identifier: Apache-2.0
"""The ledger's tables as this version of the code knows them; migrations lead here.

``ledger_entries`` is only ever added to and is the truth. ``reservations`` holds
what is reserved now; the counters in ``budgets`` are sums over both, kept so
that no reservation has to add them up. Money is in integer billionths of a US
dollar, instants in integer microseconds since 1970 UTC.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
)

from server.storage.tables import Name, metadata

#: Counts up by itself on both databases.
Serial = BigInteger().with_variant(Integer, "sqlite")

#: One row, locked by whoever writes the ledger (PostgreSQL; SQLite has one write lock anyway).
ledger_lock = Table("ledger_lock", metadata, Column("id", Integer, primary_key=True))

budgets = Table(
    "budgets",
    metadata,
    Column("name", Name, primary_key=True),
    Column("scope", Name, nullable=False),
    Column("limit_nano_usd", BigInteger, nullable=False),
    Column("window_us", BigInteger),
    Column("configured", Text, nullable=False),  # what the configuration said when it was last applied
    Column("removed", Boolean, nullable=False),  # a configured one that was removed at run time
    Column("window_start_us", BigInteger, nullable=False),
    Column("settled_nano_usd", BigInteger, nullable=False),
    Column("reserved_nano_usd", BigInteger, nullable=False),
)

#: An entry is dated twice: when it was written, and when its call was reserved,
#: which decides the window that pays for it.
ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("time_us", BigInteger, nullable=False),
    Column("call_time_us", BigInteger, nullable=False),
    Column("kind", Name, nullable=False),
    Column("charge_id", Name, nullable=False),
    Column("prediction_id", Name, nullable=False),
    Column("member", Name, nullable=False),
    Column("provider", Name, nullable=False),
    Column("category", Name, nullable=False),
    Column("caller", Name, nullable=False),
    Column("request_id", Name, nullable=False),
    Column("nano_usd", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
)
Index("ledger_entries_by_call_time", ledger_entries.c.call_time_us)
Index("ledger_entries_by_charge", ledger_entries.c.charge_id)

reservations = Table(
    "reservations",
    metadata,
    Column("charge_id", Name, primary_key=True),
    Column("owner", Name, nullable=False),
    Column("call_time_us", BigInteger, nullable=False),
    Column("prediction_id", Name, nullable=False),
    Column("member", Name, nullable=False),
    Column("provider", Name, nullable=False),
    Column("category", Name, nullable=False),
    Column("caller", Name, nullable=False),
    Column("request_id", Name, nullable=False),
    Column("nano_usd", BigInteger, nullable=False),
)
Index("reservations_by_owner", reservations.c.owner)

#: Processes with something reserved or claimed; one whose lease is over is dead.
ledger_owners = Table(
    "ledger_owners",
    metadata,
    Column("owner", Name, primary_key=True),
    Column("expire_time_us", BigInteger, nullable=False),
)

#: Requests under way, and those that ended without a stored answer. Without owner: free to take.
requests = Table(
    "requests",
    metadata,
    Column("caller", Name, primary_key=True),
    Column("request_id", Name, primary_key=True),
    Column("owner", Name, nullable=False),
    Column("prediction_id", Name, nullable=False),
    Column("time_us", BigInteger, nullable=False),
)

request_answers = Table(
    "request_answers",
    metadata,
    Column("caller", Name, primary_key=True),
    Column("request_id", Name, primary_key=True),
    Column("member", Name, primary_key=True),
    Column("answer", Text, nullable=False),
    ForeignKeyConstraint(
        ["caller", "request_id"], ["requests.caller", "requests.request_id"], ondelete="CASCADE"
    ),
)
