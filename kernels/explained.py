# SPDX-License-Identifier: Apache-2.0
"""One query pooled and explained, step by step: what every consensus is made of."""

import math

from kernels import methods
from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.agreement import divergence, effective_members, entropy
from kernels.evidence import bayesian_pool, find_support, stacked_pool
from kernels.intervals import member_range
from kernels.members import (
    LOG_ODDS_OF_FIRST,
    TRAITS,
    hold_logs,
    look_at_choices,
    look_at_members,
    most_probable,
    take_logs,
    use_equal_weights,
    use_weights,
)
from kernels.pools import (
    best_confidence_pool,
    beta_linear_pool,
    confidence_weighted_pool,
    fill,
    find_confidence,
    linear_pool,
    log_odds_pool,
)
from kernels.ranked import median_pool, rank, trimmed_pool
from kernels.votes import has_majority, leads, unanimous, vote_pool, vote_share


@part()
def parameter(parameters: Vector, place: int, default: float) -> float:
    """A parameter, or its default where the vector is too short for it."""
    return parameters[place] if parameters.shape[0] > place else default


@part()
def prepare(
    p: Matrix, method: int, parameters: Vector, logs: Matrix, traits: Matrix, prepared: Vector
) -> None:
    """What a method needs of the members and that no weight changes; logs and traits are filled.

    p, logs (M, C); traits (TRAITS, M). prepared (M × C,): the order of each
    outcome (C, M) for the ranked methods, the support (M, C) for BAYESIAN, the
    confidences (M,) for the methods that go by confidence.
    """
    members, outcomes = p.shape
    if method == methods.MEDIAN or method == methods.TRIMMED_MEAN:
        rank(p, prepared.reshape((outcomes, members)))
    elif method == methods.BAYESIAN:
        find_support(p, logs, parameters, prepared.reshape((members, outcomes)))
    elif method == methods.BEST_CONFIDENCE or method == methods.CONFIDENCE_WEIGHTED:
        find_confidence(traits, parameters, prepared[:members])


@part()
def look_for_pool(p: Matrix, method: int, logs: Matrix, traits: Matrix) -> None:
    """Fill of logs and traits only what the method reads, for callers that want the pool alone."""
    if (
        method == methods.LOG_ODDS
        or method == methods.EXTREMISED
        or method == methods.BAYESIAN
        or method == methods.STACKED
    ):
        take_logs(p, logs)
        hold_logs(logs)
    elif (
        method == methods.MAJORITY
        or method == methods.WEIGHTED_VOTE
        or method == methods.BEST_CONFIDENCE
        or method == methods.CONFIDENCE_WEIGHTED
    ):
        look_at_choices(p, traits)


@part(inline=True)
def pool_weighed(  # noqa: C901, PLR0912 - one branch a method
    p: Matrix,
    w: Vector,
    method: int,
    parameters: Vector,
    logs: Matrix,
    traits: Matrix,
    prepared: Vector,
    out: Vector,
) -> None:
    """Pool by the method's number with weights w (M,); the rest as ``prepare`` made it.

    out (C,). An unknown method gives NaN.
    """
    members, outcomes = p.shape
    if method == methods.LINEAR or method == methods.UNANIMOUS:
        linear_pool(p, w, out)
    elif method == methods.LOG_ODDS:
        log_odds_pool(logs, w, 1.0, out)
    elif method == methods.EXTREMISED:
        log_odds_pool(logs, w, parameter(parameters, 0, methods.DEFAULT_EXPONENT), out)
    elif method == methods.TRIMMED_MEAN:
        share = parameter(parameters, 0, methods.DEFAULT_TRIM)
        trimmed_pool(p, w, prepared.reshape((outcomes, members)), share, out)
    elif method == methods.MEDIAN:
        median_pool(p, w, prepared.reshape((outcomes, members)), out)
    elif method == methods.MAJORITY:
        vote_pool(traits, w, parameter(parameters, 0, 0.0), False, out)
    elif method == methods.WEIGHTED_VOTE:
        vote_pool(traits, w, parameter(parameters, 0, 0.0), True, out)
    elif method == methods.BEST_CONFIDENCE:
        best_confidence_pool(p, w, prepared[:members], out)
    elif method == methods.CONFIDENCE_WEIGHTED:
        confidence_weighted_pool(p, w, prepared[:members], out)
    elif method == methods.BAYESIAN:
        bayesian_pool(prepared.reshape((members, outcomes)), w, parameters, out)
    elif method == methods.BETA_LINEAR:
        beta_linear_pool(p, w, parameter(parameters, 0, 1.0), parameter(parameters, 1, 1.0), out)
    elif method == methods.STACKED:
        stacked_pool(logs, w, parameters, out)
    else:
        fill(out, math.nan)


