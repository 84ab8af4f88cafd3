# SPDX-License-Identifier: Apache-2.0
"""Weights from a logistic regression on members, drawn towards equal weights."""

import numpy as np

from server.learning.batches import PRICES, Asked, Floats, Integers, Resolved, log_odds, normalised
from server.learning.belief import NOTHING, Belief
from server.learning.weighting import Unwatching

#: A member's share may well be this many times more or less than equal.
DEVIATION = 1.0
#: What a price may weigh beyond one member, in equal shares.
PRICE_DEVIATION = 3.0


class Stacked(Unwatching):
    """Weight ∝ max(0, 1 + u_j), u ~ N(0, 1) a priori, from a Bayesian logistic regression.

    log-odds(outcome) = b × mean_j x_j + Σ_j u_j (x_j - mean x) / M, x the
    members' log-odds. Without outcomes all members weigh the same.
    Source: Wolpert (1992), Stacked generalization; ridge towards equal weights.
    """

    def __init__(self, deviation: float = DEVIATION) -> None:
        self._deviation = deviation
        self._belief = Belief()
        self._slope = self._belief.place("slope", 1.0, 0.3)

    def observe(self, resolved: Resolved) -> None:
        """See ``Weighting``."""
        asked = resolved.asked
        told = np.flatnonzero(asked.present.sum(axis=1) > 1)
        if not len(told):
            return
        asked = asked.rows(told)
        places, values = self._design(asked)
        shocks = [resolved.shocks[i] for i in told]
        self._belief.observe(places, values, resolved.outcomes[told], resolved.weights[told], shocks)

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        places = self._places(asked.members)
        extra = self._belief.means(places)
        return normalised(np.maximum(0.0, 1.0 + extra), asked.present)

    def _places(self, names: tuple[str, ...]) -> Integers:
        found = [
            self._belief.place(name, 0.0, PRICE_DEVIATION if name in PRICES else self._deviation)
            for name in names
        ]
        return np.array(found, dtype=np.int64)

    def _design(self, asked: Asked) -> tuple[Integers, Floats]:
        present = asked.present
        logs = np.where(present, np.nan_to_num(log_odds(asked.probabilities)), 0.0)
        counts = present.sum(axis=1, keepdims=True)
        mean = logs.sum(axis=1, keepdims=True) / counts
        places = np.where(present, self._places(asked.members), NOTHING)
        slopes = np.full((len(mean), 1), self._slope)
        values = np.where(present, (logs - mean) / counts, 0.0)
        return np.column_stack([places, slopes]), np.column_stack([values, mean])
