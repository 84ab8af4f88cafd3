# SPDX-License-Identifier: Apache-2.0
"""How much members agree: entropy, divergence, effective number."""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.members import OWN_ENTROPY


@part()
def entropy(p: Vector) -> float:
    """Shannon entropy -Σ p log p of p (C,), in nats; 0 log 0 is 0, NaN gives NaN."""
    total = 0.0
    for c in range(p.shape[0]):
        if p[c] > 0.0:
            total -= p[c] * math.log(p[c])
        elif math.isnan(p[c]):
            return math.nan
    return total


@part()
def divergence(p: Matrix, traits: Matrix, used: Vector) -> float:
    """Weighted Jensen–Shannon divergence H(Σ w p) - Σ w H(p), in nats.

    p (M, C); traits (TRAITS, M) of kernels.members; used (M,): weights that sum
    to 1, 0 for those that do not count. 0 for one member or for identical
    members; at most log C. NaN if nobody counts.
    Source: Lin (1991), Divergence measures based on the Shannon entropy.
    """
    own = 0.0
    counted = 0
    for i in range(p.shape[0]):
        if used[i] > 0.0:
            counted += 1
            own += used[i] * traits[OWN_ENTROPY, i]
    if counted == 0:
        return math.nan
    mixed = 0.0
    for c in range(p.shape[1]):
        mean = 0.0
        for i in range(p.shape[0]):
            if used[i] > 0.0:
                mean += used[i] * p[i, c]
        if mean > 0.0:
            mixed -= mean * math.log(mean)
    return max(mixed - own, 0.0)


@part()
def effective_members(w: Vector) -> float:
    """Kish's effective number (Σ w)² / Σ w² of members with weights w (M,).

    The weights' own concentration only; see kernels.independence for
    correlation. NaN if nobody counts. Source: Kish (1965), Survey Sampling.
    """
    total = 0.0
    squares = 0.0
    for i in range(w.shape[0]):
        total += w[i]
        squares += w[i] * w[i]
    return total * total / squares if squares > 0.0 else math.nan
