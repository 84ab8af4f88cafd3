# SPDX-License-Identifier: Apache-2.0
"""Outcomes, and the scores that they gave, as this version of the code knows them.

``outcomes`` is only ever added to; a question's highest version is in force.
``sequence`` counts the versions of all questions without a gap, in the order in which
they were committed, so that another process finds what is new with one comparison.
``forecast_scores`` has a row for each stored member forecast and outcome version.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from server.storage.tables import Name, metadata

outcomes = Table(
    "outcomes",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("question_id", Name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("result", Name, nullable=False),  # outcome, fraction, value, annulled or retracted
    Column("outcome", Text),
    Column("number", Double),
    Column("event_time_us", BigInteger),
    Column("known_time_us", BigInteger, nullable=False),
    Column("record_time_us", BigInteger, nullable=False),
    UniqueConstraint("question_id", "version"),
)

#: ``brier``: half the sum of squared errors over outcomes (numbers: mean over the grid of the
#: cumulative's); ``log_score`` in nats; ``correct`` 0..1, a tie counts in part.
forecast_scores = Table(
    "forecast_scores",
    metadata,
    Column("prediction_id", Name, ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("brier", Double, nullable=False),
    Column("log_score", Double, nullable=False),
    Column("correct", Double, nullable=False),
    sqlite_with_rowid=False,
)

#: What has been learned, so that a start need not learn it all again. ``writer`` is the form
#: of the state; one of another form is left alone.
learning_snapshots = Table(
    "learning_snapshots",
    metadata,
    Column("writer", Name, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
