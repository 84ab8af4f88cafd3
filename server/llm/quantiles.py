# SPDX-License-Identifier: Apache-2.0
"""Quantiles of a number to its distribution on a grid."""

import numpy as np
from numpy.typing import NDArray

from server.forecasting.question import NumericScale

#: Narrowest segment, relative to the whole spread, that sets the density of a tail.
_LEAST_WIDTH = 1e-9


def cumulative(
    levels: tuple[float, ...], values: tuple[float, ...], grid: tuple[float, ...], scale: NumericScale
) -> tuple[float, ...]:
    """Cumulative probabilities P(X <= g) at the grid points.

    Linear between the quantiles, on the question's scale; beyond the outermost
    ones an exponential tail that continues the density of the nearest segment,
    so that no value is impossible. levels (Q,): ascending in (0, 1). values
    (Q,): ascending, ties allowed. grid (G,): ascending.

    Raises:
        ValueError: a value is not positive on a log scale.
    """
    if scale is NumericScale.LOG and (values[0] <= 0 or grid[0] <= 0):
        raise ValueError("quantiles must be greater than 0 on a log scale")
    x, points, level = _on_scale(values, scale), _on_scale(grid, scale), np.asarray(levels)
    inner = np.interp(points, x, level)
    # Where quantiles coincide, the highest of them is the probability of at most that value.
    at_most = np.clip(np.searchsorted(x, points, side="right") - 1, 0, None)
    inner = np.where(x[at_most] == points, level[at_most], inner)
    below = _tail(level[0], level[1], x[1] - x[0], x[0] - points)
    above = 1.0 - _tail(1.0 - level[-1], 1.0 - level[-2], x[-1] - x[-2], points - x[-1])
    made = np.where(points < x[0], below, np.where(points > x[-1], above, inner))
    return tuple(float(value) for value in made)


def _on_scale(values: tuple[float, ...], scale: NumericScale) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    return np.log(array) if scale is NumericScale.LOG else array


def _tail(mass: float, inner_mass: float, width: float, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability beyond ``distance`` outside the outermost quantile, which has ``mass`` outside it."""
    rate = (inner_mass - mass) / max(width, _LEAST_WIDTH) / mass
    made: NDArray[np.float64] = mass * np.exp(-np.maximum(distance, 0.0) * rate)
    return made
