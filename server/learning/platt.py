# SPDX-License-Identifier: Apache-2.0
"""Platt scaling, alone and with groups that borrow strength from wider ones."""

import numpy as np

from server.learning.batches import Floats, Integers
from server.learning.belief import NOTHING, Belief
from server.learning.calibration import Outcomes, Pools
from server.learning.context import CATEGORY, Context
from server.learning.redundancy import spread_factor

#: Prior deviations of the one slope and the one intercept of plain Platt scaling.
SLOPE_DEVIATION, INTERCEPT_DEVIATION = 0.3, 0.3
#: The same for each level of the hierarchy.
LEVEL_SLOPE_DEVIATION, LEVEL_INTERCEPT_DEVIATION = 0.2, 0.1
#: Longest chain of groups: all, kind, source, source and horizon, category.
DEPTH = 5


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

    def _design(self, pools: Pools) -> tuple[Integers, Floats]:
        places = np.repeat(self._places, len(pools.log_odds), axis=0)
        return places, np.column_stack([np.ones(len(places)), pools.log_odds])


class HierarchicalPlatt:
    """log-odds = Σ_g a_g + Σ_g b_g × s(M) × pool over the groups g that a question belongs to.

    The groups are those of ``Context.chain``: all questions, their kind, source,
    source and horizon, category. Every a_g ~ N(0, 0.1²), every b_g ~ N(0, 0.2²) but
    that of all questions ~ N(1, 0.2²): a group with few outcomes does as the wider
    ones do. A category has a slope only: how often things happen in a topic changes
    with the news. s(M) carries what is learned of single members over to ensembles
    (``spread_factor``). What one piece of news did to many questions at once is
    integrated out (``Belief.observe``).
    """

    def __init__(
        self,
        slope_deviation: float = LEVEL_SLOPE_DEVIATION,
        intercept_deviation: float = LEVEL_INTERCEPT_DEVIATION,
    ) -> None:
        self._slope_deviation = slope_deviation
        self._intercept_deviation = intercept_deviation
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

    def line(self, context: Context, members: int) -> tuple[float, float]:
        """Intercept and slope for one context and size of ensemble: all that a replay needs."""
        factor = float(spread_factor(np.array([members]))[0])
        means = self._belief.means(np.array([self._row(context)], dtype=np.int64))[0]
        return float(means[:DEPTH].sum()), float(means[DEPTH:].sum()) * factor

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
        chain = context.chain
        missing = [NOTHING] * (DEPTH - len(chain))
        intercepts = [
            NOTHING
            if group.startswith(CATEGORY)
            else self._belief.place(("intercept", group), 0.0, self._intercept_deviation)
            for group in chain
        ]
        slopes = [
            self._belief.place(("slope", group), 0.0 if group else 1.0, self._slope_deviation)
            for group in chain
        ]
        return [*intercepts, *missing, *slopes, *missing]
