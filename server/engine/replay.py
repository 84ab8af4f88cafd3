# SPDX-License-Identifier: Apache-2.0
"""Computes a stored prediction again from its record alone, and says how the two compare."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from kernels.build import build
from kernels.calibrators import CalibrationMethod
from server.engine.calibrating import recalibrated
from server.engine.derived import derived
from server.forecasting.answers import AnswerMatrix, answer_matrix, numeric_result
from server.forecasting.computation import Computation, packed, unpacked
from server.forecasting.errors import InvalidRequestError, UnsupportedError
from server.forecasting.forecast import Answer, Forecast
from server.forecasting.plugged_pooling import any_pooling
from server.forecasting.pooling import Pooled, weight_vector
from server.forecasting.prediction import MemberAnswer, Prediction, PredictionRecord
from server.forecasting.question import Numeric, Question
from server.learning.calibration import Curve

#: How far numbers may be apart where another build or processor computed them.
TOLERANCE = 1e-12
#: Sentences that quote rounded numbers; on another build they may round otherwise.
_SENTENCES = frozenset({"explanation", "decision.reason"})


class Verdict(StrEnum):
    """How a replay compares with its record."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Replay:
    """``differences`` are paths of fields with both values; on the ``same_build`` all bits had to agree."""

    stored: Prediction
    replayed: Prediction
    verdict: Verdict
    differences: tuple[str, ...]
    same_build: bool


def replay(record: PredictionRecord) -> Replay:
    """Pool, calibrate and decide again with what the record holds.

    On the build that answered all bits must agree. On another one every number
    must agree within 1e-12, and the sentences that quote numbers are not compared.

    Raises:
        UnsupportedError: the record is older than what a replay needs.
        InvalidRequestError: what the record holds cannot be computed with.
    """
    stored, computation = record.prediction, record.prediction.computation
    if computation is None:
        raise UnsupportedError(f"prediction {stored.id!r} was stored before predictions could be replayed")
    by_name = {member.member: member for member in stored.members}
    answers = [by_name[seat].answer for seat in computation.seats]
    matrix, pooled = _pooled(computation, stored.outcomes)
    members = _members(stored.members, computation, pooled)
    again = replace(stored, **derived(record.question.kind, computation, matrix, pooled, members))
    same_build = computation.build == build()
    differences = [
        *_names(record.question, stored, computation, answers),
        *_inputs(record.question, computation, answers, "computation"),
        *_weights(stored, computation),
        *_differences(stored, again, exact=same_build),
    ]
    return Replay(stored, again, _verdict(differences, same_build), tuple(differences), same_build)


def _verdict(differences: Sequence[str], same_build: bool) -> Verdict:
    if differences:
        return Verdict.DIFFERENT
    return Verdict.IDENTICAL if same_build else Verdict.EQUIVALENT


def _pooled(computation: Computation, outcomes: Sequence[str]) -> tuple[AnswerMatrix, Pooled]:
    """The pool of the stored matrix, calibrated; outcomes whose number does not fit are numbered."""
    try:
        values = unpacked(computation.matrix, len(computation.seats))
    except ValueError as error:
        raise InvalidRequestError.of("computation.matrix", f"is damaged: {error}") from error
    columns = values.shape[1]
    names = tuple(outcomes) if len(outcomes) == columns else tuple(map(str, range(columns)))
    matrix = AnswerMatrix(names, values)
    pool = any_pooling(computation.pooling, computation.parameters, *values.shape)
    curve = Curve(CalibrationMethod[computation.curve.upper()], computation.curve_parameters)
    return matrix, recalibrated(pool.pool(values, weight_vector(computation.weights)), matrix, curve)


def _names(
    question: Question, stored: Prediction, computation: Computation, answers: Sequence[Answer]
) -> Iterator[str]:
    """Where the outcomes' names are not those of the question or of the normalised answers."""
    rebuilt = answer_matrix(question, answers, computation.min_confidences).outcomes
    if rebuilt != stored.outcomes:
        yield f"outcomes: stored {stored.outcomes!r}, of the stored answers {rebuilt!r}"


def _members(
    stored: Sequence[MemberAnswer], computation: Computation, pooled: Pooled
) -> tuple[MemberAnswer, ...]:
    row = {seat: index for index, seat in enumerate(computation.seats)}
    return tuple(
        replace(
            member,
            weight=pooled.weights[row[member.member]],
            contribution=pooled.contributions[row[member.member]],
        )
        if member.member in row
        else member
        for member in stored
    )


def _inputs(
    question: Question, computation: Computation, answers: Sequence[Answer], at: str
) -> Iterator[str]:
    """Where the stored matrix is not that of the stored answers, at any depth of nesting."""
    rebuilt = packed(answer_matrix(question, answers, computation.min_confidences).probabilities)
    if rebuilt != computation.matrix:
        yield f"{at}.matrix: is not that of the stored answers"
    for seat, answer in zip(computation.seats, answers, strict=True):
        if isinstance(answer, Forecast) and answer.inner is not None:
            yield from _inner(question, answer, f"{at}[{seat}]")


def _inner(question: Question, forecast: Forecast, at: str) -> Iterator[str]:
    """Where an inner ensemble's forecast does not follow from its own members' answers."""
    inner = forecast.inner
    if inner is None:
        return
    yield from _inputs(question, inner.computation, inner.answers, at)
    _, pooled = _pooled(inner.computation, ())
    kind = question.kind
    said = pooled.probabilities
    if isinstance(kind, Numeric):
        said = numeric_result(kind, said).cumulative
    exact = inner.computation.build == build()
    if len(said) == len(forecast.probabilities):
        yield from _differences(forecast.probabilities, said, f"{at}.probabilities", exact=exact)
    elif forecast.probabilities:
        yield f"{at}.probabilities: {len(forecast.probabilities)} stored, {len(said)} replayed"


def _weights(stored: Prediction, computation: Computation) -> Iterator[str]:
    """Where a member's stored weight is not the one that was pooled with."""
    raw = {member.member: member.raw_weight for member in stored.members}
    for seat, weight in zip(computation.seats, computation.weights, strict=True):
        yield from _differences(raw[seat], weight, f"members[{seat}].raw_weight", exact=True)


def _differences(stored: Any, again: Any, at: str = "", *, exact: bool) -> Iterator[str]:
    """Paths of what differs, each with both values."""
    if isinstance(stored, float) and isinstance(again, float):
        if not (_same_bits(stored, again) if exact else _close(stored, again)):
            yield f"{at}: stored {stored!r}, replayed {again!r}"
    elif is_dataclass(stored) and type(stored) is type(again):
        for field in fields(stored):
            path = f"{at}.{field.name}" if at else field.name
            if exact or path not in _SENTENCES:
                yield from _differences(
                    getattr(stored, field.name), getattr(again, field.name), path, exact=exact
                )
    elif isinstance(stored, tuple) and isinstance(again, tuple) and len(stored) == len(again):
        for index, (one, other) in enumerate(zip(stored, again, strict=True)):
            yield from _differences(one, other, f"{at}[{index}]", exact=exact)
    elif stored != again:
        yield f"{at}: stored {stored!r}, replayed {again!r}"


def _same_bits(one: float, other: float) -> bool:
    return struct.pack("<d", one) == struct.pack("<d", other) or (math.isnan(one) and math.isnan(other))


def _close(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
