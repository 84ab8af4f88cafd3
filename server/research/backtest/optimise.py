# SPDX-License-Identifier: Apache-2.0
"""Weights of members that would have been best on past questions."""

import numpy as np
from numpy.typing import NDArray

from server.learning.batches import expit, log_odds

Floats = NDArray[np.float64]

STEPS = 400
RATE = 0.5


def best_weights(answers: Floats, happened: Floats, draw: float = 0.05) -> Floats:
    """(M,) weights >= 0 summing to 1 of a log-odds pool: least log loss of (N, M) answers.

    Absent members (NaN) leave their weight to the others. ``draw`` times the
    Kullback–Leibler divergence from equal weights is added, so that few questions
    teach little. Equal weights where nothing is known.
    Source: exponentiated gradient, Kivinen & Warmuth (1997).
    """
    members = answers.shape[1]
    weights = np.full(members, 1.0 / members)
    if not len(answers):
        return weights
    x = log_odds(answers)
    there = np.isfinite(x)
    x = np.where(there, x, 0.0)
    for _ in range(STEPS):
        total = np.maximum((there * weights).sum(axis=1), 1e-12)
        pooled = (x * weights).sum(axis=1) / total
        off = (expit(pooled) - happened) / total
        slope = (off[:, None] * there * (x - pooled[:, None])).mean(axis=0)
        slope += draw * (np.log(np.maximum(weights, 1e-12) * members) + 1.0)
        weights = weights * np.exp(-RATE * (slope - slope.min()))
        weights /= weights.sum()
    return np.asarray(weights)
