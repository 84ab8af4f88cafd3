# SPDX-License-Identifier: Apache-2.0
"""Pools that rank members: weighted median and weighted trimmed mean.

Shapes and weights as in kernels.pools. ``order`` (C, M): for each outcome the
indices of the present members by rising probability, as ``rank`` makes them;
-1 after the last.
"""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.methods import TIE
from kernels.pools import fill, linear_pool, normalise


@part()
def rank(p: Matrix, order: Matrix) -> None:
    """Indices of the present members by rising probability, for each outcome.

    p (M, C); order (C, M): overwritten, kept as floats so that one workspace
    holds everything. Of two outcomes only the first is ranked: the other is the
    reverse. An insertion sort: ensembles are small.
    """
    for c in range(1 if p.shape[1] == 2 else p.shape[1]):
        length = 0
        for i in range(p.shape[0]):
            order[c, i] = -1.0
            if math.isnan(p[i, 0]):
                continue
            j = length
            while j > 0 and p[int(order[c, j - 1]), c] > p[i, c]:
                order[c, j] = order[c, j - 1]
                j -= 1
            order[c, j] = i
            length += 1


@part()
def sum_of(w: Vector) -> float:
    """Σ w."""
    total = 0.0
    for i in range(w.shape[0]):
        total += w[i]
    return total


@part()
def _median(p: Matrix, w: Vector, total: float, order: Matrix, c: int) -> float:
    below = 0.0
    lower = math.nan
    for j in range(order.shape[1]):
        i = int(order[c, j])
        if i < 0:
            break
        if w[i] <= 0.0:
            continue
        if not math.isnan(lower):
            return 0.5 * (lower + p[i, c])
        below += w[i]
        if below > (0.5 + TIE) * total:
            return p[i, c]
        if below >= (0.5 - TIE) * total:
            lower = p[i, c]
    return lower


@part()
def median_pool(p: Matrix, w: Vector, order: Matrix, out: Vector) -> None:
    """Weighted median of each outcome's probabilities, normalised.

    p (M, C), w (M,), order (C, M), out (C,). Where the weights split exactly in
    two, the mean of the two middle values. Two outcomes: the second median is
    1 less the first. Where every median is 0, the linear pool.
    """
    weight = sum_of(w)
    if p.shape[1] == 2:
        out[0] = _median(p, w, weight, order, 0)
        out[1] = 1.0 - out[0]
        return
    total = 0.0
    for c in range(p.shape[1]):
        out[c] = _median(p, w, weight, order, c)
        total += out[c]
    if total <= 0.0:
        linear_pool(p, w, out)
    normalise(out)


@part()
def _trimmed(p: Matrix, w: Vector, low: float, high: float, order: Matrix, c: int) -> float:
    below = 0.0
    total = 0.0
    for j in range(order.shape[1]):
        i = int(order[c, j])
        if i < 0:
            break
        after = below + w[i]
        kept = min(after, high) - max(below, low)
        if kept > 0.0:
            total += kept * p[i, c]
        below = after
    return total / (high - low)


@part()
def trimmed_pool(p: Matrix, w: Vector, order: Matrix, share: float, out: Vector) -> None:
    """Weighted mean of what is left when a share of the weight is cut from each end.

    p (M, C), w (M,), order (C, M), out (C,). share 0 is the linear pool,
    towards 0.5 it becomes the median (from 0.5 on, it is the median). A member at
    the cut keeps the part of its weight that lies inside. Each outcome is
    trimmed by itself, then all are normalised; where nothing is left, the
    linear pool.
    """
    if share > 0.5 - 1e-6:
        median_pool(p, w, order, out)
        return
    weight = sum_of(w)
    if weight <= 0.0:
        fill(out, math.nan)
        return
    if p.shape[1] == 2:
        out[0] = _trimmed(p, w, share * weight, (1.0 - share) * weight, order, 0)
        out[1] = 1.0 - out[0]
        return
    total = 0.0
    for c in range(p.shape[1]):
        out[c] = _trimmed(p, w, share * weight, (1.0 - share) * weight, order, c)
        total += out[c]
    if total <= 0.0:
        linear_pool(p, w, out)
    normalise(out)
