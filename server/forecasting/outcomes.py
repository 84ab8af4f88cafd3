# SPDX-License-Identifier: Apache-2.0
"""Outcomes that became known, and the stored answers that they judge.

Shapes: M members, C outcomes (for a number: the ranges between grid points).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.forecasting.question import Resolution

Floats = NDArray[np.float64]

#: Kinds of question whose answers weights and calibration are learned from.
LEARNABLE = frozenset({"binary", "exclusive"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one resolution.

    ``version`` is in force now, 0 where it was refused (``error`` says why);
    ``scored`` counts the member forecasts that this call scored; ``changed`` says
    whether the version is new.
    """

    question_id: str
    version: int
    scored: int = 0
    error: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A stored answer as learning sees it.

    ``members`` (M names), everyone of the ensemble, with ``probabilities`` (M, C), NaN
    rows for the absent; ``weights`` (M,) as they were pooled, ``raw`` (C,) the pool before
    calibration, ``said`` (C,) after it. ``seconds`` and ``usd`` (M,), NaN where unknown.
    ``price``: the place of the market's price among the members, None without one.
    Instants are microseconds since 1970; ``asked_us`` is that for which it was asked.
    ``outcomes`` are names, or the grid of a number. Exclusive: exactly one of C.
    """

    prediction_id: str
    question_id: str
    ensemble: str
    kind: str
    created_us: int
    asked_us: int
    members: tuple[str, ...]
    probabilities: Floats
    weights: Floats
    raw: Floats
    said: Floats
    seconds: Floats
    usd: Floats
    price: int | None
    price_is_fresh: bool
    origin: str
    source: str
    category: str
    horizon_days: float | None
    regime: str
    outcomes: tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """A question's outcome in force; ``known_us``: when it became known; ``sequence`` orders all changes."""

    question_id: str
    version: int
    sequence: int
    known_us: int
    resolution: Resolution


class OutcomeStore(Protocol):
    """Where outcomes are kept, beside the predictions that they judge; shared by processes."""

    async def record(
        self, resolutions: Sequence[Resolution], now: datetime, actor: str = ""
    ) -> Sequence[Recorded]:
        """Add outcomes and score the forecasts that they judge, in one transaction, each once.

        ``version`` 0 stands for the next one. An equal one again changes nothing, but scores
        what has been stored since. Forecasts made for an instant at which the outcome was
        known already are not scored.

        Raises:
            RecordError: nothing was written.
        """
        ...

    async def last_sequence(self) -> int:
        """Of the last change; 0 before the first."""
        ...

    async def outcomes(self, after: int = 0) -> Sequence[InForce]:
        """Those in force whose last change came after a sequence, in its order."""
        ...

    async def judged(self, question_ids: Sequence[str]) -> Sequence[Case]:
        """All stored answers to these questions, in order of (asked, question, id)."""
        ...

    async def ids_since(self, since_us: int) -> Sequence[tuple[str, int]]:
        """Id and time, in microseconds, of every stored answer created at or after an instant."""
        ...

    async def answered(self, prediction_ids: Sequence[str]) -> Sequence[Case]:
        """The stored answers with these ids, in order of (asked, question, id)."""
        ...

    async def load(self, writer: str) -> tuple[int, int, bytes] | None:
        """The snapshot of that form: sequence, time in microseconds and state."""
        ...

    async def keep(self, writer: str, sequence: int, time_us: int, state: bytes) -> None:
        """Keep a snapshot in place of all others.

        Raises:
            RecordError: it is not on disk.
        """
        ...


def truth(case: Case, resolution: Resolution) -> Floats | None:
    """(C,), summing to 1: how far each outcome happened; None where that is not known, or fits no outcome."""
    if resolution.annulled or resolution.retracted:
        return None
    if case.kind == "numeric":
        return None if resolution.value is None else _number(case, resolution.value)
    if resolution.fraction is not None and case.kind == "binary":
        return np.array([resolution.fraction, 1.0 - resolution.fraction])
    if resolution.outcome in case.outcomes and case.kind in LEARNABLE:
        return np.array([float(name == resolution.outcome) for name in case.outcomes])
    return None


def unfit(resolution: Resolution, asked: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """Why a result cannot be that of its question; empty where it can, or where nobody asked.

    ``asked``: kind and outcomes (none of a number) of the questions asked under its id.
    """
    if resolution.annulled or resolution.retracted or any(_fits(resolution, *each) for each in asked):
        return ""
    mends = dict.fromkeys(_mend(*each) for each in asked)
    return f"is no result of this question; give {', or '.join(mends)}" if mends else ""


def _fits(resolution: Resolution, kind: str, outcomes: tuple[str, ...]) -> bool:
    if kind == "numeric":
        return resolution.value is not None
    return resolution.outcome in outcomes or (kind == "binary" and resolution.fraction is not None)


def _mend(kind: str, outcomes: tuple[str, ...]) -> str:
    if kind == "numeric":
        return "a value"
    return f"an outcome of {', '.join(outcomes)}" + (", or a fraction" if kind == "binary" else "")


def _number(case: Case, value: float) -> Floats:
    happened = np.zeros(len(case.outcomes) + 1)
    happened[int(np.searchsorted(np.array(case.outcomes, dtype=np.float64), value, side="left"))] = 1.0
    return happened
