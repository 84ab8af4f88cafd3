# SPDX-License-Identifier: Apache-2.0
"""One query's whole consensus in one call: the hot path of every answer."""

import math

import numpy as np

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.agreement import divergence, effective_members, entropy, most_probable, vote_share
from kernels.evidence import bayesian_pool, stacked_pool
from kernels.intervals import member_range
from kernels.methods import (
    BAYESIAN,
    BEST_CONFIDENCE,
    BETA_LINEAR,
    CHOSEN,
    CONFIDENCE_WEIGHTED,
    DECIDED,
    DEFAULT_EXPONENT,
    DEFAULT_TRIM,
    DISPERSION,
    EFFECTIVE_MEMBERS,
    ENTROPY,
    EXTREMISED,
    INTERVAL_HIGH,
    INTERVAL_LOW,
    LINEAR,
    LOG_ODDS,
    MAJORITY,
    MEDIAN,
    NORMALISED_DISPERSION,
    PRESENT,
    STACKED,
    SUMMARY_SIZE,
    TRIMMED_MEAN,
    UNANIMOUS,
    VOTE_SHARE,
    WEIGHTED_VOTE,
    PoolingMethod,
)
from kernels.pools import (
    best_confidence_pool,
    beta_linear_pool,
    clamped_logs,
    confidence_weighted_pool,
    fill,
    linear_pool,
    log_odds_pool,
    use_weights,
    use_weights_without,
)
from kernels.ranked import median_pool, rank, trimmed_pool
from kernels.votes import has_majority, leads, unanimous, vote_pool

NO_PARAMETERS: Vector = np.empty(0)


@kernel("f8(f8[::1],i8,f8)")
def parameter(parameters: Vector, place: int, default: float) -> float:
    """A parameter, or its default where the vector is too short for it."""
    return parameters[place] if parameters.shape[0] > place else default


@kernel("void(f8[:,::1],f8[:,::1],f8[:,::1],f8[::1],i8,f8[::1],f8[::1])")
def pool_used(  # noqa: C901 - one branch a method
    p: Matrix, logs: Matrix, order: Matrix, used: Vector, method: int, parameters: Vector, out: Vector
) -> None:
    """Pool by the method's number; everything that depends on p alone comes prepared.

    p, logs (M, C); order (C, M), read by the ranked methods only; used (M,):
    weights that sum to 1; out (C,). An unknown method gives NaN.
    """
    if method == LINEAR or method == UNANIMOUS:
        linear_pool(p, used, out)
    elif method == LOG_ODDS:
        log_odds_pool(logs, used, 1.0, out)
    elif method == EXTREMISED:
        log_odds_pool(logs, used, parameter(parameters, 0, DEFAULT_EXPONENT), out)
    elif method == TRIMMED_MEAN:
        trimmed_pool(p, used, order, parameter(parameters, 0, DEFAULT_TRIM), out)
    elif method == MEDIAN:
        median_pool(p, used, order, out)
    elif method == MAJORITY or method == WEIGHTED_VOTE:
        vote_pool(p, used, parameter(parameters, 0, 0.0), method == WEIGHTED_VOTE, out)
    elif method == BEST_CONFIDENCE:
        best_confidence_pool(p, used, parameters, out)
    elif method == CONFIDENCE_WEIGHTED:
        confidence_weighted_pool(p, used, parameters, out)
    elif method == BAYESIAN:
        bayesian_pool(p, logs, used, parameters, out)
    elif method == BETA_LINEAR:
        beta_linear_pool(p, used, parameter(parameters, 0, 1.0), parameter(parameters, 1, 1.0), out)
    elif method == STACKED:
        stacked_pool(logs, used, parameters, out)
    else:
        fill(out, math.nan)


@kernel("b1(f8[:,::1],f8[::1],i8,f8[::1])")
def decided(p: Matrix, used: Vector, method: int, pooled: Vector) -> bool:
    """Whether the method reaches a decision by its own rule.

    MAJORITY: one outcome has more than half of the votes cast. WEIGHTED_VOTE:
    one leads strictly. UNANIMOUS: all members that count agree. Every other
    method: somebody is present.
    """
    if method == MAJORITY:
        return has_majority(pooled)
    if method == WEIGHTED_VOTE:
        return leads(pooled)
    if method == UNANIMOUS:
        return unanimous(p, used)
    return not math.isnan(pooled[0])


@kernel("void(f8[:,::1],f8[:,::1],f8[:,::1],f8[::1],i8,f8[::1],f8[::1],f8[::1],f8[::1],f8[::1])")
def contribute(
    p: Matrix,
    logs: Matrix,
    order: Matrix,
    used: Vector,
    method: int,
    parameters: Vector,
    pooled: Vector,
    reduced: Vector,
    without: Vector,
    contributions: Vector,
) -> None:
    """What each member adds to the chosen outcome: pooled minus pooled without it.

    pooled (C,): the pool of all. reduced (M,), without (C,): scratch.
    contributions (M,): overwritten; 0 for the absent; the only member's is
    against equal probabilities, 1/C. Exact: each is pooled anew without the member.
    """
    chosen = most_probable(pooled)
    for i in range(p.shape[0]):
        contributions[i] = 0.0
        if math.isnan(p[i, 0]):
            continue
        use_weights_without(p, used, i, reduced)
        pool_used(p, logs, order, reduced, method, parameters, without)
        before = without[chosen]
        contributions[i] = pooled[chosen] - (1.0 / p.shape[1] if math.isnan(before) else before)


