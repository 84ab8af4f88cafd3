# SPDX-License-Identifier: Apache-2.0
"""Beta calibration: two slopes, one for each end of the scale."""

import numpy as np

from kernels.calibrators import CalibrationMethod
from server.learning.batches import Floats, Integers
from server.learning.belief import Belief
from server.learning.calibration import Curve, Outcomes, Pools
from server.learning.context import Context

SLOPE_DEVIATION, INTERCEPT_DEVIATION = 0.3, 0.3


class Beta:
    """log-odds = c + a log p - b log(1 - p), a, b ~ N(1, 0.3²), c ~ N(0, 0.3²); (1, 1, 0) is the identity.

    Source: Kull, Silva Filho & Flach (2017), Beta calibration.
    """

    def __init__(self) -> None:
        self._belief = Belief()
        self._places = np.array(
            [
                [
                    self._belief.place("intercept", 0.0, INTERCEPT_DEVIATION),
                    self._belief.place("yes", 1.0, SLOPE_DEVIATION),
                    self._belief.place("no", 1.0, SLOPE_DEVIATION),
                ]
            ],
            dtype=np.int64,
        )

    def observe(self, pools: Pools, outcomes: Outcomes) -> None:
        """See ``Calibrator``."""
        self._belief.observe(
            *self._design(pools), outcomes.happened, outcomes.weights, shocks=outcomes.shocks
        )

    def calibrate(self, pools: Pools) -> Floats:
        """See ``Calibrator``."""
        return self._belief.sums(*self._design(pools))[0]

    def curve(self, context: Context, members: int) -> Curve:
        """See ``Calibrator``."""
        intercept, yes, no = self._belief.means(self._places)[0].tolist()
        return Curve(CalibrationMethod.BETA, (yes, no, intercept))

    def _design(self, pools: Pools) -> tuple[Integers, Floats]:
        yes = -np.logaddexp(0.0, -pools.log_odds)
        no = np.logaddexp(0.0, pools.log_odds)
        places = np.repeat(self._places, len(yes), axis=0)
        return places, np.column_stack([np.ones(len(yes)), yes, no])
