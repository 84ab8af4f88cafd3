# SPDX-License-Identifier: Apache-2.0
"""Means of probabilities: linear, log-odds, by confidence, beta-transformed.

Shapes: M members, C outcomes. ``used`` (M,) are weights that sum to 1, with 0
for members that do not count (absent, or of weight 0), as ``use_weights``
makes them. Where nobody counts, ``out`` (C,) becomes NaN.
"""

import math

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.methods import LOG_HIGH, LOG_LOW
from kernels.special import expit, incomplete_beta


@kernel("i8(f8[:,::1],f8[::1],f8[::1])")
def use_weights(p: Matrix, weights: Vector, used: Vector) -> int:
    """Weights of the members that count, made to sum to 1; returns how many are present.

    p (M, C): a NaN in a row's first place means that the member is absent.
    weights (M,): >= 0. used (M,): overwritten, 0 for the absent. If all present
    members weigh 0, they weigh the same.
    """
    present = 0
    total = 0.0
    for i in range(p.shape[0]):
        used[i] = 0.0
        if not math.isnan(p[i, 0]):
            present += 1
            used[i] = weights[i]
            total += weights[i]
    for i in range(p.shape[0]):
        if total > 0.0:
            used[i] /= total
        elif not math.isnan(p[i, 0]):
            used[i] = 1.0 / present
    return present


@kernel("void(f8[:,::1],f8[::1],i8,f8[::1])")
def use_weights_without(p: Matrix, used: Vector, left_out: int, reduced: Vector) -> None:
    """Weights as they are when one member is left out, by the rules of use_weights.

    used (M,): as use_weights made them. reduced (M,): overwritten; all 0 where
    nobody else is present.
    """
    others = 0
    total = 0.0
    for i in range(p.shape[0]):
        reduced[i] = 0.0
        if i != left_out and not math.isnan(p[i, 0]):
            others += 1
            reduced[i] = used[i]
            total += used[i]
    for i in range(p.shape[0]):
        if total > 0.0:
            reduced[i] /= total
        elif i != left_out and not math.isnan(p[i, 0]):
            reduced[i] = 1.0 / others


@kernel("f8(f8)")
def clamped_log(x: float) -> float:
    """Log x, held in [log 1e-6, log(1 - 1e-6)]; 0 gives the lower end."""
    if x <= 0.0:
        return LOG_LOW
    return min(max(math.log(x), LOG_LOW), LOG_HIGH)


@kernel("void(f8[:,::1],f8[:,::1])")
def clamped_logs(p: Matrix, logs: Matrix) -> None:
    """clamped_log of every probability. p, logs (M, C); absent rows are left as they are."""
    for i in range(p.shape[0]):
        if not math.isnan(p[i, 0]):
            for c in range(p.shape[1]):
                logs[i, c] = clamped_log(p[i, c])


@kernel("void(f8[::1])")
def normalise(out: Vector) -> None:
    """Divide out (C,) by its sum, in place; equal shares where the sum is 0, NaN stays."""
    total = 0.0
    for c in range(out.shape[0]):
        total += out[c]
    for c in range(out.shape[0]):
        out[c] = 1.0 / out.shape[0] if total == 0.0 else out[c] / total


@kernel("void(f8[::1])")
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


@kernel("void(f8[::1],f8)")
def fill(out: Vector, value: float) -> None:
    """Set every place of out to value."""
    for c in range(out.shape[0]):
        out[c] = value


@kernel("void(f8[:,::1],f8[::1],f8[::1])")
def linear_pool(p: Matrix, used: Vector, out: Vector) -> None:
    """Weighted mean of probabilities, Σ w p.

    p (M, C), used (M,), out (C,). Always within the members' smallest and
    greatest. Source: Stone (1961), The Opinion Pool.
    """
    fill(out, 0.0)
    counted = 0
    for i in range(p.shape[0]):
        if used[i] > 0.0:
            counted += 1
            for c in range(p.shape[1]):
                out[c] += used[i] * p[i, c]
    if counted == 0:
        fill(out, math.nan)


