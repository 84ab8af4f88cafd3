# SPDX-License-Identifier: Apache-2.0
"""Ranges for a pooled probability, from how far members stand apart in log-odds."""

import math

from kernels._jit import kernel, part
from kernels._types import Matrix, Vector
from kernels.special import expit, logit, student_t_95

#: Level of the range in a consensus: 5 % lie below, 5 % above.
LEVEL = 0.9
#: Before any member is heard, members are taken to differ by this many
#: log-odds (a factor e in the odds), and that counts as one degree of freedom.
PRIOR_DEVIATION = 1.0
PRIOR_DEGREES = 1.0


@part()
def member_range(log_odds: Vector, used: Vector, centre: float) -> tuple[float, float]:
    """Range in which one more member like these would put a probability, level 0.9.

    log_odds (M,): of the members' probabilities; used (M,): weights that sum to
    1; centre: the pooled probability.

        n   = 1 / Σ w²,                 l = log_odds
        s²  = (d₀ s₀² + (n - 1) v) / (d₀ + n - 1),  v = Σ w (l - mean)² / (1 - Σ w²)
        low, high = expit(logit centre ∓ t₀.₉₅(d₀ + n - 1) s √(1 + 1/n))

    with s₀ = 1 and d₀ = 1: a prior as good as one degree of freedom keeps the
    range wide for one member (about 0.0001..0.9999 around one half) and above 0
    for identical ones. The range always holds the centre. It is a range of
    opinions; what all members get wrong together does not show in it. Nobody
    counts: 0..1. On the recorded forecasts of five panels it held a member left
    out 91 to 100 times in a hundred (tests/kernels/test_intervals.py).
    Source: posterior predictive of a normal sample with a scaled inverse-χ²
    prior, Gelman et al., Bayesian Data Analysis, 3rd ed., sections 2.6 and 3.2;
    reliability-weighted variance.
    """
    total = 0.0
    squares = 0.0
    mean = 0.0
    for i in range(used.shape[0]):
        if used[i] > 0.0:
            total += used[i]
            squares += used[i] * used[i]
            mean += used[i] * log_odds[i]
    if total <= 0.0:
        return 0.0, 1.0
    spread = 0.0
    for i in range(used.shape[0]):
        if used[i] > 0.0:
            spread += used[i] * (log_odds[i] - mean) ** 2
    effective = 1.0 / squares
    degrees = PRIOR_DEGREES + max(effective - 1.0, 0.0)
    # (n - 1) v, written so that one member of weight 1 does not divide by 0
    scatter = effective * spread
    deviation = math.sqrt((PRIOR_DEGREES * PRIOR_DEVIATION**2 + scatter) / degrees)
    half = student_t_95(degrees) * deviation * math.sqrt(1.0 + squares)
    middle = logit(centre)
    return min(expit(middle - half), centre), max(expit(middle + half), centre)


@kernel("void(f8[:,::1],f8[::1],f8[::1],f8[::1],f8[:,::1])")
def outcome_ranges(p: Matrix, used: Vector, pooled: Vector, workspace: Vector, out: Matrix) -> None:
    """member_range of every outcome; a consensus gives that of outcome 0 by itself.

    p (M, C), used (M,): weights that sum to 1, pooled (C,), workspace (M,),
    out (C, 2): low and high, overwritten.
    """
    for c in range(p.shape[1]):
        for i in range(p.shape[0]):
            workspace[i] = logit(p[i, c]) if used[i] > 0.0 else 0.0
        out[c, 0], out[c, 1] = member_range(workspace, used, pooled[c])