@part()
def decided(traits: Matrix, used: Vector, method: int, pooled: Vector) -> bool:
    """Whether the method reaches a decision by its own rule.

    MAJORITY: one outcome has more than half of the votes cast. WEIGHTED_VOTE:
    one leads strictly. UNANIMOUS: all members that count agree. Every other
    method: somebody is present.
    """
    if method == methods.MAJORITY:
        return has_majority(pooled)
    if method == methods.WEIGHTED_VOTE:
        return leads(pooled)
    if method == methods.UNANIMOUS:
        return unanimous(traits, used)
    return not math.isnan(pooled[0])


@part()
def contribute(
    p: Matrix,
    used: Vector,
    method: int,
    parameters: Vector,
    logs: Matrix,
    traits: Matrix,
    prepared: Vector,
    pooled: Vector,
    scratch: Vector,
    contributions: Vector,
) -> None:
    """What each member adds to the chosen outcome: pooled minus pooled without it.

    used (M,): as use_weights made them. pooled (C,): the pool of all. scratch
    (M + C,). contributions (M,): overwritten; 0 for the absent; the only
    member's is against equal probabilities, 1/C. Exact: for each the others are
    pooled anew.
    """
    members, outcomes = p.shape
    w = scratch[:members]
    without = scratch[members : members + outcomes]
    chosen = most_probable(pooled)
    present = 0
    weighing = 0
    for i in range(members):
        w[i] = used[i]
        present += 0 if math.isnan(p[i, 0]) else 1
        weighing += 1 if used[i] > 0.0 else 0
    for i in range(members):
        contributions[i] = 0.0
        if math.isnan(p[i, 0]):
            continue
        if present == 1:
            contributions[i] = pooled[chosen] - 1.0 / outcomes
            continue
        last = weighing == 1 and used[i] > 0.0
        if last:  # the others weigh 0, so without it they weigh the same
            use_equal_weights(p, i, present - 1, w)
        w[i] = 0.0
        pool_weighed(p, w, method, parameters, logs, traits, prepared, without)
        contributions[i] = pooled[chosen] - without[chosen]
        if last:
            fill(w, 0.0)
        w[i] = used[i]


@part()
def summarise(
    p: Matrix, used: Vector, method: int, traits: Matrix, pooled: Vector, present: int, summary: Vector
) -> None:
    """Fill summary (SUMMARY_SIZE,), in the places that kernels.methods names."""
    chosen = most_probable(pooled)
    summary[methods.CHOSEN] = chosen
    summary[methods.PRESENT] = present
    summary[methods.VOTE_SHARE] = vote_share(traits, chosen)
    summary[methods.DISPERSION] = divergence(p, traits, used)
    summary[methods.NORMALISED_DISPERSION] = summary[methods.DISPERSION] / math.log(p.shape[1])
    summary[methods.ENTROPY] = entropy(pooled)
    summary[methods.EFFECTIVE_MEMBERS] = effective_members(used)
    summary[methods.DECIDED] = 1.0 if decided(traits, used, method, pooled) else 0.0
    low, high = member_range(traits[LOG_ODDS_OF_FIRST], used, pooled[0])
    summary[methods.INTERVAL_LOW] = low
    summary[methods.INTERVAL_HIGH] = high


@part()
def pool_and_explain(
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
    prepared = workspace[cells : 2 * cells]
    traits = workspace[2 * cells : 2 * cells + TRAITS * members].reshape((TRAITS, members))
    scratch = workspace[2 * cells + TRAITS * members :]
    present = use_weights(probabilities, weights, used_weights)
    look_at_members(probabilities, logs, traits)
    prepare(probabilities, method, parameters, logs, traits, prepared)
    pool_weighed(probabilities, used_weights, method, parameters, logs, traits, prepared, pooled)
    contribute(
        probabilities,
        used_weights,
        method,
        parameters,
        logs,
        traits,
        prepared,
        pooled,
        scratch,
        contributions,
    )
    summarise(probabilities, used_weights, method, traits, pooled, present, summary)


def workspace_size(members: int, outcomes: int) -> int:
    """Places of float64 scratch that pool_and_explain needs."""
    return 2 * members * outcomes + (TRAITS + 1) * members + outcomes
