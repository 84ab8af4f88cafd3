# SPDX-License-Identifier: Apache-2.0
"""Weights that make the variance of the pool's error least, knowing who errs with whom."""

import numpy as np

from server.learning.batches import Asked, Floats, Resolved, normalised
from server.learning.errors import ErrorMoments
from server.learning.weighting import Unwatching

#: Weight of the belief that all members err alike, in cases.
PRIOR_CASES = 30.0
#: That belief: errors correlate so much; models that learned from the same texts do.
PRIOR_CORRELATION = 0.85


class Covariance(Unwatching):
    """Weights w >= 0, Σ w = 1, that make wᵀ S w least; S the shrunk second moments of errors.

    S_ij is the mean of e_i e_j over the questions that both have answered,
    e = probability - outcome, drawn towards equal variances and a common
    correlation by 30 cases' worth. Members whose weight would be negative are
    left out one by one, which keeps near-duplicates from cancelling each other.
    Source: Bates & Granger (1969), The combination of forecasts.
    """

    def __init__(
        self, prior_cases: float = PRIOR_CASES, prior_correlation: float = PRIOR_CORRELATION
    ) -> None:
        self._prior_cases = prior_cases
        self._prior_correlation = prior_correlation
        self._errors = ErrorMoments()

    def observe(self, resolved: Resolved) -> None:
        """See ``Weighting``."""
        self._errors.observe(resolved)

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        moments = self._shrunk(asked.members)
        patterns, rows = np.unique(asked.present, axis=0, return_inverse=True)
        solved = np.zeros(patterns.shape)
        for pattern, out in zip(patterns, solved, strict=True):
            out[pattern] = least_variance(moments[np.ix_(pattern, pattern)])
        return normalised(solved[rows.ravel()], asked.present)

    def _shrunk(self, members: tuple[str, ...]) -> Floats:
        """(M, M): second moments with the prior's cases mixed in."""
        products, cases = self._errors.moments(members)
        seen = float(np.trace(cases))
        variance = float(np.trace(products)) / seen if seen > 0.0 else 0.25
        prior = np.full(cases.shape, variance * self._prior_correlation)
        np.fill_diagonal(prior, variance)
        return np.asarray((products + self._prior_cases * prior) / (cases + self._prior_cases))


def least_variance(moments: Floats) -> Floats:
    """(M,) weights >= 0 with sum 1 that make wᵀ S w least; S (M, M) symmetric, positive.

    Solves without the sign, drops whoever is most negative, and solves again.
    """
    kept = np.arange(len(moments))
    while len(kept) > 1:
        solved = np.linalg.solve(moments[np.ix_(kept, kept)], np.ones(len(kept)))
        if solved.min() >= 0.0:
            break
        kept = np.delete(kept, int(solved.argmin()))
    weights = np.zeros(len(moments))
    if len(kept):
        weights[kept] = solved / solved.sum() if len(kept) > 1 else 1.0
    return weights
