# SPDX-License-Identifier: Apache-2.0
"""Sets of outcomes, and intervals of numbers, that hold the truth as often as they say.

Conformal prediction: how strange each outcome was under the answer that was given,
and the strangeness that all but a tenth of them stayed below. It assumes that the
next question is like those before; where that drifts, the level is moved until the
measured coverage is right again.
Source: Vovk, Gammerman & Shafer (2005), Algorithmic learning in a random world;
Gibbs & Candès (2021), Adaptive conformal inference under distribution shift.
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from server.learning.batches import Floats

#: Wanted coverage.
LEVEL = 0.9
#: Outcomes remembered in each group, and how many a group needs to speak for itself.
WINDOW, ENOUGH = 1000, 50
#: Fewer outcomes than this allow no statement at all: the 9 that one miss in ten needs, twice.
LEAST = 18
#: How fast the level follows what is measured.
RATE = 0.01


@dataclass(slots=True)
class _Group:
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    miss: float = 1.0 - LEVEL
    threshold: float | None = None

    def add(self, score: float) -> None:
        if self.threshold is not None:
            missed = score > self.threshold
            self.miss = min(max(self.miss + RATE * ((1.0 - LEVEL) - missed), 0.005), 0.5)
        self.scores.append(score)
        count = len(self.scores)
        if count >= LEAST:
            place = min(math.ceil((count + 1) * (1.0 - self.miss)), count) - 1
            self.threshold = float(np.partition(np.array(self.scores), place)[place])


class Coverage:
    """Thresholds by kind of answer and of question; a kind with few outcomes takes the most careful one."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], _Group] = {}

    def learn(self, numeric: bool, kind: str, said: Floats, happened: Floats) -> None:
        """Take in one outcome; ``said`` and ``happened`` (C,) as in ``strangeness``."""
        score = strangeness(numeric, said, happened)
        for name in dict.fromkeys(("", kind)):
            self._groups.setdefault((_shape(numeric), name), _Group()).add(score)

    def threshold(self, numeric: bool, kind: str) -> float:
        """The strangeness that the truth stays below; 0 where too little is known."""
        own = self._groups.get((_shape(numeric), kind))
        if own is not None and len(own.scores) >= ENOUGH and own.threshold is not None:
            return max(own.threshold, 1e-12)
        known = [
            group.threshold
            for (shape, _), group in self._groups.items()
            if shape == _shape(numeric) and group.threshold is not None
        ]
        return max(*known, 1e-12) if known else 0.0


def strangeness(numeric: bool, said: Floats, happened: Floats) -> float:
    """0..1: one minus what was said of the truth; of a number, how far out in the distribution it lies.

    ``said`` (C,) probabilities (a number: masses between grid points), ``happened``
    (C,) how far each happened.
    """
    if not numeric:
        return float(1.0 - said @ happened)
    place = int(happened.argmax())
    below = float(said[:place].sum()) + 0.5 * float(said[place])
    return abs(2.0 * below - 1.0)


def _shape(numeric: bool) -> str:
    return "number" if numeric else "labels"