@kernel("void(f8[:,::1],f8[::1],f8,f8[::1])")
def log_odds_pool(logs: Matrix, used: Vector, exponent: float, out: Vector) -> None:
    """Weighted geometric mean, raised to an exponent and normalised: softmax(e Σ w log p).

    logs (M, C): clamped_logs of the probabilities. used (M,). exponent: 1 is the
    plain log-odds mean, above 1 extremises, below 1 tempers. out (C,). Binary:
    the log-odds of the result are exponent × the mean log-odds.
    Source: Genest & Zidek (1986); extremising: Satopää et al. (2014), Baron et al. (2014).
    """
    fill(out, 0.0)
    counted = 0
    for i in range(logs.shape[0]):
        if used[i] > 0.0:
            counted += 1
            for c in range(logs.shape[1]):
                out[c] += exponent * used[i] * logs[i, c]
    if counted == 0:
        fill(out, math.nan)
        return
    softmax(out)


@kernel("f8(f8[:,::1],f8[::1],i8)")
def own_confidence(p: Matrix, stated: Vector, i: int) -> float:
    """Confidence of member i: what it states of itself, else how far it is from undecided.

    stated: empty, or (M,) with values 0..1 and NaN where a member states none.
    Else (C max p - 1) / (C - 1): 0 for equal probabilities, 1 for certainty.
    """
    if stated.shape[0] > i and not math.isnan(stated[i]):
        return stated[i]
    outcomes = p.shape[1]
    greatest = p[i, 0]
    for c in range(1, outcomes):
        greatest = max(greatest, p[i, c])
    return max((outcomes * greatest - 1.0) / (outcomes - 1.0), 0.0)


@kernel("void(f8[:,::1],f8[::1],f8[::1],f8[::1])")
def confidence_weighted_pool(p: Matrix, used: Vector, stated: Vector, out: Vector) -> None:
    """Linear pool with weights w × own_confidence.

    p (M, C), used (M,), stated: see own_confidence, out (C,). Where nobody has
    any confidence, the linear pool.
    """
    fill(out, 0.0)
    total = 0.0
    for i in range(p.shape[0]):
        if used[i] > 0.0:
            weight = used[i] * own_confidence(p, stated, i)
            total += weight
            for c in range(p.shape[1]):
                out[c] += weight * p[i, c]
    if total <= 0.0:
        linear_pool(p, used, out)
        return
    for c in range(p.shape[1]):
        out[c] /= total


@kernel("void(f8[:,::1],f8[::1],f8[::1],f8[::1])")
def best_confidence_pool(p: Matrix, used: Vector, stated: Vector, out: Vector) -> None:
    """Forecast of the most confident member; where several tie, their weighted mean.

    p (M, C), used (M,), stated: see own_confidence, out (C,). Confidences within
    1e-12 of the greatest tie, so the members' order decides nothing.
    """
    greatest = -1.0
    for i in range(p.shape[0]):
        if used[i] > 0.0:
            greatest = max(greatest, own_confidence(p, stated, i))
    fill(out, 0.0)
    total = 0.0
    for i in range(p.shape[0]):
        if used[i] > 0.0 and own_confidence(p, stated, i) >= greatest - 1e-12:
            total += used[i]
            for c in range(p.shape[1]):
                out[c] += used[i] * p[i, c]
    for c in range(p.shape[1]):
        out[c] /= total


@kernel("void(f8[:,::1],f8[::1],f8,f8,f8[::1])")
def beta_linear_pool(p: Matrix, used: Vector, alpha: float, beta: float, out: Vector) -> None:
    """Linear pool through a beta distribution function: I_{Σ w p}(alpha, beta).

    p (M, C), used (M,), alpha and beta > 0, out (C,). Binary: outcome 0 is
    transformed, outcome 1 is the rest. More outcomes: each is transformed
    against the rest, then all are normalised. alpha = beta = 1 is the linear
    pool; alpha = beta > 1 extremises.
    Source: Ranjan & Gneiting (2010), Combining probability forecasts.
    """
    linear_pool(p, used, out)
    if math.isnan(out[0]):
        return
    if out.shape[0] == 2:
        out[0] = incomplete_beta(alpha, beta, out[0])
        out[1] = 1.0 - out[0]
        return
    for c in range(out.shape[0]):
        out[c] = incomplete_beta(alpha, beta, out[c])
    normalise(out)
