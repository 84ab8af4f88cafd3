# SPDX-License-Identifier: Apache-2.0
"""Isotonic calibration: the best rising curve, trusted as evidence grows."""

import numpy as np

from kernels.calibrators import CalibrationMethod, calibrated
from kernels.isotonic import fit_isotonic
from server.learning.batches import Floats, expit, log_odds
from server.learning.calibration import IDENTITY, Curve, Outcomes, Pools
from server.learning.context import Context

#: With so many outcomes the curve is trusted half, the pool's own probability half.
PRIOR_CASES = 100.0
#: The curve is found anew once the outcomes have grown by this share.
REFRESH = 0.05


class Isotonic:
    """Probability = n / (n + 100) × rising curve + 100 / (n + 100) × pool, n outcomes so far.

    The curve is the isotonic regression of all outcomes known so far on the pool.
    Source: Zadrozny & Elkan (2002), Transforming classifier scores.
    """

    def __init__(self, prior_cases: float = PRIOR_CASES) -> None:
        self._prior_cases = prior_cases
        self._said = np.zeros(0)
        self._happened = np.zeros(0)
        self._weights = np.zeros(0)
        self._fitted = 0
        self._curve = IDENTITY

    def observe(self, pools: Pools, outcomes: Outcomes) -> None:
        """See ``Calibrator``."""
        self._said = np.append(self._said, expit(pools.log_odds))
        self._happened = np.append(self._happened, outcomes.happened)
        self._weights = np.append(self._weights, outcomes.weights)

    def calibrate(self, pools: Pools) -> Floats:
        """See ``Calibrator``."""
        curve = self._now()
        if curve is IDENTITY:
            return pools.log_odds
        return log_odds(calibrated(expit(pools.log_odds), curve.method, np.array(curve.parameters)))

    def curve(self, context: Context, members: int) -> Curve:
        """See ``Calibrator``."""
        return self._now()

    def _now(self) -> Curve:
        if len(self._said) - self._fitted > REFRESH * self._fitted:
            self._curve = self._fit()
            self._fitted = len(self._said)
        return self._curve

    def _fit(self) -> Curve:
        places, heights = np.split(fit_isotonic(self._said, self._happened, self._weights), 2)
        inside = (places > 0.0) & (places < 1.0)
        places = np.concatenate([[0.0], places[inside], [1.0]])
        heights = np.concatenate([heights[:1], heights[inside], heights[-1:]])
        total = float(self._weights.sum())
        trust = total / (total + self._prior_cases)
        mixed = trust * heights + (1.0 - trust) * places
        return Curve(CalibrationMethod.ISOTONIC, tuple(np.concatenate([places, mixed]).tolist()))
