# SPDX-License-Identifier: Apache-2.0
"""Logistic regression that learns one case at a time, with a Gaussian belief about its coefficients."""

from kernels._jit import kernel, part
from kernels._types import Indices, Matrix, Vector
from kernels.special import expit

STEPS = 60
ENOUGH = 1e-10


@part()
def most_likely_sum(mean: float, variance: float, outcome: float, weight: float) -> float:
    """Where weight × log-likelihood + log N(sum; mean, variance) is greatest.

    The score falls monotonically in the sum and changes sign between the mean
    and one Newton step under curvature 0, so Newton inside that bracket, halving
    where a step leaves it, cannot fail.
    """
    low = mean
    high = mean + variance * weight * (outcome - expit(mean))
    if high < low:
        low, high = high, low
    at = mean
    for _ in range(STEPS):
        p = expit(at)
        score = weight * (outcome - p) - (at - mean) / variance
        if score > 0.0:
            low = at
        else:
            high = at
        following = at + score / (weight * p * (1.0 - p) + 1.0 / variance)
        if following <= low or following >= high:
            following = 0.5 * (low + high)
        if abs(following - at) < ENOUGH:
            return following
        at = following
    return at


@part()
def look_along(places: Indices, values: Vector, covariance: Matrix, gain: Vector) -> float:
    """Fill gain (D,) with covariance × values and return the variance of the values' sum."""
    for d in range(gain.shape[0]):
        gain[d] = 0.0
    for k in range(places.shape[0]):
        if places[k] >= 0:
            for d in range(gain.shape[0]):
                gain[d] += values[k] * covariance[places[k], d]
    variance = 0.0
    for k in range(places.shape[0]):
        if places[k] >= 0:
            variance += values[k] * gain[places[k]]
    return variance


@part()
def sum_of(places: Indices, values: Vector, mean: Vector) -> float:
    """Σ coefficient × value of one case."""
    total = 0.0
    for k in range(places.shape[0]):
        if places[k] >= 0:
            total += values[k] * mean[places[k]]
    return total


@kernel("void(i8[:,::1],f8[:,::1],f8[::1],f8[::1],f8[::1],f8[:,::1],f8[::1])")
def learn_logistic(
    places: Indices,
    values: Matrix,
    outcomes: Vector,
    weights: Vector,
    mean: Vector,
    covariance: Matrix,
    gain: Vector,
) -> None:
    """Take in cases one after the other: P(outcome) = expit(Σ coefficient × value).

    places (N, K): which coefficient each value belongs to, negative = none;
    values (N, K), finite. outcomes (N,): 0..1 (a fraction is a fractional outcome).
    weights (N,): >= 0, what a case counts for; 0 skips it. mean (D,) and
    covariance (D, D): the belief, updated in place. gain (D,): scratch.
    Each case moves the belief to the exact mode along its own direction, with
    the curvature there (Laplace): a rank-one update, O(D²).
    Source: Spiegelhalter & Lauritzen (1990), sequential updating of conditional
    probabilities; the one-dimensional mode is found exactly instead of by one step.
    """
    for n in range(places.shape[0]):
        variance = look_along(places[n], values[n], covariance, gain)
        if weights[n] <= 0.0 or not variance > 0.0:
            continue
        prior = sum_of(places[n], values[n], mean)
        at = most_likely_sum(prior, variance, outcomes[n], weights[n])
        p = expit(at)
        curvature = weights[n] * p * (1.0 - p)
        move = (at - prior) / variance
        shrink = curvature / (1.0 + curvature * variance)
        for i in range(mean.shape[0]):
            mean[i] += gain[i] * move
            taken = gain[i] * shrink
            if taken != 0.0:
                for d in range(mean.shape[0]):
                    covariance[i, d] -= taken * gain[d]


@kernel("void(i8[:,::1],f8[:,::1],f8[::1],f8[:,::1],f8[::1],f8[::1])")
def predict_logistic(
    places: Indices, values: Matrix, mean: Vector, covariance: Matrix, sums: Vector, variances: Vector
) -> None:
    """Mean and variance of each case's sum under the belief; shapes as in learn_logistic.

    sums, variances (N,): overwritten. The probability at the mode is expit(sum).
    """
    for n in range(places.shape[0]):
        sums[n] = sum_of(places[n], values[n], mean)
        spread = 0.0
        for k in range(places.shape[1]):
            for j in range(places.shape[1]):
                if places[n, k] >= 0 and places[n, j] >= 0:
                    spread += values[n, k] * values[n, j] * covariance[places[n, k], places[n, j]]
        variances[n] = max(spread, 0.0)
