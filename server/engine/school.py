# SPDX-License-Identifier: Apache-2.0
"""Market ensembles learn from the stream itself: later books say what became of a signal.

Per process and in memory; a restart begins anew, which a stream makes good in minutes.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.engine.advice import Advice
from server.engine.learned import LearnedAdvice
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.ensemble import Plan
from server.forecasting.ports import Forecaster
from server.forecasting.prediction import Prediction
from server.forecasting.question import Exclusive, Question
from server.learning.context import Context
from server.learning.learning import Answered, Known
from server.learning.memory import Memory

#: Outcomes learned at once; one by one they would cost the stream more than its features.
BATCH = 32
#: Changes that the threshold between flat and not rests on, and how many before anything is learned.
WINDOW, ENOUGH = 1000, 30


class SignalSchool:
    """An ``Adviser`` for market ensembles, taught by ``Awaiting``."""

    def __init__(self, clock: Clock) -> None:
        self.memory = Memory()
        self._clock = clock
        self._changes: deque[float] = deque(maxlen=WINDOW)
        self._total = 0.0
        self._known: list[Known] = []

    async def advise(
        self, forecasters: Mapping[str, Forecaster], plan: Plan, question: Question, deadline: Deadline
    ) -> Advice | None:
        """See ``Adviser``."""
        del deadline
        if not isinstance(question.kind, Exclusive):
            return None
        return LearnedAdvice.of(self.memory, forecasters, plan, question, self._clock.now())

    def resolve(self, answered: Answered, change: float) -> None:
        """A signal's outcome: the relative change of the mid-price.

        Flat is what moves less than half of the mean of recent changes, by which the three
        directions are about as frequent.
        """
        if len(self._changes) >= ENOUGH:
            self._known.append(Known(answered, self._direction(change)))
            if len(self._known) == BATCH:
                self._learn()
        if len(self._changes) == WINDOW:
            self._total -= self._changes[0]
        self._changes.append(abs(change))
        self._total += abs(change)

    def _direction(self, change: float) -> NDArray[np.float64]:
        """(3,) one-hot: DOWN, NEUTRAL, UP."""
        alpha = 0.5 * self._total / len(self._changes)
        place = 2 if change > alpha else 0 if change < -alpha else 1
        happened = np.zeros(3)
        happened[place] = 1.0
        return happened

    def _learn(self) -> None:
        batch, self._known = self._known, []
        self.memory.learning.answered([known.answered for known in batch])
        self.memory.learning.known(batch)


@dataclass(frozen=True, slots=True)
class _Open:
    due: int
    mid2: int
    total: int
    horizon: int
    answered: Answered


class Awaiting:
    """The open signals of one symbol; mids are sums of best bid and ask in ticks, so sums are exact."""

    def __init__(self, school: SignalSchool) -> None:
        self.school = school
        self._open: deque[_Open] = deque()
        self._updates = 0
        self._total = 0

    def update(self, mid2: int) -> None:
        """A book update; signals whose horizon it ends are resolved.

        The change is (mean of the mids over the horizon - mid at the signal) / mid.
        Source: Zhang, Zohren & Roberts (2019), DeepLOB, eq. 3.
        """
        self._updates += 1
        self._total += mid2
        while self._open and self._open[0].due <= self._updates:
            signal = self._open.popleft()
            mean = (self._total - signal.total) / signal.horizon
            self.school.resolve(signal.answered, (mean - signal.mid2) / signal.mid2)

    def signal(self, prediction: Prediction, mid2: int, horizon: int) -> None:
        """A signal has been given; members that were absent are so in what is learned."""
        if not prediction.raw_probabilities or mid2 <= 0:
            return
        nobody = (np.nan,) * len(prediction.outcomes)
        rows = [part.forecast.probabilities if part.forecast else nobody for part in prediction.members]
        answered = Answered(
            prediction.ensemble,
            tuple(part.member for part in prediction.members),
            np.array(rows, dtype=np.float64),
            np.array(prediction.raw_probabilities),
            Context(kind=prediction.ensemble, category="market"),
        )
        self._open.append(_Open(self._updates + horizon, mid2, self._total, horizon, answered))
