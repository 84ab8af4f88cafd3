# SPDX-License-Identifier: Apache-2.0
"""Scores of forecasts against what happened, one number a question.

Binary questions: p (N,) is the probability of YES, y (N,) what happened, 0..1
(a fraction is a partial resolution), NaN where annulled. Outcome sets: p
(N, C), outcome (N,) the index that happened, -1 where annulled. A NaN forecast
or an annulled question scores NaN. Lower is better, 0 is best.
"""

import math

from kernels._jit import kernel
from kernels._types import Indices, Matrix, Vector
from kernels.logarithm import log64
from kernels.members import LEAST, clamped_log, hold, most_probable
from kernels.methods import TIE


@kernel("void(f8[::1],f8[::1],f8[::1])")
def brier_binary(p: Vector, y: Vector, out: Vector) -> None:
    """Brier score (p - y)², 0..1. p, y, out (N,). Source: Brier (1950)."""
    for n in range(p.shape[0]):
        out[n] = (p[n] - y[n]) ** 2


@kernel("void(f8[:,::1],i8[::1],f8[::1])")
def brier_outcomes(p: Matrix, outcome: Indices, out: Vector) -> None:
    """Half the Brier score, ½ Σ_c (p_c - [c happened])², 0..1, so that two outcomes score as binary.

    p (N, C), outcome (N,), out (N,). Source: Brier (1950), whose sum is twice this.
    """
    for n in range(p.shape[0]):
        total = 0.0
        for c in range(p.shape[1]):
            total += (p[n, c] - (1.0 if c == outcome[n] else 0.0)) ** 2
        out[n] = 0.5 * total if outcome[n] >= 0 else math.nan


@kernel("void(f8[::1],f8[::1],f8[::1])")
def log_binary(p: Vector, y: Vector, out: Vector) -> None:
    """Logarithmic score -(y log p + (1 - y) log(1 - p)), nats, p held in [1e-6, 1 - 1e-6].

    p, y, out (N,). At most 13.8. Source: Good (1952), Rational decisions.
    """
    for n in range(p.shape[0]):
        yes, no = p[n], 1.0 - p[n]
        said_yes = hold(log64(yes if yes > LEAST else LEAST))
        said_no = hold(log64(no if no > LEAST else LEAST))
        # Selected, not branched, so that the loop vectorises; y NaN makes the sum NaN.
        score = -(y[n] * said_yes + (1.0 - y[n]) * said_no)
        out[n] = math.nan if math.isnan(yes) else score


@kernel("void(f8[:,::1],i8[::1],f8[::1])")
def log_outcomes(p: Matrix, outcome: Indices, out: Vector) -> None:
    """Logarithmic score -log p of what happened, nats, p held in [1e-6, 1 - 1e-6].

    p (N, C), outcome (N,), out (N,). Source: Good (1952).
    """
    for n in range(p.shape[0]):
        if outcome[n] < 0 or math.isnan(p[n, 0]):
            out[n] = math.nan
        else:
            out[n] = -clamped_log(p[n, outcome[n]])


@kernel("void(f8[:,::1],i8[::1],f8[::1])")
def ranked_probability(p: Matrix, outcome: Indices, out: Vector) -> None:
    """Ranked probability score of ordered outcomes, Σ_k (F_k - [happened <= k])² / (C - 1), 0..1.

    p (N, C), outcome (N,), out (N,). F is the cumulative forecast. Two outcomes:
    the binary Brier score. Source: Epstein (1969); normalised as by Murphy (1971).
    """
    outcomes = p.shape[1]
    for n in range(p.shape[0]):
        below = 0.0
        total = 0.0
        for c in range(outcomes - 1):
            below += p[n, c]
            total += (below - (1.0 if outcome[n] <= c else 0.0)) ** 2
        out[n] = total / (outcomes - 1) if outcome[n] >= 0 else math.nan


@kernel("void(f8[::1],f8[::1],f8[::1])")
def correct_binary(p: Vector, y: Vector, out: Vector) -> None:
    """1 where the forecast's choice happened, else 0; mean it for accuracy.

    p, y, out (N,). The choice is YES strictly above one half; a fractional y
    counts as YES strictly above one half too.
    """
    for n in range(p.shape[0]):
        if math.isnan(p[n]) or math.isnan(y[n]):
            out[n] = math.nan
        else:
            out[n] = 1.0 if (p[n] > 0.5 + TIE) == (y[n] > 0.5 + TIE) else 0.0


@kernel("void(f8[:,::1],i8[::1],f8[::1])")
def correct_outcomes(p: Matrix, outcome: Indices, out: Vector) -> None:
    """1 where the most probable outcome happened, else 0. p (N, C), outcome (N,), out (N,)."""
    for n in range(p.shape[0]):
        chosen = most_probable(p[n])
        if outcome[n] < 0 or chosen < 0:
            out[n] = math.nan
        else:
            out[n] = 1.0 if chosen == outcome[n] else 0.0


@kernel("f8(f8[::1])")
def mean_of_numbers(values: Vector) -> float:
    """Mean of the values that are not NaN; NaN if there are none. values (N,)."""
    total = 0.0
    count = 0
    for n in range(values.shape[0]):
        if not math.isnan(values[n]):
            total += values[n]
            count += 1
    return total / count if count > 0 else math.nan
