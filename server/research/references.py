# SPDX-License-Identifier: Apache-2.0
"""What methods are compared with: single members."""

import numpy as np
from numpy.typing import NDArray

from server.learning.batches import expit, log_odds
from server.learning.market import without_prices
from server.research.cases import Ensemble
from server.research.scores import Scored, brier

Floats = NDArray[np.float64]

#: Outcomes that must be known before anybody is called best; the log-odds mean answers until then.
LEAST_KNOWN = 3


def best_single(ensemble: Ensemble, mode: str) -> Floats:
    """(N,): what the member with the least mean Brier score so far says, among those who answer."""
    answers = without_prices(ensemble.asked).probabilities
    losses = brier(answers, ensemble.outcome[:, None])
    day = ensemble.forecast_day if mode == "strict" else ensemble.repool_day
    said = expit(np.nanmean(log_odds(answers), axis=1))
    for row in range(len(said)):
        known = ensemble.resolution_day < day[row]
        if known.sum() >= LEAST_KNOWN:
            best = _best(losses[known], answers[row])
            said[row] = said[row] if best is None else answers[row, best]
    return said


def _best(losses: Floats, own: Floats) -> int | None:
    told = ~np.isnan(losses)
    mean = np.where(told, losses, 0.0).sum(axis=0) / np.maximum(told.sum(axis=0), 1)
    mean = np.where(told.any(axis=0) & ~np.isnan(own), mean, np.inf)
    return int(mean.argmin()) if np.isfinite(mean.min()) else None


def single_scores(ensemble: Ensemble) -> Floats:
    """(M,): mean Brier score of each member over the clusters in which it answered."""
    answers = without_prices(ensemble.asked).probabilities
    scores = []
    for said in answers.T:
        told = ~np.isnan(said)
        _, cluster = np.unique(ensemble.cluster[told], return_inverse=True)
        scored = Scored(ensemble.outcome[told], cluster)
        scores.append(float(scored.by_cluster(brier(said[told], scored.outcome)).mean()))
    return np.array(scores)
