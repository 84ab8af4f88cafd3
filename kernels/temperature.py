# SPDX-License-Identifier: Apache-2.0
"""Temperature scaling: one number that makes forecasts bolder or more careful."""

import math

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel, part
from kernels._types import Indices, Matrix, Vector
from kernels.checks import as_array, as_probabilities, require_shape
from kernels.members import clamped_log

GREATEST_STEPS = 100
#: Least and greatest inverse temperature that a fit may give.
LEAST = 1e-3
GREATEST = 1e3


@part()
def _derivatives(
    p: Matrix, outcome: Indices, strength: float, inverse: float, logs: Vector
) -> tuple[float, float]:
    """First and second derivative of the loss by the inverse temperature. logs (C,) is scratch."""
    slope = strength * (inverse - 1.0)
    curvature = strength
    for n in range(p.shape[0]):
        if outcome[n] < 0 or math.isnan(p[n, 0]):
            continue
        greatest = -math.inf
        for c in range(p.shape[1]):
            logs[c] = clamped_log(p[n, c])
            greatest = max(greatest, inverse * logs[c])
        total = 0.0
        mean = 0.0
        square = 0.0
        for c in range(p.shape[1]):
            share = math.exp(inverse * logs[c] - greatest)
            total += share
            mean += share * logs[c]
            square += share * logs[c] * logs[c]
        slope += mean / total - logs[outcome[n]]
        curvature += square / total - (mean / total) ** 2
    return slope, curvature


@kernel("f8(f8[:,::1],i8[::1],f8,f8[::1])")
def find_inverse_temperature(p: Matrix, outcome: Indices, strength: float, workspace: Vector) -> float:
    """β that minimises Σ -log softmax(β log p)[what happened] + ½ strength (β - 1)².

    p (N, C); outcome (N,): -1 where annulled; NaN rows are left out. workspace
    (C,). The loss is convex in β: Newton's method inside a bracket, within
    1e-3..1e3. Nothing known and no strength: 1.
    Source: Guo et al. (2017), On calibration of modern neural networks.
    """
    low = LEAST
    high = GREATEST
    inverse = 1.0
    for _ in range(GREATEST_STEPS):
        slope, curvature = _derivatives(p, outcome, strength, inverse, workspace)
        if slope == 0.0:
            break
        if slope > 0.0:
            high = inverse
        else:
            low = inverse
        step = inverse - slope / curvature if curvature > 0.0 else -1.0
        if not (low < step < high):
            step = math.sqrt(low * high)
        moved = abs(step - inverse)
        inverse = step
        if moved < 1e-12 * inverse:
            break
    return inverse


def fit_temperature(p: ArrayLike, outcome: ArrayLike, strength: float = 1e-3) -> Vector:
    """Parameters [T] of temperature scaling; above 1 makes forecasts more careful.

    Args:
        p: (N, C); rows sum to 1, a NaN row is no forecast.
        outcome: (N,) index of what happened, -1 where annulled or open.
        strength: Precision of a prior that 1/T is 1, >= 0.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts: Matrix = as_probabilities("p", p)
    happened: Indices = as_array("outcome", outcome, 1, np.int64)
    require_shape("outcome", happened, forecasts.shape[:1], "one for each forecast")
    if np.any((happened < -1) | (happened >= forecasts.shape[1])):
        raise ValueError(f"outcome must be an index under {forecasts.shape[1]}, or -1 where annulled")
    if not strength >= 0.0:
        raise ValueError("strength must be at least 0")
    workspace = np.empty(forecasts.shape[1])
    return np.array([1.0 / find_inverse_temperature(forecasts, happened, strength, workspace)])
