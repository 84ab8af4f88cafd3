# SPDX-License-Identifier: Apache-2.0
"""Recorded forecasts as columns.

Letters: U units, Q questions, A answers, M models, C conditions. A unit is a
question as asked for one forecast date and one resolution date. Days count
from 1970-01-01, UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Strings = tuple[str, ...]

#: "Not known", in a column of days or of outcomes.
UNKNOWN = -1
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Questions:
    """Q questions; an empty string is an unknown text, ``close_day`` (Q,) may be UNKNOWN."""

    question_id: Strings
    source: Strings
    kind: Strings
    category: Strings
    text: Strings
    background: Strings
    resolution_criteria: Strings
    url: Strings
    close_day: Integers


@dataclass(frozen=True, slots=True)
class Units:
    """U units in order of id.

    question (U,): index into the questions. outcome (U,): 1 YES, 0 NO or UNKNOWN.
    price, frozen_price (U,): probability on the forecast day and on ``frozen_day``,
    NaN where unknown. answers (U,): how many models answered.
    """

    id: Strings
    question: Integers
    forecast_day: Integers
    resolution_day: Integers
    outcome: Integers
    price: Floats
    frozen_price: Floats
    frozen_day: Integers
    answers: Integers


@dataclass(frozen=True, slots=True)
class Models:
    """M models; ``starts`` (M + 1,): where each one's answers begin, then A."""

    name: Strings
    base_model: Strings
    provider: Strings
    starts: Integers


@dataclass(frozen=True, slots=True)
class Answers:
    """A answers, grouped by model.

    unit, condition (A,): indexes. probability (A,): of YES. trials (A,): repeated
    samples behind it, 0 where not published. conditions: C lines that say how
    an answer came about.
    """

    unit: Integers
    probability: Floats
    trials: Integers
    condition: Integers
    conditions: Strings


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that the forecasts' files say, checked."""

    questions: Questions
    units: Units
    models: Models
    answers: Answers

    @classmethod
    def empty(cls) -> "Tables":
        """No recordings at all."""
        none: Any = np.zeros(0, np.int64)
        real: Any = np.zeros(0)
        return cls(
            Questions((), (), (), (), (), (), (), (), none),
            Units((), none, none, none, none, real, real, none, none),
            Models((), (), (), np.zeros(1, np.int64)),
            Answers(none, real, none, none, ()),
        )


@lru_cache(maxsize=4096)
def instant(day: int) -> datetime:
    """The first instant of a day, UTC."""
    return datetime.fromtimestamp(day * SECONDS_PER_DAY, UTC)
