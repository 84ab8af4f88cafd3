# SPDX-License-Identifier: Apache-2.0
"""Platt scaling, alone and with groups that borrow strength from wider ones."""

import numpy as np

from kernels.calibrators import CalibrationMethod
from server.learning.batches import Floats, Integers
from server.learning.belief import NOTHING, Belief
from server.learning.calibration import Curve, Outcomes, Pools
from server.learning.context import CATEGORY, Context
from server.learning.redundancy import spread_factor

#: Prior deviations of the one slope and the one intercept of plain Platt scaling.
SLOPE_DEVIATION, INTERCEPT_DEVIATION = 0.3, 0.3
#: The same for each level of the hierarchy, widest first. What one kind of question teaches
#: says little about another kind, so most of the freedom is below the top: a kind that was
#: never met is left nearly as its pool says.
SLOPE_DEVIATIONS = (0.1, 0.3, 0.2, 0.2, 0.2)
INTERCEPT_DEVIATIONS = (0.05, 0.1, 0.1, 0.1)
#: Longest chain of groups: all, kind, source, source and horizon, category.
DEPTH = 5
CATEGORY_LEVEL = 4


class Platt:
    """log-odds = a + b × pool, a ~ N(0, 0.3²), b ~ N(1, 0.3²), one pair for all questions.

    Source: Platt (1999), Probabilistic outputs for support vector machines.
    """

    def __init__(self) -> None:
        self._belief = Belief()
        intercept = self._belief.place("intercept", 0.0, INTERCEPT_DEVIATION)
        slope = self._belief.place("slope", 1.0, SLOPE_DEVIATION)
        self._places = np.array([[intercept, slope]], dtype=np.int64)

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
        intercept, slope = self._belief.means(self._places)[0].tolist()
        return Curve(CalibrationMethod.PLATT, (slope, intercept))

    def _design(self, pools: Pools) -> tuple[Integers, Floats]:
        places = np.repeat(self._places, len(pools.log_odds), axis=0)
        return places, np.column_stack([np.ones(len(places)), pools.log_odds])


class HierarchicalPlatt:
    """log-odds = Σ_g a_g + Σ_g b_g × s(M) × pool over the groups g that a question belongs to.

    The groups are those of ``Context.chain``: all questions, their kind, source,
    source and horizon, category. Every a_g and b_g is N(0, d²) a priori with the
    deviations above, but b of all questions is N(1, d²): a group with few outcomes
    does as the wider ones do. A category has a slope only: how often things happen in a topic changes
    with the news. s(M) carries what is learned of single members over to ensembles
    (``spread_factor``). What one piece of news did to many questions at once is
    integrated out (``Belief.observe``).
    """

    def __init__(self) -> None:
        self._belief = Belief()
        self._rows: dict[Context, list[int]] = {}

    def observe(self, pools: Pools, outcomes: Outcomes) -> None:
        """See ``Calibrator``."""
        self._belief.observe(
            *self._design(pools), outcomes.happened, outcomes.weights, shocks=outcomes.shocks
        )

    def calibrate(self, pools: Pools) -> Floats:
        """See ``Calibrator``."""
        return self._belief.sums(*self._design(pools))[0]

    def spread(self, pools: Pools) -> Floats:
        """(N,): variance of the calibrated log-odds, from what is not known of the coefficients."""
        return self._belief.sums(*self._design(pools))[1]

    def curve(self, context: Context, members: int) -> Curve:
        """See ``Calibrator``."""
        factor = float(spread_factor(np.array([members]))[0])
        means = self._belief.means(np.array([self._row(context)], dtype=np.int64))[0]
        slope = float(means[DEPTH:].sum()) * factor
        return Curve(CalibrationMethod.PLATT, (slope, float(means[:DEPTH].sum())))

    def _design(self, pools: Pools) -> tuple[Integers, Floats]:
        places = np.array([self._row(context) for context in pools.contexts], dtype=np.int64)
        scaled = (pools.log_odds * spread_factor(pools.members))[:, None]
        values = np.column_stack(
            [np.ones((len(places), DEPTH)), np.broadcast_to(scaled, (len(places), DEPTH))]
        )
        return places.reshape(-1, 2 * DEPTH), values

    def _row(self, context: Context) -> list[int]:
        row = self._rows.get(context)
        if row is None:
            row = self._rows[context] = self._new_row(context)
        return row

    def _new_row(self, context: Context) -> list[int]:
        intercepts, slopes = [NOTHING] * DEPTH, [NOTHING] * DEPTH
        for place, group in enumerate(context.chain):
            level = CATEGORY_LEVEL if group.startswith(CATEGORY) else place
            mean = 0.0 if group else 1.0
            slopes[place] = self._belief.place(("slope", group), mean, SLOPE_DEVIATIONS[level])
            if level != CATEGORY_LEVEL:
                intercepts[place] = self._belief.place(("intercept", group), 0.0, INTERCEPT_DEVIATIONS[level])
        return [*intercepts, *slopes]
