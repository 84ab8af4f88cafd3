# SPDX-License-Identifier: Apache-2.0
"""Who is heard and what is decided: minimum confidence before pooling, neutral threshold after."""

import math

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.checks import as_array, as_probabilities, require_shape, require_unit
from kernels.members import most_probable
from kernels.methods import TIE


@kernel("i8(f8[:,::1],f8[::1],f8[::1],f8[:,::1])")
def keep_confident(p: Matrix, minimum: Vector, stated: Vector, out: Matrix) -> int:
    """Copy the members that are confident enough; the others become absent. Returns how many stay.

    p, out (M, C): NaN rows are absent. minimum (M,): each member's own. stated:
    empty, or (M,) confidences 0..1 with NaN where a member states none; without
    a stated one, confidence is the member's greatest probability. A confidence
    equal to the minimum is enough. p and out may be the same array.
    """
    kept = 0
    for i in range(p.shape[0]):
        confidence = p[i, 0]
        for c in range(1, p.shape[1]):
            confidence = max(confidence, p[i, c])
        if stated.shape[0] > i and not math.isnan(stated[i]):
            confidence = stated[i]
        stays = not math.isnan(p[i, 0]) and confidence >= minimum[i] - TIE
        kept += 1 if stays else 0
        for c in range(p.shape[1]):
            out[i, c] = p[i, c] if stays else math.nan
    return kept


@kernel("i8(f8[::1],i8,f8)")
def choose_unless_neutral(pooled: Vector, neutral: int, threshold: float) -> int:
    """The chosen outcome, or the neutral one where the pool leans too little to either side.

    pooled (C,). neutral: index of the outcome that means "no direction", or -1
    where there is none; then -1 is returned for it. The lean is the difference
    between the two most probable outcomes other than the neutral one (DOWN,
    NEUTRAL, UP: |p up - p down|; binary: |2 p - 1|). A lean under the threshold
    is neutral; else the most probable outcome of all is chosen, by the rule of
    kernels.members.most_probable. NaN gives -1.
    """
    chosen = most_probable(pooled)
    if chosen < 0:
        return -1
    first = -1.0
    second = -1.0
    for c in range(pooled.shape[0]):
        if c != neutral and pooled[c] > first:
            second = first
            first = pooled[c]
        elif c != neutral and pooled[c] > second:
            second = pooled[c]
    return neutral if first - second < threshold - TIE else chosen


def confident_members(
    probabilities: ArrayLike, minimum: ArrayLike, stated: ArrayLike = ()
) -> tuple[Matrix, int]:
    """Probabilities with the members below their minimum confidence made absent, and how many stay.

    Args:
        probabilities: (M, C); rows sum to 1, a NaN row is an absent member.
        minimum: One confidence 0..1 for all, or (M,).
        stated: Members' own confidences (M,), 0..1, NaN for none; or empty.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    p: Matrix = as_probabilities("probabilities", probabilities)
    members = p.shape[0]
    least = as_array("minimum", np.broadcast_to(np.asarray(minimum, float), (members,)), 1)
    require_unit("minimum", least)
    if np.isnan(least).any():
        raise ValueError("minimum must not be NaN; use 0 for a member without one")
    own: Vector = as_array("stated", stated, 1)
    if own.size:
        require_shape("stated", own, (members,), "one for each member")
        require_unit("stated", own)
    out = np.empty_like(p)
    return out, int(keep_confident(p, least, own, out))
