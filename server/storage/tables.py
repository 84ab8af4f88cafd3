# SPDX-License-Identifier: Apache-2.0
"""The tables as this version of the code knows them; migrations lead here.

Instants are integer microseconds since 1970 UTC, probabilities packed float64
little-endian, money integer billionths of a dollar. ``document`` is the truth;
the other columns repeat what is searched, joined and scored, so that a million
member forecasts can be scored without opening one document.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
    true,
)

metadata = MetaData()

#: Text that compares by code point on both databases, whatever their locale.
Name = Text().with_variant(Text(collation="C"), "postgresql")

predictions = Table(
    "predictions",
    metadata,
    Column("id", Name, primary_key=True),
    Column("create_time_us", BigInteger, nullable=False),
    Column("question_id", Name, nullable=False),
    Column("ensemble", Name, nullable=False),
    Column("caller", Name, nullable=False),
    Column("request_id", Name, nullable=False),
    Column("category", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("resolve_time_us", BigInteger),
    Column("outcomes", Text, nullable=False),  # JSON: names, or the grid points of a number
    Column("probabilities", LargeBinary, nullable=False),
    Column("raw_probabilities", LargeBinary, nullable=False),
    Column("durable", Boolean, nullable=False),
    Column("cached", Boolean, nullable=False),
    Column("cost_nano_usd", BigInteger),
    Column("cost_source", Name),
    Column("elapsed_us", BigInteger),
    Column("experiment", Name, nullable=False),
    Column("arm", Name, nullable=False),
    Column("salt", LargeBinary),  # of the audit log's digest; NULL: older than that log
    Column("document", Text, nullable=False),
    # What learning groups by. asked_time_us: as of when; NULL in rows older than the column.
    Column("asked_time_us", BigInteger),
    Column("source", Name, nullable=False, server_default=""),
    Column("origin", Name, nullable=False, server_default=""),
    Column("regime", Name, nullable=False, server_default=""),
    Column("horizon_days", Double),
    Column("price_is_fresh", Boolean, nullable=False, server_default=true()),
)
Index("predictions_by_time", predictions.c.create_time_us, predictions.c.id)
Index("predictions_by_question", predictions.c.question_id, predictions.c.create_time_us, predictions.c.id)
Index(
    "predictions_by_request",
    predictions.c.caller,
    predictions.c.request_id,
    unique=True,
    sqlite_where=text("request_id <> ''"),
    postgresql_where=text("request_id <> ''"),
)
Index(
    "predictions_by_experiment",
    predictions.c.experiment,
    predictions.c.create_time_us,
    sqlite_where=text("experiment <> ''"),
    postgresql_where=text("experiment <> ''"),
)

#: Late answers follow the members in time, at the next positions.
member_forecasts = Table(
    "member_forecasts",
    metadata,
    Column("prediction_id", Name, ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("late", Boolean, nullable=False),
    Column("member", Name, nullable=False),
    Column("model", Name, nullable=False),
    Column("prompt_hash", Name, nullable=False),
    Column("probabilities", LargeBinary),
    Column("self_confidence", Double),
    Column("text", Text, nullable=False),
    Column("absent_reason", Name),
    Column("raw_weight", Double),
    Column("cost_nano_usd", BigInteger),
    Column("cost_source", Name),
    Column("latency_us", BigInteger),
    Column("cached", Boolean, nullable=False),
    Column("is_price", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,  # a prediction's rows lie together in one tree, not spread over two
)