@kernel("void(f8[:,::1],f8[::1],i8,f8[::1],f8[::1],i8,f8[::1])")
def summarise(
    p: Matrix, used: Vector, method: int, pooled: Vector, contributions: Vector, present: int, summary: Vector
) -> None:
    """Fill summary (SUMMARY_SIZE,), in the places that kernels.methods names."""
    chosen = most_probable(pooled)
    summary[CHOSEN] = chosen
    summary[PRESENT] = present
    summary[VOTE_SHARE] = vote_share(p, chosen)
    summary[DISPERSION] = divergence(p, used)
    summary[NORMALISED_DISPERSION] = summary[DISPERSION] / math.log(p.shape[1])
    summary[ENTROPY] = entropy(pooled)
    summary[EFFECTIVE_MEMBERS] = effective_members(used)
    summary[DECIDED] = 1.0 if decided(p, used, method, pooled) else 0.0
    low, high = member_range(p, used, pooled[0], 0)
    summary[INTERVAL_LOW] = low
    summary[INTERVAL_HIGH] = high


@kernel("void(f8[:,::1],f8[::1],i8,f8[::1],f8[::1],f8[::1],f8[::1],f8[::1],f8[::1])")
def consensus(
    probabilities: Matrix,
    weights: Vector,
    method: int,
    parameters: Vector,
    workspace: Vector,
    pooled: Vector,
    used_weights: Vector,
    contributions: Vector,
    summary: Vector,
) -> None:
    """Pool one query and say how the pool came about.

    probabilities (M, C): rows sum to 1; a NaN row is an absent member.
    weights (M,): >= 0; where all present members weigh 0 they weigh the same.
    method, parameters: see kernels.methods.PoolingMethod.
    workspace: at least workspace_size(M, C) places of scratch.
    pooled (C,): NaN if all are absent.
    used_weights (M,): present members' weights, summing to 1; absent ones 0.
    contributions (M,): exact leave-one-out, see contribute.
    summary (SUMMARY_SIZE,): see the places in kernels.methods; if all are
    absent CHOSEN is -1, PRESENT and DECIDED 0, the interval 0..1, the rest NaN.
    """
    members, outcomes = probabilities.shape
    cells = members * outcomes
    logs = workspace[:cells].reshape((members, outcomes))
    order = workspace[cells : 2 * cells].reshape((outcomes, members))
    reduced = workspace[2 * cells : 2 * cells + members]
    without = workspace[2 * cells + members : 2 * cells + members + outcomes]
    present = use_weights(probabilities, weights, used_weights)
    clamped_logs(probabilities, logs)
    if method == MEDIAN or method == TRIMMED_MEAN:
        rank(probabilities, order)
    pool_used(probabilities, logs, order, used_weights, method, parameters, pooled)
    contribute(
        probabilities, logs, order, used_weights, method, parameters, pooled, reduced, without, contributions
    )
    summarise(probabilities, used_weights, method, pooled, contributions, present, summary)


def workspace_size(members: int, outcomes: int) -> int:
    """Places of float64 scratch that consensus needs."""
    return 2 * members * outcomes + members + outcomes


class Consensus:
    """Buffers for one shape, and a call that fills them: no allocation per query.

    Not for use by two threads at once. Arguments are trusted; data that
    come from outside go through kernels.pooling.pool first.

    Attributes:
        pooled: (C,) probabilities of the pool.
        used_weights: (M,) weights that counted, summing to 1.
        contributions: (M,) leave-one-out contributions to the chosen outcome.
        summary: (SUMMARY_SIZE,), places named in kernels.methods.
    """

    __slots__ = ("_workspace", "contributions", "pooled", "summary", "used_weights")

    def __init__(self, members: int, outcomes: int) -> None:
        self._workspace = np.empty(workspace_size(members, outcomes))
        self.pooled: Vector = np.empty(outcomes)
        self.used_weights: Vector = np.empty(members)
        self.contributions: Vector = np.empty(members)
        self.summary: Vector = np.empty(SUMMARY_SIZE)

    def __call__(
        self,
        probabilities: Matrix,
        weights: Vector,
        method: int = PoolingMethod.LOG_ODDS,
        parameters: Vector = NO_PARAMETERS,
    ) -> Vector:
        """Pool (M, C) probabilities with (M,) weights; returns ``pooled``, overwritten by the next call."""
        consensus(
            probabilities,
            weights,
            int(method),
            parameters,
            self._workspace,
            self.pooled,
            self.used_weights,
            self.contributions,
            self.summary,
        )
        return self.pooled
