# SPDX-License-Identifier: Apache-2.0
"""What members still out can do to a weighted median or trimmed mean; terms as in kernels.leads."""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.leads import gaps_of_limits, limits_of_shares
from kernels.methods import TIE


@part()
def quantile_limits(
    p: Matrix, w: Vector, heard: float, still: float, share: float, order: Matrix, low: Vector, high: Vector
) -> None:
    """Limits of the weighted median or trimmed mean of each outcome, before they are normalised.

    Weight ``still`` at 0 moves every quantile down as far as it can, at 1 up.
    """
    whole = heard + still
    for c in range(1 if p.shape[1] == 2 else p.shape[1]):
        if share > 0.5 - 1e-6:
            low[c] = _median_beside(p, w, order, c, still, whole)
            high[c] = _median_beside(p, w, order, c, 0.0, whole)
        else:
            low[c] = _trimmed_beside(p, w, order, c, still, share * whole, (1.0 - share) * whole)
            high[c] = _trimmed_beside(p, w, order, c, 0.0, share * whole, (1.0 - share) * whole)
    if p.shape[1] == 2:
        low[1] = 1.0 - high[0]
        high[1] = 1.0 - low[0]


@part()
def _trimmed_beside(
    p: Matrix, w: Vector, order: Matrix, c: int, zeros: float, start: float, end: float
) -> float:
    """Mean of the quantiles from start to end: ``zeros`` weight at 0, what is missing above at 1."""
    below = zeros
    total = 0.0
    for j in range(order.shape[1]):
        i = int(order[c, j])
        if i < 0:
            break
        after = below + w[i]
        total += max(min(after, end) - max(below, start), 0.0) * p[i, c]
        below = after
    return (total + max(end - max(below, start), 0.0)) / (end - start)


@part()
def _median_beside(p: Matrix, w: Vector, order: Matrix, c: int, zeros: float, whole: float) -> float:
    """Weighted median with ``zeros`` weight at 0 and what is missing above at 1; ties take the mean."""
    below = zeros
    if below > (0.5 + TIE) * whole:
        return 0.0
    lower = 0.0 if below >= (0.5 - TIE) * whole else math.nan
    for j in range(order.shape[1]):
        i = int(order[c, j])
        if i < 0:
            break
        if w[i] <= 0.0:
            continue
        if not math.isnan(lower):
            return 0.5 * (lower + p[i, c])
        below += w[i]
        if below > (0.5 + TIE) * whole:
            return p[i, c]
        if below >= (0.5 - TIE) * whole:
            lower = p[i, c]
    return 1.0 if math.isnan(lower) else 0.5 * (lower + 1.0)


@part()
def ranked_reach(
    p: Matrix,
    w: Vector,
    heard: float,
    still: float,
    share: float,
    order: Matrix,
    sums: Vector,
    gaps: Matrix,
    low: Vector,
    high: Vector,
) -> None:
    """Leads and limits of median and trimmed mean.

    Where all of them may be 0 (three outcomes or more), the pool falls back to
    the linear one, whose limits (from sums) are then included.
    """
    quantile_limits(p, w, heard, still, share, order, low, high)
    greatest_low = 0.0
    for c in range(low.shape[0]):
        greatest_low = max(greatest_low, low[c])
    if greatest_low <= 0.0:
        for c in range(low.shape[0]):
            low[c] = min(low[c], sums[c] / (heard + still))
            high[c] = max(high[c], (sums[c] + still) / (heard + still))
    gaps_of_limits(low, high, gaps)
    limits_of_shares(low, high)
