# SPDX-License-Identifier: Apache-2.0
"""Pools that weigh evidence: Bayesian with correlation discount, and stacked.

Shapes as in kernels.pools; ``logs`` (M, C) are kernels.pools.clamped_logs.
"""

import math

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.agreement import effective_members
from kernels.pools import clamped_log, fill, softmax


@kernel("f8(f8[:,::1],f8[:,::1],f8[::1],i8,i8)")
def _support(p: Matrix, logs: Matrix, parameters: Vector, i: int, c: int) -> float:
    """Log of what member i's forecast says for outcome c, relative to the prior."""
    outcomes = p.shape[1]
    prior_end = 1 + outcomes
    if parameters.shape[0] < prior_end:
        return logs[i, c]
    if parameters.shape[0] == prior_end:
        return logs[i, c] - clamped_log(parameters[1 + c])
    likelihood = 0.0
    for reported in range(outcomes):
        place = prior_end + (i * outcomes + reported) * outcomes + c
        likelihood += p[i, reported] * parameters[place]
    return clamped_log(likelihood)


@kernel("void(f8[:,::1],f8[:,::1],f8[::1],f8[::1],f8[::1])")
def bayesian_pool(p: Matrix, logs: Matrix, used: Vector, parameters: Vector, out: Vector) -> None:
    """Posterior from a prior and each member's evidence, discounted for correlation.

    p, logs (M, C), used (M,), out (C,). parameters: [correlation r, prior (C)],
    and optionally likelihoods (M × C × C), where entry [i, a, c] is the
    probability that member i reports a when c is true. Empty: r = 1, equal prior.

        log posterior_c = log prior_c + Σ_i e_i s_ic + constant
        s_ic = log p_ic - log prior_c               (forecast is a posterior), or
        s_ic = log Σ_a p_ia likelihood_iac          (track record)
        e_i  = w_i n / (1 + (n - 1) r),  n = 1 / Σ w²

    r = 0 counts members as independent, r = 1 lets all share one vote, which is
    then the log-odds mean, whatever the prior. Prior and evidence are held at 1e-6.
    Source: Morris (1977), Combining expert judgments; Winkler (1981), for correlation;
    design effect 1 + (n - 1) r: Kish (1965).
    """
    outcomes = p.shape[1]
    effective = effective_members(used)
    if math.isnan(effective):
        fill(out, math.nan)
        return
    correlation = parameters[0] if parameters.shape[0] > 0 else 1.0
    scale = effective / (1.0 + (effective - 1.0) * correlation)
    for c in range(outcomes):
        out[c] = clamped_log(parameters[1 + c]) if parameters.shape[0] > outcomes else 0.0
        for i in range(p.shape[0]):
            if used[i] > 0.0:
                out[c] += scale * used[i] * _support(p, logs, parameters, i, c)
    softmax(out)


@kernel("void(f8[:,::1],f8[::1],f8[::1],f8[::1])")
def stacked_pool(logs: Matrix, used: Vector, parameters: Vector, out: Vector) -> None:
    """Logistic meta-model on members' log probabilities: softmax(b + Σ a_i log p_i).

    logs (M, C), used (M,), out (C,). parameters: [b (C), a (M)]. An absent
    member is taken to say the weighted mean log probability of the present
    ones, so its coefficient is not lost. Weights serve for that only.
    Source: Wolpert (1992), Stacked generalization.
    """
    members, outcomes = logs.shape
    fill(out, math.nan)
    for c in range(outcomes):
        mean = 0.0
        total = 0.0
        for i in range(members):
            if used[i] > 0.0:
                total += used[i]
                mean += used[i] * logs[i, c]
        if total > 0.0:
            out[c] = parameters[c]
            for i in range(members):
                said = logs[i, c] if used[i] > 0.0 else mean / total
                out[c] += parameters[outcomes + i] * said
    softmax(out)
