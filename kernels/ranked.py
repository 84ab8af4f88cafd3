# SPDX-License-Identifier: Apache-2.0
"""Pools that rank members: weighted median and weighted trimmed mean.

Shapes as in kernels.pools. ``order`` (C, M): for each outcome the indices of
the present members by rising probability, as ``rank`` makes them; -1 after
the last.
"""

import math

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.methods import TIE
from kernels.pools import fill, linear_pool, normalise


@kernel("void(f8[:,::1],f8[:,::1])")
def rank(p: Matrix, order: Matrix) -> None:
    """Indices of the present members by rising probability, for each outcome.

    p (M, C); order (C, M): overwritten, kept as floats so that one workspace
    holds everything. An insertion sort: ensembles are small.
    """
    for c in range(p.shape[1]):
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


@kernel("f8(f8[:,::1],f8[::1],f8[::1],i8)")
def _median(p: Matrix, used: Vector, order: Vector, c: int) -> float:
    below = 0.0
    lower = math.nan
    for j in range(order.shape[0]):
        if order[j] < 0.0:
            break
        i = int(order[j])
        if used[i] <= 0.0:
            continue
        if not math.isnan(lower):
            return 0.5 * (lower + p[i, c])
        below += used[i]
        if below > 0.5 + TIE:
            return p[i, c]
        if below >= 0.5 - TIE:
            lower = p[i, c]
    return lower


@kernel("void(f8[:,::1],f8[::1],f8[:,::1],f8[::1])")
def median_pool(p: Matrix, used: Vector, order: Matrix, out: Vector) -> None:
    """Weighted median of each outcome's probabilities, normalised.

    p (M, C), used (M,), order (C, M), out (C,). Where the weights split exactly
    in two, the mean of the two middle values. Binary medians sum to 1 by
    themselves. Where every median is 0, the linear pool.
    """
    total = 0.0
    for c in range(p.shape[1]):
        out[c] = _median(p, used, order[c], c)
        total += out[c]
    if total <= 0.0:
        linear_pool(p, used, out)
    normalise(out)


@kernel("f8(f8[:,::1],f8[::1],f8[::1],i8,f8)")
def _trimmed(p: Matrix, used: Vector, order: Vector, c: int, share: float) -> float:
    below = 0.0
    total = 0.0
    for j in range(order.shape[0]):
        if order[j] < 0.0:
            break
        i = int(order[j])
        after = below + used[i]
        kept = min(after, 1.0 - share) - max(below, share)
        if kept > 0.0:
            total += kept * p[i, c]
        below = after
    return total / (1.0 - 2.0 * share)


@kernel("void(f8[:,::1],f8[::1],f8[:,::1],f8,f8[::1])")
def trimmed_pool(p: Matrix, used: Vector, order: Matrix, share: float, out: Vector) -> None:
    """Weighted mean of what is left when a share of the weight is cut from each end.

    p (M, C), used (M,), order (C, M), out (C,). share 0 is the linear pool,
    towards 0.5 it becomes the median (from 0.5 on, it is the median). A member at
    the cut keeps the part of its weight that lies inside. Each outcome is
    trimmed by itself, then all are normalised; where nothing is left, the
    linear pool.
    """
    if share > 0.5 - 1e-6:
        median_pool(p, used, order, out)
        return
    counted = 0.0
    for i in range(p.shape[0]):
        counted += used[i]
    if counted <= 0.0:
        fill(out, math.nan)
        return
    total = 0.0
    for c in range(p.shape[1]):
        out[c] = _trimmed(p, used, order[c], c, share)
        total += out[c]
    if total <= 0.0:
        linear_pool(p, used, out)
    normalise(out)
