# SPDX-License-Identifier: Apache-2.0
"""Questions about the future, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consilience._enums import Numbers
from consilience._times import to_datetime, to_timestamp
from consilience.v1 import question_pb2

__all__ = [
    "Binary",
    "Exclusive",
    "FreeText",
    "Normalization",
    "Numeric",
    "NumericScale",
    "Question",
    "QuestionKind",
    "Resolution",
]


class NumericScale(StrEnum):
    """Scale on which a numeric forecast is interpolated."""

    UNSPECIFIED = "unspecified"
    LINEAR = "linear"
    LOG = "log"


class Normalization(StrEnum):
    """When two free-text answers are the same answer."""

    UNSPECIFIED = "unspecified"
    LOWERCASE_TRIM = "lowercase_trim"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    JSON = "json"
    EMBEDDING = "embedding"


_SCALES = Numbers(NumericScale, question_pb2.NumericScale, "NUMERIC_SCALE_")
_NORMALIZATIONS = Numbers(Normalization, question_pb2.Normalization, "NORMALIZATION_")


@dataclass(frozen=True, slots=True)
class Binary:
    """Yes or no; the outcomes are "YES" and "NO"."""


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Exactly one of 2 to 64 named outcomes."""

    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number: 2 to 256 strictly increasing grid points, in ``unit``."""

    grid: tuple[float, ...]
    unit: str = ""
    scale: NumericScale = NumericScale.LINEAR


@dataclass(frozen=True, slots=True)
class FreeText:
    """Any text; equal answers are grouped and voted on."""

    normalization: Normalization = Normalization.LOWERCASE_TRIM
    max_characters: int = 256


QuestionKind = Binary | Exclusive | Numeric | FreeText


@dataclass(frozen=True, slots=True)
class Resolution:
    """What happened. Exactly one of outcome, fraction, value, annulled and retracted is set."""

    question_id: str
    outcome: str | None = None
    fraction: float | None = None
    value: float | None = None
    annulled: bool = False
    retracted: bool = False
    event_time: datetime | None = None
    known_time: datetime | None = None
    version: int = 0

    @classmethod
    def from_message(cls, message: question_pb2.Resolution) -> "Resolution":
        """From the contract's message."""
        which = message.WhichOneof("result")
        return cls(
            question_id=message.question_id,
            outcome=message.outcome if which == "outcome" else None,
            fraction=message.fraction if which == "fraction" else None,
            value=message.value if which == "value" else None,
            annulled=message.annulled,
            retracted=message.retracted,
            event_time=to_datetime(message.event_time) if message.HasField("event_time") else None,
            known_time=to_datetime(message.known_time) if message.HasField("known_time") else None,
            version=message.version,
        )

    def to_message(self) -> question_pb2.Resolution:
        """As the contract's message.

        Raises:
            ValueError: a time has no zone.
        """
        message = question_pb2.Resolution(question_id=self.question_id, version=self.version)
        for name in ("outcome", "fraction", "value"):
            if getattr(self, name) is not None:
                setattr(message, name, getattr(self, name))
        for name in ("annulled", "retracted"):
            if getattr(self, name):
                setattr(message, name, True)
        for name in ("event_time", "known_time"):
            instant = getattr(self, name)
            if instant is not None:
                getattr(message, name).CopyFrom(to_timestamp(name, instant))
        return message


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the future. Every time is an aware datetime.

    An ``id`` alone is enough for a question that the server's catalogue knows; a
    ``text`` alone for one of your own. ``background`` and ``resolution_criteria``
    are quoted to language models as data, never as instructions.

    >>> Question("Will it rain in Oslo tomorrow?").kind
    Binary()
    >>> Question("Who wins?", kind=Exclusive(("Ann", "Bob"))).kind.outcomes
    ('Ann', 'Bob')
    """

    text: str = ""
    id: str = ""
    kind: QuestionKind = Binary()
    background: str = ""
    resolution_criteria: str = ""
    category: str = ""
    as_of_time: datetime | None = None
    resolve_time: datetime | None = None
    stake_usd: float = 0.0
    market_probability: float | None = None
    market_time: datetime | None = None
    source: str = ""
    url: str = ""
    origin: str = ""
    regime: str = ""
    resolution: Resolution | None = None

    @classmethod
    def from_message(cls, message: question_pb2.Question) -> "Question":
        """From the contract's message."""
        return cls(
            text=message.text,
            id=message.id,
            kind=_kind_from(message),
            background=message.background,
            resolution_criteria=message.resolution_criteria,
            category=message.category,
            as_of_time=to_datetime(message.as_of_time) if message.HasField("as_of_time") else None,
            resolve_time=to_datetime(message.resolve_time) if message.HasField("resolve_time") else None,
            stake_usd=message.stake_usd,
            market_probability=message.market_probability if message.HasField("market_probability") else None,
            market_time=to_datetime(message.market_time) if message.HasField("market_time") else None,
            source=message.source,
            url=message.url,
            origin=message.origin,
            regime=message.regime,
            resolution=Resolution.from_message(message.resolution)
            if message.HasField("resolution")
            else None,
        )

    def to_message(self) -> question_pb2.Question:
        """As the contract's message; ``resolution`` is output only and stays behind.

        Raises:
            ValueError: a time has no zone.
        """
        message = question_pb2.Question(
            id=self.id,
            text=self.text,
            background=self.background,
            resolution_criteria=self.resolution_criteria,
            category=self.category,
            stake_usd=self.stake_usd,
            market_probability=self.market_probability,
            source=self.source,
            url=self.url,
            origin=self.origin,
            regime=self.regime,
        )
        for name in ("as_of_time", "resolve_time", "market_time"):
            instant = getattr(self, name)
            if instant is not None:
                getattr(message, name).CopyFrom(to_timestamp(name, instant))
        _set_kind(message, self.kind)
        return message


def _kind_from(message: question_pb2.Question) -> QuestionKind:
    match message.WhichOneof("kind"):
        case "exclusive":
            return Exclusive(tuple(message.exclusive.outcomes))
        case "numeric":
            numeric = message.numeric
            return Numeric(tuple(numeric.grid), numeric.unit, _SCALES[numeric.scale])
        case "free_text":
            text = message.free_text
            return FreeText(_NORMALIZATIONS[text.normalization], text.max_characters)
    return Binary()


def _set_kind(message: question_pb2.Question, kind: QuestionKind) -> None:
    # Binary is what an absent kind means, so an id alone stays an id alone.
    match kind:
        case Exclusive(outcomes):
            message.exclusive.CopyFrom(question_pb2.ExclusiveQuestion(outcomes=outcomes))
        case Numeric(grid, unit, scale):
            name = "NUMERIC_SCALE_" + scale.upper()
            numeric = question_pb2.NumericQuestion(grid=grid, unit=unit, scale=name)
            message.numeric.CopyFrom(numeric)
        case FreeText(normalization, max_characters):
            name = "NORMALIZATION_" + normalization.upper()
            text = question_pb2.FreeTextQuestion(normalization=name, max_characters=max_characters)
            message.free_text.CopyFrom(text)


def to_messages(questions: Sequence[Question | str]) -> list[question_pb2.Question]:
    """Questions, or their bare texts, as messages."""
    return [to_message(question) for question in questions]


def to_message(question: Question | str) -> question_pb2.Question:
    """A question, or its bare text, as a message."""
    return (Question(question) if isinstance(question, str) else question).to_message()
