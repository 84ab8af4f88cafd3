# SPDX-License-Identifier: Apache-2.0
"""Calibration by group, drawn towards all groups together where a group has seen little.

Each group (a category at a horizon) has a Platt curve of its own, and the
curves come from one common distribution, which is estimated along with them.
A group without answers gets the common curve; one with many gets its own.

Shapes: N questions, G groups, K = 2 coefficients [slope, intercept].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel, part
from kernels._types import Cube, Indices, Matrix, Vector
from kernels.checks import as_array, require_shape, require_unit
from kernels.logistic import descend, logistic_workspace_size
from kernels.platt import GENTLE, platt_features
from kernels.special import expit, logit, student_t_95

SIZE = 2
GREATEST_ROUNDS = 500
SETTLED = 1e-7
#: Before any group is seen, groups' coefficients are taken to differ by this
#: much (slope, intercept), and that counts as much as this many groups.
PRIOR_SPREAD = 0.3
PRIOR_GROUPS = 2.0


@part()
def invert_two(a: Matrix, out: Matrix) -> None:
    """Inverse of a symmetric positive definite 2 × 2 matrix."""
    determinant = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    out[0, 0] = a[1, 1] / determinant
    out[1, 1] = a[0, 0] / determinant
    out[0, 1] = -a[0, 1] / determinant
    out[1, 0] = -a[1, 0] / determinant


@part()
def _update_common(theta: Matrix, covariance: Cube, gentle: float, centre: Vector, variance: Vector) -> None:
    groups = theta.shape[0]
    for k in range(SIZE):
        total = 0.0
        for g in range(groups):
            total += theta[g, k]
        own = total / variance[k] + gentle * (1.0 - k)
        centre[k] = own / (groups / variance[k] + gentle)
        spread = PRIOR_GROUPS * PRIOR_SPREAD**2
        for g in range(groups):
            spread += (theta[g, k] - centre[k]) ** 2 + covariance[g, k, k]
        variance[k] = spread / (PRIOR_GROUPS + groups)


@kernel("i8(f8[:,::1],f8[::1],i8[::1],f8,f8[:,::1],f8[:,:,::1],f8[::1],f8[::1],f8[::1])")
def fit_groups(
    features: Matrix,
    y: Vector,
    starts: Indices,
    gentle: float,
    theta: Matrix,
    covariance: Cube,
    centre: Vector,
    variance: Vector,
    workspace: Vector,
) -> int:
    """Platt coefficients of each group under a common normal distribution, by Laplace EM.

    features (N, 2): of platt_features, y (N,), both sorted by group; group g
    holds the rows starts[g] <= n < starts[g + 1]. gentle: precision of the prior
    that the common curve is [1, 0].
    theta (G, 2), covariance (G, 2, 2): overwritten with each group's posterior
    mode and covariance. centre, variance (2,): overwritten with the common mean
    and the variance between groups. workspace: weights for the rows (N,) plus
    logistic_workspace_size(2) + 10. Returns the number of rounds, or -1 where they do not settle.

        mode and curvature:  θ_g = argmin loss_g(θ) + ½ Σ_k (θ_k - μ_k)² / τ_k²
        common mean:         μ = (Σ_g θ_g / τ² + gentle [1, 0]) / (G / τ² + gentle)
        spread:              τ² = (2 × 0.3² + Σ_g ((θ_g - μ)² + V_g)) / (2 + G)

    Source: Dempster, Laird & Rubin (1977); empirical Bayes, Efron & Morris (1973);
    Laplace approximation of the group posteriors, Bishop (2006), section 4.5.
    """
    groups = theta.shape[0]
    count = y.shape[0]
    weights = workspace[:count]
    hessian = workspace[count : count + 4].reshape((SIZE, SIZE))
    precision = workspace[count + 4 : count + 6]
    before = workspace[count + 6 : count + 10]
    scratch = workspace[count + 10 :]
    for n in range(count):
        weights[n] = 1.0
    for k in range(SIZE):
        centre[k] = 1.0 - k
        variance[k] = PRIOR_SPREAD**2
        for g in range(groups):
            theta[g, k] = centre[k]
    for turn in range(GREATEST_ROUNDS):
        for k in range(SIZE):
            precision[k] = 1.0 / variance[k]
            before[k] = centre[k]
            before[SIZE + k] = variance[k]
        for g in range(groups):
            first, last = starts[g], starts[g + 1]
            descend(
                features[first:last],
                y[first:last],
                weights[first:last],
                centre,
                precision,
                theta[g],
                hessian,
                scratch,
            )
            invert_two(hessian, covariance[g])
        _update_common(theta, covariance, gentle, centre, variance)
        moved = 0.0
        for k in range(SIZE):
            moved += abs(centre[k] - before[k]) + abs(variance[k] - before[SIZE + k])
        if moved < SETTLED:
            return turn + 1
    return -1


@kernel("UniTuple(f8,3)(f8,f8[::1],f8[:,::1],f8)")
def curve_range(p: float, theta: Vector, covariance: Matrix, degrees: float) -> tuple[float, float, float]:
    """Calibrated probability and its range of level 0.9 from the uncertainty of the curve.

    p: a forecast. theta (2,), covariance (2, 2): of the group. degrees: degrees
    of freedom of Student's t, at least 1; the number of answers less 2 is
    careful. Low, calibrated, high. With x = [logit p, 1]: expit(x·θ ∓ t √(xᵀ V x)).
    Source: delta method on the log-odds.
    """
    x = logit(p)
    score = theta[0] * x + theta[1]
    spread = covariance[0, 0] * x * x + 2.0 * covariance[0, 1] * x + covariance[1, 1]
    half = student_t_95(degrees) * max(spread, 0.0) ** 0.5
    return expit(score - half), expit(score), expit(score + half)


@dataclass(frozen=True, slots=True)
class GroupCurves:
    """Platt curves of all groups.

    Attributes:
        parameters: (G, 2) [slope, intercept] of each group, for calibrators.PLATT.
        covariance: (G, 2, 2) of each group's parameters.
        common: (2,) parameters of all groups together: for a group never seen.
        spread: (2,) standard deviation of parameters between groups.
        counts: (G,) answers that each group's curve rests on.
    """

    parameters: Matrix
    covariance: Cube
    common: Vector
    spread: Vector
    counts: Indices


def fit_platt_by_group(
    p: ArrayLike, y: ArrayLike, group: ArrayLike, groups: int, strength: float = GENTLE
) -> GroupCurves:
    """Platt curves by group, drawn towards all groups together.

    Args:
        p: (N,) probabilities of YES, NaN for none.
        y: (N,) what happened, 0..1, NaN where annulled or open.
        group: (N,) index of each question's group, under groups.
        groups: G, how many there are, seen or not; at least 1.
        strength: Precision of the prior that the common curve is [1, 0]; above 0.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts: Vector = as_array("p", p, 1)
    happened: Vector = as_array("y", y, 1)
    own: Indices = as_array("group", group, 1, np.int64)
    require_shape("y", happened, forecasts.shape, "one for each forecast")
    require_shape("group", own, forecasts.shape, "one for each forecast")
    require_unit("p", forecasts)
    require_unit("y", happened)
    if groups < 1 or np.any((own < 0) | (own >= groups)):
        raise ValueError(f"group must hold indices of 0..{groups - 1}, and groups be at least 1")
    if not strength > 0.0:
        raise ValueError("strength must be above 0")
    known = np.flatnonzero(~(np.isnan(forecasts) | np.isnan(happened)))
    order = known[np.argsort(own[known], kind="stable")]
    counts = np.bincount(own[known], minlength=groups)
    starts = np.concatenate([[0], np.cumsum(counts)])
    features = np.empty((len(order), SIZE))
    platt_features(forecasts[order], features)
    theta, covariance = np.empty((groups, SIZE)), np.empty((groups, SIZE, SIZE))
    centre, variance = np.empty(SIZE), np.empty(SIZE)
    workspace = np.empty(len(order) + 10 + logistic_workspace_size(SIZE))
    fit_groups(features, happened[order], starts, strength, theta, covariance, centre, variance, workspace)
    return GroupCurves(theta, covariance, centre, np.sqrt(variance), counts)
