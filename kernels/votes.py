# SPDX-License-Identifier: Apache-2.0
"""Votes: majority, weighted vote, unanimity.

Shapes as in kernels.pools. A member votes for its own most probable outcome.
"""

import math

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.agreement import most_probable
from kernels.methods import TIE
from kernels.pools import fill, normalise


@kernel("void(f8[:,::1],f8[::1],f8,b1,f8[::1])")
def vote_pool(p: Matrix, used: Vector, threshold: float, weighted: bool, out: Vector) -> None:
    """Share of the votes that each outcome gets.

    p (M, C), used (M,), out (C,). Only members whose greatest probability is at
    least the threshold vote. weighted: a vote counts its weight, else 1. Where
    no vote is cast each outcome gets 1/C; NaN where nobody counts.
    """
    fill(out, 0.0)
    counted = 0
    for i in range(p.shape[0]):
        if used[i] > 0.0:
            counted += 1
            greatest = p[i, 0]
            for c in range(1, p.shape[1]):
                greatest = max(greatest, p[i, c])
            if greatest >= threshold - TIE:
                out[most_probable(p[i])] += used[i] if weighted else 1.0
    if counted == 0:
        fill(out, math.nan)
    normalise(out)


@kernel("b1(f8[:,::1],f8[::1])")
def unanimous(p: Matrix, used: Vector) -> bool:
    """Whether all members that count have the same most probable outcome; False for none.

    p (M, C), used (M,).
    """
    first = -1
    for i in range(p.shape[0]):
        if used[i] > 0.0:
            own = most_probable(p[i])
            if first >= 0 and own != first:
                return False
            first = own
    return first >= 0


@kernel("b1(f8[::1])")
def leads(out: Vector) -> bool:
    """Whether one outcome of out (C,) has strictly more than every other."""
    best = 0
    for c in range(1, out.shape[0]):
        if out[c] > out[best]:
            best = c
    for c in range(out.shape[0]):
        if c != best and out[c] >= out[best] - TIE:
            return False
    return not math.isnan(out[0])


@kernel("b1(f8[::1])")
def has_majority(out: Vector) -> bool:
    """Whether one outcome of out (C,) has strictly more than one half."""
    for c in range(out.shape[0]):
        if out[c] > 0.5 + TIE:
            return True
    return False
