# SPDX-License-Identifier: Apache-2.0
"""Exponential weights over members that come and go."""

import math

import numpy as np

from server.learning.batches import Asked, Floats, Integers, Resolved, normalised
from server.learning.roster import Roster
from server.learning.weighting import Unwatching


class Hedge(Unwatching):
    """Weight ∝ exp(-rate × what a member lost beyond the field).

    Losses are Brier scores, 0..1. Those who are absent lose what the present
    ones lost on average, so absence is neither rewarded nor punished (sleeping
    experts). The rate falls as √(8 ln M / T) with T the evidence so far; rows
    moved by one shock are one piece of evidence.
    Source: Freund & Schapire (1997), Hedge; Freund et al. (1997), specialists.
    """

    def __init__(self) -> None:
        self._roster = Roster()
        self._lost = np.zeros(0)
        self._evidence = 0.0

    def observe(self, resolved: Resolved) -> None:
        """See ``Weighting``."""
        asked = resolved.asked
        now = self.weights(asked)
        losses = np.where(asked.present, (asked.probabilities - resolved.outcomes[:, None]) ** 2, 0.0)
        field = (now * losses).sum(axis=1, keepdims=True)
        told = asked.present & (asked.present.sum(axis=1, keepdims=True) > 1)
        shares = np.where(told, resolved.shares[:, None], 0.0)
        places = self._grow(asked.members)
        self._lost[places] += (shares * (losses - field)).sum(axis=0)
        self._evidence += float(shares.max(axis=1, initial=0.0).sum())

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        places = self._grow(asked.members)
        lost = self._lost[places]
        counts = np.maximum(asked.present.sum(axis=1, keepdims=True), 2)
        rate = np.minimum(1.0, np.sqrt(8.0 * np.log(counts) / max(self._evidence, 1.0)))
        least = np.where(asked.present, lost, math.inf).min(axis=1, keepdims=True, initial=math.inf)
        least = np.where(np.isfinite(least), least, 0.0)
        return normalised(np.exp(-rate * (lost - least)) + 1e-12, asked.present)

    def _grow(self, names: tuple[str, ...]) -> Integers:
        places = self._roster.places(names)
        self._lost = np.append(self._lost, np.zeros(len(self._roster) - len(self._lost)))
        return places
