# SPDX-License-Identifier: Apache-2.0
"""Who errs with whom: moments of members' errors over the questions that both answered."""

import numpy as np

from kernels.independence import independent_members
from server.learning.batches import Floats, Integers, Resolved
from server.learning.roster import Roster

#: Two members whose errors were never compared are taken to err alike so far; see ``Covariance``.
UNKNOWN_CORRELATION = 0.85


class ErrorMoments:
    """Sums of e_i, e_i², e_i e_j and counts over the cases of each pair, e = probability - outcome."""

    def __init__(self) -> None:
        self._roster = Roster()
        self._products = np.zeros((0, 0))
        self._sums = np.zeros((0, 0))
        self._squares = np.zeros((0, 0))
        self._cases = np.zeros((0, 0))

    def observe(self, resolved: Resolved) -> None:
        """Take in outcomes; a question that only one member answered says nothing of pairs."""
        asked = resolved.asked
        places = self._places(asked.members)
        cut = np.ix_(places, places)
        present = (asked.present & (asked.present.sum(axis=1, keepdims=True) > 1)).astype(float)
        errors = np.where(present > 0.0, asked.probabilities - resolved.outcomes[:, None], 0.0)
        weighted = resolved.weights[:, None]
        self._products[cut] += (errors * weighted).T @ errors
        self._sums[cut] += (errors * weighted).T @ present
        self._squares[cut] += (errors**2 * weighted).T @ present
        self._cases[cut] += (present * weighted).T @ present

    def moments(self, members: tuple[str, ...]) -> tuple[Floats, Floats]:
        """(M, M) sums of e_i e_j, and how many cases they rest on."""
        places = self._places(members)
        cut = np.ix_(places, places)
        return self._products[cut], self._cases[cut]

    def correlation(self, members: tuple[str, ...], least_cases: float = 10.0) -> Floats:
        """(M, M) correlation of errors; NaN for pairs with fewer cases, 1 on the diagonal."""
        products, cases = self.moments(members)
        places = self._places(members)
        cut = np.ix_(places, places)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = self._sums[cut] / cases
            spread = np.sqrt(np.maximum(self._squares[cut] / cases - means**2, 0.0))
            found = (products / cases - means * means.T) / (spread * spread.T)
        found = np.where((cases >= least_cases) & np.isfinite(found), np.clip(found, -1.0, 1.0), np.nan)
        np.fill_diagonal(found, 1.0)
        return np.asarray(found)

    def independent(self, members: tuple[str, ...], weights: Floats, unknown: float = 0.0) -> float:
        """How many independent members the weighted ones (M,) are worth; unknown pairs correlate so."""
        return independent_members(weights, self.correlation(members), unknown)

    def worth(self, members: tuple[str, ...], weights: Floats) -> float | None:
        """How many independent members those that weigh (M,) are worth; None where nothing is known of them.

        Pairs of them with too few cases are taken to err alike by ``UNKNOWN_CORRELATION``.
        """
        counting = np.flatnonzero(weights > 0.0)
        found = self.correlation(tuple(members[place] for place in counting))
        known = ~np.isnan(found)
        if int(known.sum()) <= len(counting):  # nothing but the diagonal
            return None
        return independent_members(weights[counting], found, UNKNOWN_CORRELATION)

    def _places(self, names: tuple[str, ...]) -> Integers:
        places = self._roster.places(names)
        more = len(self._roster) - len(self._products)
        if more:
            self._products = np.pad(self._products, (0, more))
            self._sums = np.pad(self._sums, (0, more))
            self._squares = np.pad(self._squares, (0, more))
            self._cases = np.pad(self._cases, (0, more))
        return places
