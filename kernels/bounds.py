# SPDX-License-Identifier: Apache-2.0
"""What the members still out can do: reachable probabilities, and whether the decision can change.

A member still out may answer anything, or never answer. ``reach`` bounds the
pool over all of that. It is sound: what it says cannot happen, cannot. For
LINEAR, UNANIMOUS, the votes and CONFIDENCE_WEIGHTED the bounds are attained;
for LOG_ODDS and EXTREMISED, TRIMMED_MEAN, MEDIAN and BETA_LINEAR they are for
two outcomes, and for BAYESIAN, STACKED and BEST_CONFIDENCE they are wider than
need be.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel, part
from kernels._types import Array, Matrix, Vector
from kernels.checks import as_array, as_probabilities, require_shape, require_weights
from kernels.explained import decided, pool_weighed, prepare
from kernels.leads import anything, can_lose
from kernels.members import TRAITS, look_at_members, most_probable, use_weights
from kernels.methods import PoolingMethod
from kernels.pooling import check_parameters
from kernels.reach_methods import (
    CAN_CHANGE,
    CAN_DECIDE,
    CHOSEN_NOW,
    FLAGS,
    MUST_DECIDE,
    decide_flags,
    reach_by_method,
)


@part()
def weigh(p: Matrix, waiting: Array, weights: Vector, own: Vector, w: Vector) -> tuple[float, float, int]:
    """Weights of everybody (own) and of those heard (w), all (M,).

    Where all who are present or still out weigh 0, they weigh 1. Returns the
    weight heard, the weight still out, and the number of those still out.
    """
    heard = 0.0
    still = 0.0
    out = 0
    for i in range(weights.shape[0]):
        present = not math.isnan(p[i, 0]) and not waiting[i]
        own[i] = weights[i]
        w[i] = weights[i] if present else 0.0
        heard += w[i]
        still += weights[i] if waiting[i] else 0.0
        out += 1 if waiting[i] else 0
    if heard + still > 0.0:
        return heard, still, out
    for i in range(weights.shape[0]):
        own[i] = 1.0
        w[i] = 0.0 if math.isnan(p[i, 0]) or waiting[i] else 1.0
        heard += w[i]
        still += 1.0 if waiting[i] else 0.0
    return heard, still, out


@kernel("void(f8[:,::1],b1[::1],f8[::1],i8,f8[::1],f8[::1],f8[::1],f8[::1],f8[::1])")
def reach(
    probabilities: Matrix,
    waiting: Array,
    weights: Vector,
    method: int,
    parameters: Vector,
    workspace: Vector,
    low: Vector,
    high: Vector,
    flags: Vector,
) -> None:
    """What the pool can still become.

    probabilities (M, C): rows of those heard; NaN rows for all others.
    waiting (M,): True for members still out, whose rows are not read; a NaN row
    that is not waiting will not come. weights (M,): >= 0. method, parameters:
    see kernels.methods.PoolingMethod. workspace: at least
    reach_workspace_size(M, C) places. low, high (C,): least and greatest pooled
    probability of each outcome; 0..1 where nothing is known. flags (FLAGS,):
    see the places above. Where nobody heard has any weight, everything is
    possible; where nobody with weight is out, the pool is final.
    """
    members, outcomes = probabilities.shape
    cells = members * outcomes
    p = workspace[:cells].reshape((members, outcomes))
    logs = workspace[cells : 2 * cells].reshape((members, outcomes))
    prepared = workspace[2 * cells : 3 * cells]
    rest = workspace[3 * cells :]
    traits = rest[: TRAITS * members].reshape((TRAITS, members))
    own = rest[TRAITS * members : (TRAITS + 1) * members]
    w = rest[(TRAITS + 1) * members : (TRAITS + 2) * members]
    scratch = rest[(TRAITS + 2) * members : (TRAITS + 3) * members]
    last = rest[(TRAITS + 3) * members :]
    sums = last[:outcomes]
    gaps = last[outcomes : outcomes + outcomes * outcomes].reshape((outcomes, outcomes))
    for i in range(members):
        for c in range(outcomes):
            p[i, c] = math.nan if waiting[i] else probabilities[i, c]
    heard, still, out = weigh(p, waiting, weights, own, w)
    look_at_members(p, logs, traits)
    prepare(p, method, parameters, logs, traits, prepared)
    use_weights(p, weights, scratch)
    pool_weighed(p, scratch, method, parameters, logs, traits, prepared, sums)
    chosen = most_probable(sums)
    flags[CHOSEN_NOW] = chosen
    if heard <= 0.0:
        anything(gaps, low, high)
        flags[CAN_CHANGE] = 1.0 if out > 0 else 0.0
        flags[CAN_DECIDE] = 1.0 if out > 0 else 0.0
        flags[MUST_DECIDE] = 0.0
    elif still <= 0.0:
        for c in range(outcomes):
            low[c] = sums[c]
            high[c] = sums[c]
        flags[CAN_CHANGE] = 0.0
        final = decided(traits, w, method, sums)
        flags[CAN_DECIDE] = 1.0 if final else 0.0
        flags[MUST_DECIDE] = 1.0 if final else 0.0
    else:
        reach_by_method(
            p,
            w,
            waiting,
            own,
            still,
            method,
            parameters,
            logs,
            traits,
            prepared,
            sums,
            scratch,
            gaps,
            low,
            high,
        )
        flags[CAN_CHANGE] = 1.0 if can_lose(gaps, chosen) else 0.0
        decide_flags(method, traits, w, gaps, low, high, flags)


def reach_workspace_size(members: int, outcomes: int) -> int:
    """Places of float64 scratch that reach needs."""
    return 3 * members * outcomes + (TRAITS + 3) * members + outcomes + outcomes * outcomes


@dataclass(frozen=True, slots=True)
class Reach:
    """What the pool can still become.

    Attributes:
        low: (C,) least pooled probability of each outcome.
        high: (C,) greatest.
        chosen: the most probable outcome now, -1 if nobody is present.
        can_change: whether another outcome may still be chosen.
        can_decide: whether the method may reach a decision by its own rule.
        must_decide: whether it will, whatever is still said.
    """

    low: Vector
    high: Vector
    chosen: int
    can_change: bool
    can_decide: bool
    must_decide: bool


def reachable(
    probabilities: ArrayLike,
    waiting: ArrayLike,
    weights: ArrayLike | None = None,
    method: PoolingMethod = PoolingMethod.LOG_ODDS,
    parameters: ArrayLike = (),
) -> Reach:
    """What the members still out can do to the pool.

    Args:
        probabilities: (M, C); rows sum to 1, NaN rows for members not heard.
        waiting: (M,) bool, True for members still out.
        weights: (M,), >= 0, of those heard and of those still out; equal where not given.
        method: How they are pooled.
        parameters: Of the method; see PoolingMethod.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    p: Matrix = as_probabilities("probabilities", probabilities)
    members, outcomes = p.shape
    out = as_array("waiting", waiting, 1, np.bool_)
    require_shape("waiting", out, (members,), "one for each member")
    w: Vector = np.ones(members) if weights is None else as_array("weights", weights, 1)
    require_shape("weights", w, (members,), "one for each member")
    require_weights("weights", w)
    given: Vector = as_array("parameters", parameters, 1)
    check_parameters(PoolingMethod(method), given, members, outcomes)
    low, high, flags = np.empty(outcomes), np.empty(outcomes), np.empty(FLAGS)
    workspace = np.empty(reach_workspace_size(members, outcomes))
    reach(p, out, w, int(method), given, workspace, low, high, flags)
    chosen, can_change, can_decide, must_decide = flags
    return Reach(low, high, int(chosen), bool(can_change), bool(can_decide), bool(must_decide))
