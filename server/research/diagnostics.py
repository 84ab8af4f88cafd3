# SPDX-License-Identifier: Apache-2.0
"""What an evaluation's rows leave out: intervals of calibration, chance, the price, and when to abstain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.learning.batches import MARKET
from server.research.cases import BACKGROUND
from server.research.evaluate import Evaluation
from server.research.scores import (
    SEED,
    Pool,
    Scored,
    brier,
    calibration_error,
    calibration_line,
)
from server.research.series import Method

Floats = NDArray[np.float64]

RESAMPLES = 1000
TAILS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Slope, intercept and their 95 % intervals, ECE, and the ECE that chance alone reaches in 1 of 20."""

    slope: float
    slope_interval: tuple[float, float]
    intercept: float
    intercept_interval: tuple[float, float]
    ece: float
    ece_by_chance: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A method's mean beside another's, and the paired difference with its 95 % interval."""

    own: float
    other: float
    diff_mean: float
    diff_interval: tuple[float, float]


def calibration(evaluation: Evaluation, method: Method, mode: str, resamples: int = RESAMPLES) -> Calibration:
    """Calibration of one method on the pool of all panels; clusters are resampled within panels."""
    panels = [scored for _, scored in evaluation.panels]
    said = np.concatenate(said_by(evaluation, method, mode))
    pool = Pool(tuple(panels))
    slope, intercept = calibration_line(said, pool.outcome, pool.weights)
    chance = np.random.default_rng(SEED)
    lines = np.array(
        [calibration_line(said, pool.outcome, resampled(panels, chance)) for _ in range(resamples)]
    )
    null = [
        calibration_error(said, (chance.random(len(said)) < said).astype(np.float64), pool.weights)
        for _ in range(resamples)
    ]
    return Calibration(
        slope=slope,
        slope_interval=_interval(lines[:, 0]),
        intercept=intercept,
        intercept_interval=_interval(lines[:, 1]),
        ece=calibration_error(said, pool.outcome, pool.weights),
        ece_by_chance=float(np.percentile(null, 95)),
    )


def against_price(evaluation: Evaluation, method: Method, mode: str) -> Compared | None:
    """Brier score of a method and of the price of the forecast date, on units that have one; None without."""
    scored, own, price = [], [], []
    ensembles = [e for e in evaluation.ensembles if e.panel != BACKGROUND]
    for ensemble, said in zip(ensembles, said_by(evaluation, method, mode), strict=True):
        said_by_price = ensemble.asked.probabilities[:, ensemble.asked.members.index(MARKET)]
        known = ~np.isnan(said_by_price)
        if known.any():
            cluster = np.unique(ensemble.cluster[known], return_inverse=True)[1]
            panel = Scored(ensemble.outcome[known], cluster)
            scored.append(panel)
            own.append(panel.by_cluster(brier(said[known], panel.outcome)))
            price.append(panel.by_cluster(brier(said_by_price[known], panel.outcome)))
    if not scored:
        return None
    pool = Pool(tuple(scored))
    differences = [mine - other for mine, other in zip(own, price, strict=True)]
    low, high = pool.interval(differences)
    return Compared(
        float(pool.mean(own)),
        float(pool.mean(price)),
        float(pool.mean(differences)),
        (float(low), float(high)),
    )


def risk_coverage(losses: Floats, doubt: Floats, weights: Floats) -> float:
    """Area under the risk-coverage curve: mean loss of the least doubtful share, over all shares.

    Source: Geifman & El-Yaniv (2017), Selective classification for deep neural networks.
    """
    order = np.argsort(doubt, kind="stable")
    mass = np.cumsum(weights[order])
    risk = np.cumsum(losses[order] * weights[order]) / mass
    return float((risk * weights[order]).sum() / mass[-1])


def abstention(
    evaluation: Evaluation, method: Method, plain: Method, mode: str, resamples: int = RESAMPLES
) -> Compared:
    """Risk-coverage area of a method's losses, ordered by its own distance from one half and by another's."""
    panels = [scored for _, scored in evaluation.panels]
    own, other = (np.concatenate(said_by(evaluation, one, mode)) for one in (method, plain))
    losses = brier(own, Pool(tuple(panels)).outcome)
    return compare_orders(panels, losses, -np.abs(own - 0.5), -np.abs(other - 0.5), resamples)


def compare_orders(
    panels: Sequence[Scored], losses: Floats, first: Floats, second: Floats, resamples: int = RESAMPLES
) -> Compared:
    """Risk-coverage areas of the same losses under two scores of doubt, (N,) each, panel after panel."""
    pool = Pool(tuple(panels))
    areas = [risk_coverage(losses, doubt, pool.weights) for doubt in (first, second)]
    chance = np.random.default_rng(SEED)
    differences = []
    for _ in range(resamples):
        weights = resampled(panels, chance)
        kept = weights > 0.0
        own, other = (risk_coverage(losses[kept], doubt[kept], weights[kept]) for doubt in (first, second))
        differences.append(own - other)
    return Compared(areas[0], areas[1], areas[0] - areas[1], _interval(np.array(differences)))


def said_by(evaluation: Evaluation, method: Method, mode: str) -> list[Floats]:
    """(N,) probabilities of one method for each panel."""
    place = evaluation.walked.methods.index(method)
    return [said[place] for said in evaluation.walked.said[mode][: len(evaluation.panels)]]


def resampled(panels: Sequence[Scored], chance: np.random.Generator) -> Floats:
    """(N,): weights of all units after drawing clusters with replacement within each panel."""
    return np.concatenate([_redrawn(panel, chance) for panel in panels])


def _redrawn(panel: Scored, chance: np.random.Generator) -> Floats:
    count = panel.clusters
    drawn = chance.multinomial(count, np.full(count, 1.0 / count)) if count else np.zeros(0)
    return np.asarray(panel.weights * drawn[panel.cluster], dtype=np.float64)


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.nanpercentile(values, TAILS)
    return float(low), float(high)
