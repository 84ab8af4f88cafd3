# SPDX-License-Identifier: Apache-2.0
"""Weights from how members' errors go together: shrunk covariance, least variance on the simplex.

Shapes: T questions, M members. Errors are forecast minus what happened.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel, part
from kernels._types import Matrix, Vector
from kernels.checks import as_array
from kernels.logistic import solve_positive

TOLERANCE = 1e-12


@kernel("i8(f8[:,::1],b1,f8[:,::1])")
def fill_errors(errors: Matrix, centred: bool, out: Matrix) -> int:
    """Copy errors, those of absent members filled in; returns the rows that hold any.

    errors (T, M): NaN for a member that gave no forecast; its error is taken to
    be the mean error of the others on that question, which favours nobody. Rows
    without any are dropped. out (T, M): filled from the front. centred: each
    member's mean is then subtracted, so that bias is not counted as error.
    """
    rows = 0
    members = errors.shape[1]
    for t in range(errors.shape[0]):
        total = 0.0
        present = 0
        for i in range(members):
            if not math.isnan(errors[t, i]):
                total += errors[t, i]
                present += 1
        if present == 0:
            continue
        for i in range(members):
            out[rows, i] = total / present if math.isnan(errors[t, i]) else errors[t, i]
        rows += 1
    if centred:
        for i in range(members):
            mean = 0.0
            for t in range(rows):
                mean += out[t, i] / rows
            for t in range(rows):
                out[t, i] -= mean
    return rows


@kernel("f8(f8[:,::1],f8[:,::1])")
def ledoit_wolf(x: Matrix, covariance: Matrix) -> float:
    """Second moments of x, shrunk towards equal variances without correlation; returns the share.

    x (T, M): rows without NaN, centred before if means are not to count.
    covariance (M, M): overwritten with (1 - δ) S + δ mean(diag S) I, S = xᵀx / T.
    The share δ in 0..1 minimises the expected squared error; 1 where there is
    nothing but the diagonal. Pulling towards equal variances pulls the weights
    towards equal ones. T = 0 gives NaN.
    Source: Ledoit & Wolf (2004), A well-conditioned estimator for
    large-dimensional covariance matrices.
    """
    rows, members = x.shape
    if rows == 0:
        covariance[:, :] = math.nan
        return math.nan
    squares = 0.0
    fourth = 0.0
    trace = 0.0
    for i in range(members):
        for j in range(i + 1):
            total = 0.0
            total_squares = 0.0
            for t in range(rows):
                product = x[t, i] * x[t, j]
                total += product
                total_squares += product * product
            covariance[i, j] = total / rows
            covariance[j, i] = covariance[i, j]
            twice = 1.0 if i == j else 2.0
            squares += twice * covariance[i, j] * covariance[i, j]
            fourth += twice * total_squares
        trace += covariance[i, i]
    mean = trace / members
    noise = (fourth / rows - squares) / (members * rows)
    distance = (squares - 2.0 * mean * trace + members * mean * mean) / members
    noise = min(noise, distance)
    shrinkage = noise / distance if noise > 0.0 else 0.0
    for i in range(members):
        for j in range(members):
            covariance[i, j] *= 1.0 - shrinkage
        covariance[i, i] += shrinkage * mean
    return shrinkage


@part()
def _most_wanted(covariance: Matrix, x: Vector, used: Vector) -> int:
    """Unused member whose entry lowers the objective the fastest; -1 where none does."""
    best = -1
    gain = TOLERANCE
    for i in range(x.shape[0]):
        if used[i] == 0.0:
            own = 1.0
            for j in range(x.shape[0]):
                own -= covariance[i, j] * x[j]
            if own > gain:
                gain = own
                best = i
    return best


@part()
def _solve_used(covariance: Matrix, used: Vector, matrix: Matrix, z: Vector) -> bool:
    """Z of the used members: Σ z = 1 on them alone, 0 elsewhere; False where Σ is not definite."""
    members = used.shape[0]
    size = 0
    for i in range(members):
        if used[i] > 0.0:
            column = 0
            for j in range(i + 1):
                if used[j] > 0.0:
                    matrix[size, column] = covariance[i, j]
                    column += 1
            z[size] = 1.0
            size += 1
    if not solve_positive(matrix, z, size):
        return False
    for i in range(members - 1, -1, -1):
        if used[i] > 0.0:
            size -= 1
            z[i] = z[size]
        else:
            z[i] = 0.0
    return True


@part()
def _step_towards(x: Vector, z: Vector, used: Vector) -> bool:
    """Move x to z, or as far as no used member turns negative, dropping those that reach 0.

    Returns whether somebody was dropped.
    """
    length = 1.0
    for i in range(x.shape[0]):
        if used[i] > 0.0 and z[i] <= 0.0:
            length = min(length, x[i] / (x[i] - z[i]))
    dropped = False
    for i in range(x.shape[0]):
        x[i] += length * (z[i] - x[i])
        if used[i] > 0.0 and z[i] <= 0.0 and x[i] <= TOLERANCE * (1.0 + abs(z[i])):
            used[i] = 0.0
            x[i] = 0.0
            dropped = True
    return dropped


@kernel("i8(f8[:,::1],f8[::1],f8[::1])")
def least_variance_weights(covariance: Matrix, weights: Vector, workspace: Vector) -> int:
    """Weights w that minimise wᵀ Σ w with w >= 0 and Σ w = 1.

    covariance (M, M): symmetric, positive definite. weights (M,): overwritten.
    workspace: at least M² + 3 M places. Returns the number of changes to the set
    of members used, or -1 where it does not settle (Σ is not positive definite);
    weights are then equal.

    w is proportional to the x >= 0 that minimises ½ xᵀ Σ x - Σ x, which an
    active-set method finds exactly: members enter by the greatest gain and
    leave when their weight would turn negative.
    Source: Bates & Granger (1969) for the weights; Lawson & Hanson (1974) for the method.
    """
    members = covariance.shape[0]
    matrix = workspace[: members * members].reshape((members, members))
    x = workspace[members * members : members * members + members]
    z = workspace[members * members + members : members * members + 2 * members]
    used = workspace[members * members + 2 * members : members * members + 3 * members]
    for i in range(members):
        x[i] = 0.0
        used[i] = 0.0
        weights[i] = 1.0 / members
    for change in range(30 * members):
        enter = _most_wanted(covariance, x, used)
        if enter < 0:
            total = 0.0
            for i in range(members):
                total += x[i]
            for i in range(members):
                weights[i] = x[i] / total
            return change
        used[enter] = 1.0
        while True:
            if not _solve_used(covariance, used, matrix, z):
                return -1
            if not _step_towards(x, z, used):
                break
    return -1


@dataclass(frozen=True, slots=True)
class OptimalWeights:
    """Weights of least expected squared error.

    Attributes:
        weights: (M,) >= 0, summing to 1.
        covariance: (M, M) shrunk second moments of the errors.
        correlation: (M, M) of them, for kernels.independence.
        shrinkage: share of the shrinkage target, 0..1.
        questions: how many questions they rest on.
    """

    weights: Vector
    covariance: Matrix
    correlation: Matrix
    shrinkage: float
    questions: int


def optimal_weights(errors: ArrayLike, centred: bool = False) -> OptimalWeights:
    """Weights on the simplex whose pooled error is expected to be the smallest.

    Args:
        errors: (T, M) forecast minus what happened, NaN where a member gave none.
        centred: Whether each member's mean error is taken out first.

    Raises:
        ValueError: Names the argument and what it must be; also where there is
            no question, or no error at all.
    """
    given: Matrix = as_array("errors", errors, 2)
    if np.any(np.isinf(given)):
        raise ValueError("errors must be finite (NaN where a member gave no forecast)")
    members = given.shape[1]
    if members == 0:
        raise ValueError("errors must have at least one member in its second dimension")
    filled = np.empty_like(given)
    rows = int(fill_errors(given, centred, filled))
    covariance = np.empty((members, members))
    shrinkage = float(ledoit_wolf(filled[:rows], covariance))
    if rows == 0 or not np.trace(covariance) > 0.0:
        raise ValueError("errors must hold a question with an error other than 0")
    weights = np.empty(members)
    scale = np.trace(covariance) / members
    if least_variance_weights(covariance / scale, weights, np.empty(members * (members + 3))) < 0:
        ridge = covariance / scale + 1e-9 * np.eye(members)
        least_variance_weights(ridge, weights, np.empty(members * (members + 3)))
    deviation = np.sqrt(np.maximum(np.diagonal(covariance), 1e-300))
    correlation = np.clip(covariance / np.outer(deviation, deviation), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return OptimalWeights(weights, covariance, correlation, shrinkage, rows)
