# SPDX-License-Identifier: Apache-2.0
"""Questions, their kinds and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

YES, NO = "YES", "NO"


class NumericScale(StrEnum):
    """Scale on which a numeric forecast is interpolated."""

    LINEAR = "linear"
    LOG = "log"


class Normalization(StrEnum):
    """When two free-text answers are the same answer."""

    LOWERCASE_TRIM = "lowercase_trim"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    JSON = "json"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Binary:
    """Yes or no."""

    outcomes: tuple[str, ...] = (YES, NO)


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Exactly one of the named outcomes."""

    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number; forecasts are cumulative probabilities at the grid points."""

    grid: tuple[float, ...]
    unit: str = ""
    scale: NumericScale = NumericScale.LINEAR


@dataclass(frozen=True, slots=True)
class FreeText:
    """Any text."""

    normalization: Normalization = Normalization.LOWERCASE_TRIM
    max_characters: int = 256


QuestionKind = Binary | Exclusive | Numeric | FreeText


@dataclass(frozen=True, slots=True)
class Resolution:
    """What happened. Exactly one of outcome, fraction, value, annulled, retracted."""

    question_id: str
    known_time: datetime
    outcome: str | None = None
    fraction: float | None = None
    value: float | None = None
    annulled: bool = False
    retracted: bool = False
    event_time: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the future. Times are aware, UTC; see ``question.proto``."""

    id: str
    text: str = ""
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

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes; empty where only the answers will tell."""
        return self.kind.outcomes if isinstance(self.kind, Binary | Exclusive) else ()
