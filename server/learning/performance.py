# SPDX-License-Identifier: Apache-2.0
"""Weights from past Brier scores, shrunk towards the field."""

import numpy as np

from server.learning.batches import Asked, Floats, Integers, Resolved, normalised
from server.learning.roster import Roster
from server.learning.weighting import Unwatching

#: A member with this many scored answers is taken half at its word.
PRIOR_CASES = 20.0
#: Weights never rest on a Brier score below this.
LEAST_BRIER = 0.01


class Performance(Unwatching):
    """Weight ∝ 1 / shrunk Brier score.

    A member is judged by how much worse it does than the mean of those who
    answered the same questions, since some answer harder questions than others:
    Brier_j = field's Brier + n_j / (n_j + 20) × mean excess of j.
    """

    def __init__(self, prior_cases: float = PRIOR_CASES) -> None:
        self._prior_cases = prior_cases
        self._roster = Roster()
        self._excess = np.zeros(0)
        self._cases = np.zeros(0)
        self._field = np.zeros(2)

    def observe(self, resolved: Resolved) -> None:
        """See ``Weighting``."""
        asked = resolved.asked
        places = self._grow(asked.members)
        losses = (asked.probabilities - resolved.outcomes[:, None]) ** 2
        present = asked.present & (asked.present.sum(axis=1, keepdims=True) > 1)
        shares = np.where(present, resolved.weights[:, None], 0.0)
        counts = np.maximum(present.sum(axis=1, keepdims=True), 1)
        losses = np.where(present, losses, 0.0)
        field = losses.sum(axis=1, keepdims=True) / counts
        self._excess[places] += (shares * (losses - field)).sum(axis=0)
        self._cases[places] += shares.sum(axis=0)
        self._field += (float((shares * losses).sum()), float(shares.sum()))

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        places = self._grow(asked.members)
        field = self._field[0] / self._field[1] if self._field[1] > 0.0 else 0.25
        shrunk = field + self._excess[places] / (self._cases[places] + self._prior_cases)
        return normalised(1.0 / np.maximum(shrunk, LEAST_BRIER), asked.present)

    def _grow(self, names: tuple[str, ...]) -> Integers:
        places = self._roster.places(names)
        more = len(self._roster) - len(self._excess)
        if more:
            self._excess = np.append(self._excess, np.zeros(more))
            self._cases = np.append(self._cases, np.zeros(more))
        return places
