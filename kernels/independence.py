# SPDX-License-Identifier: Apache-2.0
"""Weights that know correlation: effective number of members, and votes shared by near-duplicates."""

import math

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.checks import as_array, require_shape, require_weights


@kernel("f8(f8[::1],f8[:,::1],f8)")
def effective_independent(used: Vector, correlation: Matrix, unknown: float) -> float:
    """Number of independent members that would be worth as much: (Σ w)² / Σ_ij w_i w_j r_ij.

    used (M,): weights >= 0, 0 for those that do not count. correlation (M, M) of
    members' errors, symmetric, ones on the diagonal (which is not read); NaN is
    taken as ``unknown``. The variance of a weighted mean of errors of equal
    variance is that of one member over this number. Uncorrelated: Kish's number;
    all r = 1: one. Held between 1 and the number of members that count, since
    negative sample correlations promise more than they keep. NaN if nobody counts.
    Source: Kish (1965); the variance of a weighted sum.
    """
    total = 0.0
    variance = 0.0
    counted = 0
    for i in range(used.shape[0]):
        if used[i] <= 0.0:
            continue
        counted += 1
        total += used[i]
        variance += used[i] * used[i]
        for j in range(i):
            r = correlation[i, j]
            variance += 2.0 * used[i] * used[j] * (unknown if math.isnan(r) else r)
    if counted == 0:
        return math.nan
    effective = total * total / variance if variance > 0.0 else float(counted)
    return min(max(effective, 1.0), float(counted))


@kernel("void(f8[::1],f8[:,::1],f8,f8[::1])")
def share_votes(weights: Vector, correlation: Matrix, unknown: float, out: Vector) -> None:
    """Weights divided among members that say the same: w_i / Σ_j max(r_ij, 0), normalised.

    weights (M,): >= 0; a member of weight 0 shares nothing. correlation (M, M),
    NaN taken as ``unknown``. out (M,): sums to 1 (all 0 where weights are). Two
    perfect duplicates get together what either would get alone.
    Source: inverse redundancy weights, as in sequence weighting by Henikoff &
    Henikoff (1994), with correlation for identity.
    """
    total = 0.0
    for i in range(weights.shape[0]):
        crowd = 1.0
        for j in range(weights.shape[0]):
            if j != i and weights[j] > 0.0:
                r = correlation[i, j]
                crowd += max(unknown if math.isnan(r) else r, 0.0)
        out[i] = weights[i] / crowd
        total += out[i]
    for i in range(weights.shape[0]):
        out[i] = out[i] / total if total > 0.0 else 0.0


def _checked(weights: ArrayLike, correlation: ArrayLike) -> tuple[Vector, Matrix]:
    w: Vector = as_array("weights", weights, 1)
    require_weights("weights", w)
    r: Matrix = as_array("correlation", correlation, 2)
    require_shape("correlation", r, (w.size, w.size), "members × members")
    if np.any(np.abs(r) > 1.0 + 1e-9):
        raise ValueError("correlation must lie in -1..1 (NaN where it is unknown)")
    if not np.allclose(r, r.T, equal_nan=True):
        raise ValueError("correlation must be symmetric; pass (r + r.T) / 2")
    return w, r


def independent_members(weights: ArrayLike, correlation: ArrayLike, unknown: float = 0.0) -> float:
    """Effective number of independent members; see effective_independent.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    return float(effective_independent(*_checked(weights, correlation), unknown))


def shared_votes(weights: ArrayLike, correlation: ArrayLike, unknown: float = 0.0) -> Vector:
    """Weights in which near-duplicates share one vote; see share_votes.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    w, r = _checked(weights, correlation)
    out = np.empty_like(w)
    share_votes(w, r, unknown, out)
    return out
