# SPDX-License-Identifier: Apache-2.0
"""How long a simulated answer takes."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """Family of a latency distribution."""

    FIXED = "fixed"
    UNIFORM = "uniform"
    LOGNORMAL = "lognormal"


@dataclass(frozen=True, slots=True)
class Latency:
    """A distribution of seconds, with an optional slow tail.

    FIXED: always ``typical_s``. UNIFORM: from ``typical_s`` to ``spread``
    seconds. LOGNORMAL: median ``typical_s``, ``spread`` the deviation of the
    logarithm. With probability ``tail_share`` the draw is multiplied by
    ``tail_factor``.
    """

    shape: Shape = Shape.FIXED
    typical_s: float = 0.0
    spread: float = 0.0
    tail_share: float = 0.0
    tail_factor: float = 1.0

    def draw(self, random_source: random.Random) -> float:
        """One latency, in seconds, >= 0."""
        slow = self.tail_share > 0 and random_source.random() < self.tail_share
        return self._body(random_source) * (self.tail_factor if slow else 1.0)

    def _body(self, random_source: random.Random) -> float:
        if self.shape is Shape.UNIFORM:
            return random_source.uniform(self.typical_s, self.spread)
        if self.shape is Shape.LOGNORMAL:
            return self.typical_s * math.exp(random_source.gauss(0.0, self.spread))
        return self.typical_s
