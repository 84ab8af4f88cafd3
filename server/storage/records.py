# SPDX-License-Identifier: Apache-2.0
"""A record as rows of the two tables."""

import json
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from server.forecasting.errors import RecordError
from server.forecasting.forecast import Cost
from server.forecasting.grouping import asked_time, horizon_days, origin_of, price_is_fresh
from server.forecasting.prediction import MemberAnswer, Prediction, PredictionRecord
from server.forecasting.question import Numeric
from server.storage.audit.entries import new_salt
from server.storage.documents import KIND_NAMES, encode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LARGEST_INTEGER = 2**63 - 1


class PredictionRow(NamedTuple):
    """One row of ``predictions``, in the order of its columns."""

    id: str
    create_time_us: int
    question_id: str
    ensemble: str
    caller: str
    request_id: str
    category: str
    kind: str
    resolve_time_us: int | None
    outcomes: str
    probabilities: bytes
    raw_probabilities: bytes
    durable: bool
    cached: bool
    cost_nano_usd: int | None
    cost_source: str | None
    elapsed_us: int | None
    experiment: str
    arm: str
    salt: bytes
    document: str
    asked_time_us: int | None
    source: str
    origin: str
    regime: str
    horizon_days: float | None
    price_is_fresh: bool


class MemberRow(NamedTuple):
    """One row of ``member_forecasts``, in the order of its columns."""

    prediction_id: str
    position: int
    late: bool
    member: str
    model: str
    prompt_hash: str
    probabilities: bytes | None
    self_confidence: float | None
    text: str
    absent_reason: str | None
    raw_weight: float | None
    cost_nano_usd: int | None
    cost_source: str | None
    latency_us: int | None
    cached: bool
    is_price: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """A record, ready to be written; ``size`` is about what it takes in memory, in bytes."""

    prediction: PredictionRow
    members: tuple[MemberRow, ...]
    size: int


def rows_of(record: PredictionRecord) -> Rows:
    """The rows of a record.

    Raises:
        RecordError: it cannot be stored; the message says why.
    """
    document = encode(record)
    members = tuple(_member_rows(record))
    return Rows(_prediction_row(record, document.decode()), members, len(document) + 512 * (1 + len(members)))


def microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970 UTC, exact."""
    return (instant - EPOCH) // MICROSECOND


def packed(values: Sequence[float]) -> bytes:
    """Float64, little-endian."""
    return struct.pack(f"<{len(values)}d", *values)


def _prediction_row(record: PredictionRecord, document: str) -> PredictionRow:
    prediction, question = record.prediction, record.question
    resolve = question.resolve_time
    return PredictionRow(
        prediction.id,
        microseconds(prediction.create_time),
        prediction.question_id,
        prediction.ensemble,
        record.caller,
        prediction.request_id,
        question.category,
        KIND_NAMES[type(question.kind)],
        None if resolve is None else microseconds(resolve),
        _outcomes(prediction, record),
        packed(prediction.probabilities),
        packed(prediction.raw_probabilities),
        prediction.durable,
        prediction.cached,
        *_money(prediction.cost),
        _whole_microseconds(prediction.elapsed_s),
        prediction.experiment,
        prediction.arm,
        new_salt(),
        document,
        microseconds(asked_time(question, prediction.create_time)),
        question.source,
        origin_of(question),
        question.regime,
        horizon_days(question, prediction.create_time),
        price_is_fresh(question, prediction.create_time),
    )


def _outcomes(prediction: Prediction, record: PredictionRecord) -> str:
    kind = record.question.kind
    return json.dumps(kind.grid if isinstance(kind, Numeric) else prediction.outcomes)


def _member_rows(record: PredictionRecord) -> Iterator[MemberRow]:
    """None for a cached answer: its members spoke once, and are scored once, with the original."""
    prediction = record.prediction
    if prediction.cached:
        return
    for position, answer in enumerate(prediction.members):
        yield _member_row(prediction.id, position, answer, late=False)
    for position, answer in enumerate(record.late, len(prediction.members)):
        yield _member_row(prediction.id, position, answer, late=True)


def _member_row(prediction_id: str, position: int, part: MemberAnswer, *, late: bool) -> MemberRow:
    forecast, absent = part.forecast, part.absent
    return MemberRow(
        prediction_id,
        position,
        late,
        part.member,
        forecast.model if forecast else "",
        forecast.prompt_hash if forecast else "",
        packed(forecast.probabilities) if forecast else None,
        _number(forecast.self_confidence) if forecast else None,
        forecast.text if forecast else "",
        absent.reason.value if absent else None,
        _number(part.raw_weight),
        *_money(part.answer.cost),
        _whole_microseconds(part.latency_s),
        forecast.cached if forecast else False,
        forecast.price if forecast else False,
    )


def _money(cost: Cost | None) -> tuple[int | None, str | None]:
    if cost is None:
        return None, None
    if abs(cost.nano_usd) > LARGEST_INTEGER:
        msg = f"a cost of {cost.nano_usd} nano-dollars does not fit into 64 bits"
        raise RecordError(msg)
    return cost.nano_usd, cost.source.value


def _whole_microseconds(seconds: float | None) -> int | None:
    """None for what is no duration; a column is for sums, the document keeps the bits."""
    if seconds is None or not math.isfinite(seconds) or abs(seconds) * 1e6 >= LARGEST_INTEGER:
        return None
    return round(seconds * 1e6)


def _number(value: float | None) -> float | None:
    """None for NaN, which SQLite would store as NULL and PostgreSQL as NaN."""
    return None if value is None or math.isnan(value) else value
