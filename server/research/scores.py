# SPDX-License-Identifier: Apache-2.0
"""Scores of forecasts on panels, where every cluster counts once.

Letters: N units, K clusters, B resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Probabilities are held so far from 0 and 1 where their logarithm is taken.
CLAMP = 1e-6
BINS = 10
RESAMPLES = 2000
LEVEL = 0.95
SEED = 20250101


@dataclass(frozen=True, slots=True)
class Scored:
    """Units of one panel: ``outcome`` (N,) 0..1, ``cluster`` (N,) 0..K-1."""

    outcome: Floats
    cluster: Integers

    @property
    def clusters(self) -> int:
        """K."""
        return int(self.cluster.max(initial=-1)) + 1

    @property
    def weights(self) -> Floats:
        """(N,): 1 over the number of units in the cluster."""
        return np.asarray(1.0 / np.bincount(self.cluster)[self.cluster])

    def by_cluster(self, values: Floats) -> Floats:
        """(..., N) values averaged within clusters: (..., K)."""
        weighted = np.moveaxis(values * self.weights, -1, 0)
        total = np.zeros((self.clusters, *weighted.shape[1:]))
        np.add.at(total, self.cluster, weighted)
        return np.asarray(np.moveaxis(total, 0, -1))


def brier(probability: Floats, outcome: Floats) -> Floats:
    """Squared error; 0 is perfect, a half-half forecast gets 0.25."""
    return np.asarray((probability - outcome) ** 2)


def log_score(probability: Floats, outcome: Floats) -> Floats:
    """Minus the log of what was said of what happened, nats; probabilities held in [1e-6, 1 - 1e-6]."""
    held = np.clip(probability, CLAMP, 1.0 - CLAMP)
    return np.asarray(-(outcome * np.log(held) + (1.0 - outcome) * np.log1p(-held)))


def calibration_line(probability: Floats, outcome: Floats, weights: Floats) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of outcomes on log-odds; (1, 0) is calibrated.

    NaN where the outcomes can be told apart completely, so that no finite line fits best.
    Source: Cox (1958), Two further applications of a model for binary regression.
    """
    held = np.clip(probability, CLAMP, 1.0 - CLAMP)
    x = np.log(held) - np.log1p(-held)
    design = np.column_stack([np.ones(len(x)), x])
    line = np.zeros(2)
    for _ in range(100):
        p = 0.5 * (1.0 + np.tanh(0.5 * (design @ line)))
        score = design.T @ (weights * (outcome - p))
        bend = (design * (weights * p * (1.0 - p))[:, None]).T @ design + 1e-10 * np.eye(2)
        step = np.linalg.solve(bend, score)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        line += step
        if float(np.abs(step).max()) < 1e-10:
            return float(line[1]), float(line[0])
    return float("nan"), float("nan")


def calibration_error(probability: Floats, outcome: Floats, weights: Floats) -> float:
    """Expected calibration error: mean |said - happened| over ten bins of equal weight.

    Units with equal probabilities are ordered by their place in the file.
    """
    order = np.argsort(probability, kind="stable")
    mass = np.cumsum(weights[order])
    middle = (mass - 0.5 * weights[order]) / mass[-1]
    bins = np.minimum((middle * BINS).astype(int), BINS - 1)
    gap = weights[order] * (probability[order] - outcome[order])
    return float(np.abs(np.bincount(bins, gap, minlength=BINS)).sum() / mass[-1])


@dataclass(frozen=True, slots=True)
class Pool:
    """Several panels scored as one: every cluster of every panel counts once."""

    panels: tuple[Scored, ...]

    @property
    def clusters(self) -> int:
        """Number of clusters of all panels."""
        return sum(panel.clusters for panel in self.panels)

    @property
    def outcome(self) -> Floats:
        """Outcomes of all panels, one after the other."""
        return np.concatenate([panel.outcome for panel in self.panels])

    @property
    def weights(self) -> Floats:
        """Weights of all units, one panel after the other."""
        return np.concatenate([panel.weights for panel in self.panels])

    def mean(self, by_cluster: Sequence[Floats]) -> Floats:
        """Mean over all clusters of one (..., K) array a panel."""
        return np.asarray(np.concatenate(by_cluster, axis=-1).mean(axis=-1))

    def interval(self, by_cluster: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Bootstrap interval of the mean, clusters resampled within panels; (..., K) a panel.

        Percentiles 2.5 and 97.5 of 2,000 resamples; the same seed for every call,
        so that intervals are paired and come out again.
        """
        chance = np.random.default_rng(SEED)
        totals: Floats | float = 0.0
        for values in by_cluster:
            count = values.shape[-1]
            if not count:
                continue
            drawn = chance.multinomial(count, np.full(count, 1.0 / count), size=RESAMPLES)
            totals = totals + values @ drawn.T.astype(np.float64)
        means = np.asarray(totals) / self.clusters
        tail = 50.0 * (1.0 - LEVEL)
        low, high = np.percentile(means, [tail, 100.0 - tail], axis=-1)
        return np.asarray(low), np.asarray(high)
