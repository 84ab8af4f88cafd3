# SPDX-License-Identifier: Apache-2.0
"""Questions for the wire."""

from consilience.v1 import question_pb2
from server.forecasting.question import (
    Exclusive,
    FreeText,
    Normalization,
    Numeric,
    NumericScale,
    Question,
    Resolution,
)
from server.rpc.times import timestamp

_NORMALIZATIONS = {rule: getattr(question_pb2, f"NORMALIZATION_{rule.name}") for rule in Normalization}
_SCALES = {scale: getattr(question_pb2, f"NUMERIC_SCALE_{scale.name}") for scale in NumericScale}


def question_message(question: Question) -> question_pb2.Question:
    """The question as a message, with its resolution where that is known."""
    message = question_pb2.Question(
        id=question.id,
        text=question.text,
        background=question.background,
        resolution_criteria=question.resolution_criteria,
        category=question.category,
        stake_usd=question.stake_usd,
        market_probability=question.market_probability,
        source=question.source,
        url=question.url,
        origin=question.origin,
        regime=question.regime,
    )
    _set_kind(message, question)
    for name in ("as_of_time", "resolve_time", "market_time"):
        instant = getattr(question, name)
        if instant is not None:
            getattr(message, name).CopyFrom(timestamp(instant))
    if question.resolution is not None:
        message.resolution.CopyFrom(resolution_message(question.resolution))
    return message


def _set_kind(message: question_pb2.Question, question: Question) -> None:
    kind = question.kind
    if isinstance(kind, Exclusive):
        message.exclusive.outcomes.extend(kind.outcomes)
    elif isinstance(kind, Numeric):
        message.numeric.grid.extend(kind.grid)
        message.numeric.unit = kind.unit
        message.numeric.scale = _SCALES[kind.scale]
    elif isinstance(kind, FreeText):
        message.free_text.normalization = _NORMALIZATIONS[kind.normalization]
        message.free_text.max_characters = kind.max_characters
    else:
        message.binary.SetInParent()


def resolution_message(resolution: Resolution) -> question_pb2.Resolution:
    """What happened as a message."""
    message = question_pb2.Resolution(
        question_id=resolution.question_id,
        known_time=timestamp(resolution.known_time),
        version=resolution.version,
    )
    if resolution.event_time is not None:
        message.event_time.CopyFrom(timestamp(resolution.event_time))
    if resolution.annulled:
        message.annulled = True
    elif resolution.retracted:
        message.retracted = True
    elif resolution.outcome is not None:
        message.outcome = resolution.outcome
    elif resolution.fraction is not None:
        message.fraction = resolution.fraction
    elif resolution.value is not None:
        message.value = resolution.value
    return message
