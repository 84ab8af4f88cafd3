# SPDX-License-Identifier: Apache-2.0
"""A mixture over all weightings, so that no choice has to be made by hand."""

from collections.abc import Mapping

import numpy as np

from server.learning.batches import Asked, Floats, Resolved, expit, normalised, pooled_log_odds
from server.learning.weighting import Weighting

#: At each step so much of the belief goes back to equal, so that a weighting that
#: was bad for long can come back.
SHARE = 0.02
#: Losses are taken at no less than this probability.
FLOOR = 1e-4


class Adaptive:
    """Weights = Σ_k belief_k × weights_k; belief_k ∝ exp(-log loss of weighting k so far).

    The losses are those of each weighting's own log-odds pool at the state in
    which it was before it saw the outcomes. Rows moved by one shock count as
    one. A pool in log-odds is linear in the weights, so mixing the weights is
    mixing the pools.

    It does not teach the weightings that it mixes: whoever owns them does, after
    ``Adaptive.observe``.
    Source: Herbster & Warmuth (1998), Tracking the best expert (fixed share).
    """

    def __init__(self, weightings: Mapping[str, Weighting], share: float = SHARE) -> None:
        self._weightings = dict(weightings)
        self._share = share
        self._log_belief = np.zeros(len(self._weightings))

    @property
    def belief(self) -> dict[str, float]:
        """Each weighting's share, summing to 1."""
        shares = np.exp(self._log_belief - self._log_belief.max())
        return dict(zip(self._weightings, (shares / shares.sum()).tolist(), strict=True))

    def watch(self, asked: Asked) -> None:
        """Open questions teach nothing here."""

    def observe(self, resolved: Resolved) -> None:
        """See ``Weighting``."""
        told = np.flatnonzero(resolved.asked.present.sum(axis=1) > 1)
        if not len(told):
            return
        asked, outcomes, shares = resolved.asked.rows(told), resolved.outcomes[told], resolved.shares[told]
        for place, weighting in enumerate(self._weightings.values()):
            pooled = expit(pooled_log_odds(asked, weighting.weights(asked)))
            self._log_belief[place] -= float((shares * log_loss(pooled, outcomes)).sum())
        self._spread()

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        mixed = np.zeros(asked.probabilities.shape)
        for name, share in self.belief.items():
            mixed += share * self._weightings[name].weights(asked)
        return normalised(mixed, asked.present)

    def _spread(self) -> None:
        shares = np.array(list(self.belief.values()))
        self._log_belief = np.log((1.0 - self._share) * shares + self._share / len(shares))


def log_loss(probability: Floats, outcome: Floats) -> Floats:
    """-log of what was said of what happened, for whole and fractional outcomes."""
    held = np.clip(probability, FLOOR, 1.0 - FLOOR)
    return np.asarray(-(outcome * np.log(held) + (1.0 - outcome) * np.log1p(-held)))
