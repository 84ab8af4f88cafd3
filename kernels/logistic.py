# SPDX-License-Identifier: Apache-2.0
"""Logistic regression with a few coefficients and a Gaussian prior, by Newton's method.

The arithmetic under Platt scaling, beta calibration, their hierarchical form
and the training of a stacked pool.

Shapes: N questions, K coefficients.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel, part
from kernels._types import Matrix, Vector
from kernels.checks import as_array, require_shape, require_unit, require_weights
from kernels.special import expit

GREATEST_STEPS = 100
SMALLEST_STEP = 1e-10
#: Rises of the loss below this share of it are rounding.
ROUNDING = 1e-13


@part()
def solve_positive(a: Matrix, b: Vector, size: int) -> bool:
    """Solve a x = b in place for a symmetric positive definite a; x replaces b.

    a (K, K): its lower triangle becomes the Cholesky factor. Returns False where
    a is not positive definite.
    """
    for i in range(size):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= a[i, k] * a[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                a[i, i] = math.sqrt(total)
            else:
                a[i, j] = total / a[j, j]
    for i in range(size):
        for k in range(i):
            b[i] -= a[i, k] * b[k]
        b[i] /= a[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            b[i] -= a[k, i] * b[k]
        b[i] /= a[i, i]
    return True


@part()
def penalised_loss(
    features: Matrix, y: Vector, weights: Vector, centre: Vector, precision: Vector, theta: Vector
) -> float:
    """Weighted cross-entropy of expit(features θ) plus ½ Σ precision (θ - centre)²."""
    total = 0.0
    for k in range(theta.shape[0]):
        if precision[k] > 0.0:
            total += 0.5 * precision[k] * (theta[k] - centre[k]) ** 2
    for n in range(y.shape[0]):
        if weights[n] > 0.0:
            score = 0.0
            for k in range(theta.shape[0]):
                score += theta[k] * features[n, k]
            # log(1 + exp score) - y score, without overflow
            total += weights[n] * (max(score, 0.0) + math.log1p(math.exp(-abs(score))) - y[n] * score)
    return total


@part()
def slope_and_curvature(
    features: Matrix,
    y: Vector,
    weights: Vector,
    centre: Vector,
    precision: Vector,
    theta: Vector,
    gradient: Vector,
    hessian: Matrix,
) -> None:
    """First and second derivatives of penalised_loss; gradient (K,), hessian (K, K)."""
    size = theta.shape[0]
    for j in range(size):
        gradient[j] = precision[j] * (theta[j] - centre[j]) if precision[j] > 0.0 else 0.0
        for k in range(size):
            hessian[j, k] = precision[j] if j == k else 0.0
    for n in range(y.shape[0]):
        if weights[n] > 0.0:
            score = 0.0
            for k in range(size):
                score += theta[k] * features[n, k]
            p = expit(score)
            off = weights[n] * (p - y[n])
            curve = weights[n] * p * (1.0 - p)
            for j in range(size):
                gradient[j] += off * features[n, j]
                for k in range(j + 1):
                    hessian[j, k] += curve * features[n, j] * features[n, k]
    for j in range(size):
        for k in range(j):
            hessian[k, j] = hessian[j, k]


@part()
def step_down(
    features: Matrix,
    y: Vector,
    weights: Vector,
    centre: Vector,
    precision: Vector,
    theta: Vector,
    step: Vector,
    trial: Vector,
    loss: float,
) -> tuple[float, float]:
    """Move theta against step, halved until the loss does not rise; returns the length and the loss.

    Where not even the smallest step helps theta stays, and the length is 0.
    """
    longest = 0.0
    for k in range(theta.shape[0]):
        longest = max(longest, abs(step[k]))
    share = 1.0
    while share * longest >= SMALLEST_STEP:
        for k in range(theta.shape[0]):
            trial[k] = theta[k] - share * step[k]
        lower = penalised_loss(features, y, weights, centre, precision, trial)
        if lower <= loss + ROUNDING * (1.0 + abs(loss)):
            for k in range(theta.shape[0]):
                theta[k] = trial[k]
            return share * longest, lower
        share *= 0.5
    return 0.0, loss


@part()
def descend(
    features: Matrix,
    y: Vector,
    weights: Vector,
    centre: Vector,
    precision: Vector,
    theta: Vector,
    hessian: Matrix,
    workspace: Vector,
) -> int:
    """Newton steps from theta until they are too small to matter; returns their number, or -1."""
    size = theta.shape[0]
    gradient = workspace[:size]
    trial = workspace[size : 2 * size]
    factor = workspace[2 * size : 2 * size + size * size].reshape((size, size))
    loss = penalised_loss(features, y, weights, centre, precision, theta)
    for step in range(GREATEST_STEPS):
        slope_and_curvature(features, y, weights, centre, precision, theta, gradient, hessian)
        for j in range(size):
            for k in range(size):
                factor[j, k] = hessian[j, k]
        if not solve_positive(factor, gradient, size):
            return -1
        length, loss = step_down(features, y, weights, centre, precision, theta, gradient, trial, loss)
        if length < SMALLEST_STEP:
            return step + 1
    return -1


@kernel("i8(f8[:,::1],f8[::1],f8[::1],f8[::1],f8[::1],f8[::1],f8[:,::1],f8[::1])")
def fit_logistic(
    features: Matrix,
    y: Vector,
    weights: Vector,
    centre: Vector,
    precision: Vector,
    theta: Vector,
    hessian: Matrix,
    workspace: Vector,
) -> int:
    """Coefficients θ of y ~ expit(features θ) under the prior θ_k ~ N(centre_k, 1 / precision_k).

    features (N, K); y (N,) in 0..1; weights (N,): >= 0, rows of weight 0 are not
    read. centre, precision (K,): precision 0 is no prior, and centre is then the
    start only. theta (K,): overwritten. hessian (K, K): overwritten with the
    second derivatives at theta, whose inverse is the posterior covariance
    (Laplace). workspace: at least 2 K + K² places. Returns the number of steps,
    or -1 where they do not end: y is separable and there is no prior.
    Source: iteratively reweighted least squares, Nelder & Wedderburn (1972);
    step halving; Laplace approximation, Bishop (2006), section 4.5.
    """
    for k in range(theta.shape[0]):
        theta[k] = centre[k]
    return descend(features, y, weights, centre, precision, theta, hessian, workspace)


def logistic_workspace_size(coefficients: int) -> int:
    """Places of float64 scratch that fit_logistic needs."""
    return 2 * coefficients + coefficients**2


def logistic(
    features: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    centre: ArrayLike | None = None,
    precision: ArrayLike | None = None,
) -> tuple[Vector, Matrix]:
    """Coefficients (K,) of a logistic regression and their covariance (K, K).

    Args:
        features: (N, K), finite; add a column of ones for an intercept.
        y: (N,) what happened, 0..1; NaN where annulled or open.
        weights: (N,), >= 0; equal where not given.
        centre: (K,) where the prior centres; 0 where not given.
        precision: (K,) of the prior, >= 0; 0 (no prior) where not given.

    Raises:
        ValueError: Names the argument and what it must be; also where y is
            separable and no prior holds the coefficients.
    """
    x: Matrix = as_array("features", features, 2)
    if not np.all(np.isfinite(x)):
        raise ValueError("features must be finite")
    happened: Vector = as_array("y", y, 1)
    require_shape("y", happened, x.shape[:1], "one for each row of features")
    require_unit("y", happened)
    w: Vector = np.ones(len(x)) if weights is None else np.array(as_array("weights", weights, 1))
    require_shape("weights", w, x.shape[:1], "one for each row of features")
    require_weights("weights", w)
    w = np.where(np.isnan(happened), 0.0, w)
    size = x.shape[1]
    around: Vector = np.zeros(size) if centre is None else as_array("centre", centre, 1)
    held: Vector = np.zeros(size) if precision is None else as_array("precision", precision, 1)
    require_shape("centre", around, (size,), "one for each coefficient")
    require_shape("precision", held, (size,), "one for each coefficient")
    require_weights("precision", held)
    theta, hessian = np.empty(size), np.empty((size, size))
    workspace = np.empty(logistic_workspace_size(size))
    if fit_logistic(x, happened, w, around, held, theta, hessian, workspace) < 0:
        raise ValueError("y does not determine the coefficients; give a precision above 0 (a prior)")
    return theta, np.linalg.inv(hessian).astype(np.float64)
