# SPDX-License-Identifier: Apache-2.0
"""Pools that weigh evidence: Bayesian with correlation discount, and stacked.

Shapes and weights as in kernels.pools; ``logs`` (M, C) are those of
kernels.members.
"""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.agreement import effective_members
from kernels.members import clamped_log
from kernels.pools import fill, softmax


@part()
def find_support(p: Matrix, logs: Matrix, parameters: Vector, support: Matrix) -> None:
    """Log of what each forecast says for each outcome, relative to the prior: s of bayesian_pool.

    p, logs, support (M, C). An absent member's row is 0.
    """
    members, outcomes = p.shape
    prior_end = 1 + outcomes
    for c in range(outcomes):
        prior = clamped_log(parameters[1 + c]) if parameters.shape[0] == prior_end else 0.0
        for i in range(members):
            if math.isnan(p[i, 0]):
                support[i, c] = 0.0
            elif parameters.shape[0] <= prior_end:
                support[i, c] = logs[i, c] - prior
            else:
                support[i, c] = clamped_log(_likelihood(p, parameters, i, c))


@part()
def _likelihood(p: Matrix, parameters: Vector, i: int, c: int) -> float:
    outcomes = p.shape[1]
    total = 0.0
    for reported in range(outcomes):
        place = 1 + outcomes + (i * outcomes + reported) * outcomes + c
        total += p[i, reported] * parameters[place]
    return total


@part()
def bayesian_pool(support: Matrix, w: Vector, parameters: Vector, out: Vector) -> None:
    """Posterior from a prior and each member's evidence, discounted for correlation.

    support (M, C): of find_support. w (M,), out (C,). parameters: [correlation
    r, prior (C)], and optionally likelihoods (M × C × C), where entry [i, a, c]
    is the probability that member i reports a when c is true. Left out: r = 1,
    equal prior.

        log posterior_c = log prior_c + Σ_i e_i s_ic + constant
        s_ic = log p_ic - log prior_c               (forecast is a posterior), or
        s_ic = log Σ_a p_ia likelihood_iac          (track record)
        e_i  = u_i n / (1 + (n - 1) r),  u = w / Σ w,  n = 1 / Σ u²

    r = 0 counts members as independent; with r = 1 all share one vote, which is
    then the log-odds mean, whatever the prior. Prior and evidence are held at 1e-6.
    Source: Morris (1977), Combining expert judgments; Winkler (1981), for correlation;
    design effect 1 + (n - 1) r: Kish (1965).
    """
    outcomes = support.shape[1]
    effective = effective_members(w)
    if math.isnan(effective):
        fill(out, math.nan)
        return
    total = 0.0
    for i in range(w.shape[0]):
        total += w[i]
    correlation = parameters[0] if parameters.shape[0] > 0 else 1.0
    scale = effective / (1.0 + (effective - 1.0) * correlation) / total
    for c in range(outcomes):
        evidence = 0.0
        for i in range(support.shape[0]):
            evidence += w[i] * support[i, c]
        prior = clamped_log(parameters[1 + c]) if parameters.shape[0] > outcomes else 0.0
        out[c] = prior + scale * evidence
    softmax(out)


@part()
def stacked_pool(logs: Matrix, w: Vector, parameters: Vector, out: Vector) -> None:
    """Logistic meta-model on members' log probabilities: softmax(b + Σ a_i log p_i).

    logs (M, C), w (M,), out (C,). parameters: [b (C), a (M)]. An absent member
    is taken to say the weighted mean log probability of the present ones, so
    its coefficient is not lost. Weights serve for that only.
    Source: Wolpert (1992), Stacked generalization.
    """
    members, outcomes = logs.shape
    fill(out, math.nan)
    for c in range(outcomes):
        mean = 0.0
        total = 0.0
        for i in range(members):
            if w[i] > 0.0:
                total += w[i]
                mean += w[i] * logs[i, c]
        if total > 0.0:
            out[c] = parameters[c]
            for i in range(members):
                said = logs[i, c] if w[i] > 0.0 else mean / total
                out[c] += parameters[outcomes + i] * said
    softmax(out)
