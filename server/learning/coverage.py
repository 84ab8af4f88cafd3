# SPDX-License-Identifier: Apache-2.0
"""Sets of outcomes, and intervals of numbers, that hold the truth as often as they say.

Conformal prediction: how strange each outcome was under the answer that was given,
and the strangeness that all but a tenth of them stayed below. It assumes that the
next question is like those before, and that each of those is evidence by itself.
Neither is so here, hence three cautions. Outcomes that one piece of news moved
together weigh less than as many independent ones. A threshold is taken one standard
error above what was seen, so that few outcomes promise less. And where more is missed
than a tenth, the level is raised until that is over; it is never lowered.
Source: Vovk, Gammerman & Shafer (2005), Algorithmic learning in a random world;
Vovk (2012), Conditional validity of inductive conformal predictors, for the margin;
Gibbs & Candès (2021), Adaptive conformal inference under distribution shift.
"""

import math
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from server.learning.batches import Floats
from server.learning.belief import SHOCK_DEVIATION

#: Wanted coverage.
LEVEL = 0.9
#: Outcomes remembered in each group, and what a group needs to speak for itself, in independent ones.
WINDOW, ENOUGH = 5000, 50
#: Fewer outcomes than this allow no statement at all: the 9 that one miss in ten needs, twice.
LEAST = 18
#: How fast the level rises where too much is missed.
RATE = 0.002
#: Standard errors of the coverage that the threshold is set above what was seen.
MARGIN = 1.0
#: Correlation of what one shock moves, on the scale of log-odds: the calibration's belief about shocks.
TOGETHER = SHOCK_DEVIATION**2 / (SHOCK_DEVIATION**2 + math.pi**2 / 3.0)
#: A threshold is found anew once the outcomes have grown by this share.
REFRESH = 0.02


@dataclass(slots=True)
class _Group:
    scores: deque[float] = field(default_factory=deque)
    shocks: deque[Hashable] = field(default_factory=deque)
    sizes: Counter[Hashable] = field(default_factory=Counter)
    miss: float = 1.0 - LEVEL
    independent: float = 0.0
    fresh: int = 0
    _threshold: float | None = None

    def add(self, score: float, shock: Hashable) -> None:
        threshold = self.threshold
        self.scores.append(score)
        self.shocks.append(shock)
        self.sizes[shock] += 1
        if len(self.scores) > WINDOW:
            self.scores.popleft()
            self._forget(self.shocks.popleft())
        self.fresh += 1
        if threshold is not None:
            step = RATE * self._weight(shock) * ((1.0 - LEVEL) - (score > threshold))
            self.miss = min(max(self.miss + step, 0.005), 1.0 - LEVEL)

    @property
    def threshold(self) -> float | None:
        if self.fresh and self.fresh >= REFRESH * len(self.scores):
            self._find()
        return self._threshold

    def _find(self) -> None:
        """The weighted quantile, a margin above the wanted one."""
        self.fresh = 0
        if len(self.scores) < LEAST:
            return
        scores = np.array(self.scores)
        weights = np.array([self._weight(shock) for shock in self.shocks])
        self.independent = float(weights.sum())
        error = math.sqrt(LEVEL * (1.0 - LEVEL) / self.independent)
        wanted = (self.independent + 1.0) * (1.0 - self.miss + MARGIN * error)
        order = np.argsort(scores)
        place = int(np.searchsorted(np.cumsum(weights[order]), wanted - 1e-9))
        self._threshold = float(scores[order[min(place, len(scores) - 1)]])

    def _weight(self, shock: Hashable) -> float:
        """Of one shock n outcomes are worth n / (1 + (n - 1) r) independent ones."""
        return 1.0 if shock is None else 1.0 / (1.0 + (self.sizes[shock] - 1) * TOGETHER)

    def _forget(self, shock: Hashable) -> None:
        self.sizes[shock] -= 1
        if not self.sizes[shock]:
            del self.sizes[shock]


class Coverage:
    """Thresholds by kind of answer and of question; a kind with few outcomes takes the most careful one."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], _Group] = {}

    def learn(self, numeric: bool, kind: str, said: Floats, happened: Floats, shock: Hashable = None) -> None:
        """Take in one outcome.

        ``said`` and ``happened`` (C,) as in ``strangeness``; ``shock``: what moved it
        together with others, as in ``batches.Resolved``.
        """
        score = strangeness(numeric, said, happened)
        for name in dict.fromkeys(("", kind)):
            self._groups.setdefault((_shape(numeric), name), _Group()).add(score, shock)

    def threshold(self, numeric: bool, kind: str) -> float:
        """The strangeness that the truth stays below; 0 where too little is known."""
        own = self._groups.get((_shape(numeric), kind))
        if own is not None and own.threshold is not None and own.independent >= ENOUGH:
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
