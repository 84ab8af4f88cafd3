# SPDX-License-Identifier: Apache-2.0
"""How much members agree: choices, vote share, entropy, divergence, effective number."""

import math

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.methods import TIE


@kernel("i8(f8[::1])")
def most_probable(p: Vector) -> int:
    """Index of the most probable outcome of p (C,).

    Binary: outcome 0 (YES) wins only strictly above one half; the tie is a NO,
    index 1. More outcomes: the lowest index wins a tie. Differences up to
    1e-12 are ties. NaN gives -1.
    """
    if math.isnan(p[0]):
        return -1
    if p.shape[0] == 2:
        return 0 if p[0] > 0.5 + TIE else 1
    best = 0
    for c in range(1, p.shape[0]):
        if p[c] > p[best] + TIE:
            best = c
    return best


@kernel("f8(f8[::1])")
def entropy(p: Vector) -> float:
    """Shannon entropy -Σ p log p of p (C,), in nats; 0 log 0 is 0, NaN gives NaN."""
    total = 0.0
    for c in range(p.shape[0]):
        if p[c] > 0.0:
            total -= p[c] * math.log(p[c])
        elif math.isnan(p[c]):
            return math.nan
    return total


@kernel("f8(f8[:,::1],f8[::1])")
def divergence(p: Matrix, used: Vector) -> float:
    """Weighted Jensen–Shannon divergence H(Σ w p) - Σ w H(p), in nats.

    p (M, C); used (M,): weights that sum to 1, 0 for those that do not count.
    0 for one member or for identical members; at most log C. NaN if nobody counts.
    Source: Lin (1991), Divergence measures based on the Shannon entropy.
    """
    own = 0.0
    mixed = 0.0
    counted = 0
    for c in range(p.shape[1]):
        mean = 0.0
        for i in range(p.shape[0]):
            if used[i] > 0.0:
                x = p[i, c]
                counted += 1
                mean += used[i] * x
                if x > 0.0:
                    own -= used[i] * x * math.log(x)
        if mean > 0.0:
            mixed -= mean * math.log(mean)
    if counted == 0:
        return math.nan
    return max(mixed - own, 0.0)


@kernel("f8(f8[:,::1],i8)")
def vote_share(p: Matrix, chosen: int) -> float:
    """Share of the present members whose own most probable outcome is the chosen one.

    p (M, C): a NaN row is absent. Each present member counts once, whatever its
    weight. NaN if all are absent.
    """
    present = 0
    votes = 0
    for i in range(p.shape[0]):
        own = most_probable(p[i])
        if own >= 0:
            present += 1
            if own == chosen:
                votes += 1
    return votes / present if present > 0 else math.nan


@kernel("f8(f8[::1])")
def effective_members(used: Vector) -> float:
    """Kish's effective number 1 / Σ w² of members with weights that sum to 1.

    The weights' own concentration only; see effective_independent for correlation.
    NaN if nobody counts. Source: Kish (1965), Survey Sampling.
    """
    squares = 0.0
    for i in range(used.shape[0]):
        squares += used[i] * used[i]
    return 1.0 / squares if squares > 0.0 else math.nan
