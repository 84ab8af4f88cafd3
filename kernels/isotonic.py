# SPDX-License-Identifier: Apache-2.0
"""Isotonic calibration: the best curve that never falls, by pooling adjacent violators."""

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel
from kernels._types import Vector
from kernels.checks import as_array, require_shape, require_unit, require_weights


@kernel("i8(f8[::1],f8[::1],f8[::1],f8[::1],f8[::1])")
def pool_adjacent(x: Vector, y: Vector, weights: Vector, levels: Vector, sizes: Vector) -> int:
    """Weighted isotonic regression of y on x, block by block.

    x (N,) in rising order, y (N,), weights (N,) > 0. levels, sizes (N,):
    overwritten from the front with the level of each block and the number of
    questions in it. Returns the number of blocks. Equal x fall into one block.
    Linear in N. Source: Ayer et al. (1955); Barlow et al. (1972).
    """
    count = x.shape[0]
    blocks = 0
    n = 0
    while n < count:
        weight = weights[n]
        total = weights[n] * y[n]
        size = 1
        while n + size < count and x[n + size] == x[n]:
            weight += weights[n + size]
            total += weights[n + size] * y[n + size]
            size += 1
        n += size
        level = total / weight
        # The stack keeps weights in ``weights``, whose front has been read already.
        while blocks > 0 and levels[blocks - 1] >= level:
            blocks -= 1
            level = (level * weight + levels[blocks] * weights[blocks]) / (weight + weights[blocks])
            weight += weights[blocks]
            size += int(sizes[blocks])
        levels[blocks] = level
        weights[blocks] = weight
        sizes[blocks] = size
        blocks += 1
    return blocks


def fit_isotonic(p: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Vector:
    """Parameters [x (K), y (K)] of isotonic calibration: the first and last forecast of each level.

    Args:
        p: (N,) probabilities of YES, NaN for none.
        y: (N,) what happened, 0..1, NaN where annulled or open.
        weights: (N,), >= 0; equal where not given.

    Raises:
        ValueError: Names the argument and what it must be; also where nothing is known.

    Source: Zadrozny & Elkan (2002), Transforming classifier scores.
    """
    forecasts: Vector = as_array("p", p, 1)
    happened: Vector = as_array("y", y, 1)
    given: Vector = np.ones(len(forecasts)) if weights is None else as_array("weights", weights, 1)
    require_shape("y", happened, forecasts.shape, "one for each forecast")
    require_shape("weights", given, forecasts.shape, "one for each forecast")
    require_unit("p", forecasts)
    require_unit("y", happened)
    require_weights("weights", given)
    order = np.argsort(forecasts)
    known = order[~np.isnan(forecasts[order] + happened[order]) & (given[order] > 0.0)]
    if len(known) == 0:
        raise ValueError("p and y have no question with both a forecast and a resolution")
    x, happened, w = forecasts[known], happened[known], given[known]
    levels, sizes = np.empty(len(x)), np.empty(len(x))
    blocks = pool_adjacent(x, happened, w, levels, sizes)
    ends = np.cumsum(sizes[:blocks]).astype(int)
    starts = ends - sizes[:blocks].astype(int)
    knots = np.stack([x[starts], x[ends - 1]], 1).ravel()
    heights = np.repeat(levels[:blocks], 2)
    kept = np.r_[True, np.diff(knots) > 0]
    return np.concatenate([knots[kept], heights[kept]])
