# SPDX-License-Identifier: Apache-2.0
"""Isotonic calibration: the best rising step function, trusted as evidence grows."""

import numpy as np

from server.learning.batches import Floats, expit, log_odds
from server.learning.calibration import Outcomes, Pools

#: With so many outcomes the steps are trusted half, the pool's own probability half.
PRIOR_CASES = 100.0
#: The steps are found anew once the outcomes have grown by this share.
REFRESH = 0.05


class Isotonic:
    """Probability = n / (n + 100) × step function + 100 / (n + 100) × pool.

    Steps by pool-adjacent-violators over all outcomes known so far, read off
    linearly between the middles of the steps.
    Source: Ayer et al. (1955); Zadrozny & Elkan (2002).
    """

    def __init__(self, prior_cases: float = PRIOR_CASES) -> None:
        self._prior_cases = prior_cases
        self._said = np.zeros(0)
        self._happened = np.zeros(0)
        self._weights = np.zeros(0)
        self._fitted = 0
        self._steps = (np.zeros(0), np.zeros(0))

    def observe(self, pools: Pools, outcomes: Outcomes) -> None:
        """See ``Calibrator``."""
        self._said = np.append(self._said, expit(pools.log_odds))
        self._happened = np.append(self._happened, outcomes.happened)
        self._weights = np.append(self._weights, outcomes.weights)

    def calibrate(self, pools: Pools) -> Floats:
        """See ``Calibrator``."""
        own = expit(pools.log_odds)
        if len(self._said) - self._fitted > REFRESH * self._fitted:
            self._steps = rising_steps(self._said, self._happened, self._weights)
            self._fitted = len(self._said)
        if not self._fitted:
            return pools.log_odds
        total = float(self._weights.sum())
        trust = total / (total + self._prior_cases)
        return log_odds(trust * np.interp(own, *self._steps) + (1.0 - trust) * own)


def rising_steps(said: Floats, happened: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Middles and heights of the steps that rise and fit best, in order; arrays (N,) of any order."""
    order = np.argsort(said, kind="stable")
    places: list[float] = []
    heights: list[float] = []
    masses: list[float] = []
    for x, y, w in zip(said[order].tolist(), happened[order].tolist(), weights[order].tolist(), strict=True):
        place, height, mass = x, y, max(w, 1e-12)
        while heights and heights[-1] >= height:
            before = masses.pop()
            place = (places.pop() * before + place * mass) / (before + mass)
            height = (heights.pop() * before + height * mass) / (before + mass)
            mass += before
        places.append(place)
        heights.append(height)
        masses.append(mass)
    return np.array(places), np.array(heights)
