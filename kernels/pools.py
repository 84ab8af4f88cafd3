# SPDX-License-Identifier: Apache-2.0
"""Means of probabilities: linear, log-odds, by confidence, beta-transformed.

Shapes: M members, C outcomes. ``w`` (M,) are weights >= 0 of any sum, 0 for
members that do not count (absent, or of weight 0). Where nobody counts,
``out`` (C,) becomes NaN.
"""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.members import CERTAINTY
from kernels.methods import TIE
from kernels.special import expit, incomplete_beta


@part()
def fill(out: Vector, value: float) -> None:
    """Set every place of out to value."""
    for c in range(out.shape[0]):
        out[c] = value


@part()
def normalise(out: Vector) -> None:
    """Divide out (C,) by its sum, in place; equal shares where the sum is 0, NaN stays."""
    total = 0.0
    for c in range(out.shape[0]):
        total += out[c]
    for c in range(out.shape[0]):
        out[c] = 1.0 / out.shape[0] if total == 0.0 else out[c] / total


@part()
def softmax(out: Vector) -> None:
    """exp(out) / Σ exp(out), in place, without overflow. out (C,); NaN gives NaN."""
    if out.shape[0] == 2:
        out[0] = expit(out[0] - out[1])
        out[1] = 1.0 - out[0]
        return
    greatest = out[0]
    for c in range(1, out.shape[0]):
        greatest = max(greatest, out[c])
    for c in range(out.shape[0]):
        out[c] = math.exp(out[c] - greatest)
    normalise(out)


@part()
def weighted_mean(rows: Matrix, w: Vector, scale: float, out: Vector) -> None:
    """Out = scale × Σ w rows / Σ w. rows (M, C), w (M,), out (C,); NaN where Σ w is 0."""
    if rows.shape[1] == 2:
        weighted_mean_of_two(rows, w, scale, out)
        return
    total = 0.0
    for i in range(rows.shape[0]):
        total += w[i]
    factor = scale / total if total > 0.0 else math.nan
    for c in range(rows.shape[1]):
        # Summed in a register: through out[c] each step would wait for the last store.
        # The row is read before it is known to count, so that nothing branches.
        mean = 0.0
        for i in range(rows.shape[0]):
            said = w[i] * rows[i, c]
            mean += said if w[i] > 0.0 else 0.0
        out[c] = factor * mean


@part()
def weighted_mean_of_two(rows: Matrix, w: Vector, scale: float, out: Vector) -> None:
    """The same for rows (M, 2): three sums side by side take the time of one, to the same last bit."""
    total = 0.0
    first = 0.0
    second = 0.0
    for i in range(rows.shape[0]):
        counts = w[i] > 0.0
        one, other = w[i] * rows[i, 0], w[i] * rows[i, 1]
        total += w[i]
        first += one if counts else 0.0
        second += other if counts else 0.0
    factor = scale / total if total > 0.0 else math.nan
    out[0] = factor * first
    out[1] = factor * second


@part()
def linear_pool(p: Matrix, w: Vector, out: Vector) -> None:
    """Weighted mean of probabilities, Σ w p / Σ w.

    p (M, C), w (M,), out (C,). Always within the members' smallest and
    greatest. Source: Stone (1961), The Opinion Pool.
    """
    weighted_mean(p, w, 1.0, out)


@part()
def log_odds_pool(logs: Matrix, w: Vector, exponent: float, out: Vector) -> None:
    """Weighted geometric mean, raised to an exponent and normalised: softmax(e Σ w log p / Σ w).

    logs (M, C): logs held in [log 1e-6, log(1 - 1e-6)]. w (M,). exponent: 1 is
    the plain log-odds mean, above 1 extremises, below 1 tempers. out (C,).
    Binary: the log-odds of the result are exponent × the mean log-odds.
    Source: Genest & Zidek (1986); extremising: Satopää et al. (2014), Baron et al. (2014).
    """
    weighted_mean(logs, w, exponent, out)
    softmax(out)


@part()
def find_confidence(traits: Matrix, stated: Vector, confidence: Vector) -> None:
    """Each member's confidence: what it states of itself, else how far it is from undecided.

    traits (TRAITS, M): of kernels.members. stated: empty, or (M,) with values
    0..1 and NaN where a member states none. confidence (M,): overwritten.
    """
    for i in range(traits.shape[1]):
        if stated.shape[0] > i and not math.isnan(stated[i]):
            confidence[i] = stated[i]
        else:
            confidence[i] = traits[CERTAINTY, i]


@part()
def confidence_weighted_pool(p: Matrix, w: Vector, confidence: Vector, out: Vector) -> None:
    """Linear pool with weights w × confidence.

    p (M, C), w (M,), confidence (M,): of find_confidence, out (C,). Where
    nobody has any confidence, the linear pool.
    """
    total = 0.0
    for i in range(p.shape[0]):
        total += w[i] * confidence[i] if w[i] > 0.0 else 0.0
    if total <= 0.0:
        linear_pool(p, w, out)
        return
    for c in range(p.shape[1]):
        mean = 0.0
        for i in range(p.shape[0]):
            mean += w[i] * confidence[i] * p[i, c] if w[i] > 0.0 else 0.0
        out[c] = mean / total


@part()
def best_confidence_pool(p: Matrix, w: Vector, confidence: Vector, out: Vector) -> None:
    """Forecast of the most confident member; where several tie, their weighted mean.

    p (M, C), w (M,), confidence (M,): of find_confidence, out (C,). Confidences
    within 1e-12 of the greatest tie, so the members' order decides nothing.
    """
    greatest = -1.0
    for i in range(p.shape[0]):
        if w[i] > 0.0:
            greatest = max(greatest, confidence[i])
    fill(out, 0.0)
    total = 0.0
    for i in range(p.shape[0]):
        if w[i] > 0.0 and confidence[i] >= greatest - TIE:
            total += w[i]
            for c in range(p.shape[1]):
                out[c] += w[i] * p[i, c]
    for c in range(p.shape[1]):
        out[c] = out[c] / total if total > 0.0 else math.nan


@part()
def beta_linear_pool(p: Matrix, w: Vector, alpha: float, beta: float, out: Vector) -> None:
    """Linear pool through a beta distribution function: I_x(alpha, beta) with x = Σ w p / Σ w.

    p (M, C), w (M,), alpha and beta > 0, out (C,). Binary: outcome 0 is
    transformed, outcome 1 is the rest. More outcomes: each is transformed
    against the rest, then all are normalised. alpha = beta = 1 is the linear
    pool; alpha = beta > 1 extremises.
    Source: Ranjan & Gneiting (2010), Combining probability forecasts.
    """
    linear_pool(p, w, out)
    if out.shape[0] == 2:
        out[0] = incomplete_beta(alpha, beta, out[0])
        out[1] = 1.0 - out[0]
        return
    for c in range(out.shape[0]):
        out[c] = incomplete_beta(alpha, beta, out[c])
    normalise(out)
