# SPDX-License-Identifier: Apache-2.0
"""Hedge: weights that fall exponentially with losses, with absent members and drifting skill.

Shapes: M members, T rounds.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel, part
from kernels._types import Matrix, Vector
from kernels.checks import as_array, require_shape, require_weights


@part()
def hedge_round(weights: Vector, losses: Vector, rate: float, share: float) -> None:
    """hedge_step, for callers inside kernels."""
    least = math.inf
    before = 0.0
    awake = 0
    for i in range(weights.shape[0]):
        if not math.isnan(losses[i]):
            awake += 1
            before += weights[i]
            least = min(least, losses[i])
    if not before > 0.0:
        return
    after = 0.0
    for i in range(weights.shape[0]):
        if not math.isnan(losses[i]):
            weights[i] *= math.exp(-rate * (losses[i] - least))
            after += weights[i]
    for i in range(weights.shape[0]):
        if not math.isnan(losses[i]):
            own = weights[i] / after if after > 0.0 else 1.0 / awake
            weights[i] = before * ((1.0 - share) * own + share / awake)


@kernel("void(f8[::1],f8[::1],f8,f8)")
def hedge_step(weights: Vector, losses: Vector, rate: float, share: float) -> None:
    """One round of Hedge, in place: w_i ← w_i exp(-rate × loss_i), then share α is spread evenly.

    weights (M,): >= 0; their sum stays. losses (M,): NaN for a member that did
    not take part, which keeps its weight; those that did share among themselves
    what they had together. rate: > 0. share: 0..1; above 0 lets a member that
    was bad come back. With losses in 0..1 and share 0, the pool's loss is within
    log(M) / rate + rate T / 8 of the best member's.
    Source: Freund & Schapire (1997); absent members: Freund et al. (1997),
    specialists; share: Herbster & Warmuth (1998).
    """
    hedge_round(weights, losses, rate, share)


@kernel("void(f8[:,::1],f8[::1],f8,f8,f8[:,::1])")
def hedge_replay(losses: Matrix, weights: Vector, rate: float, share: float, out: Matrix) -> None:
    """Weights in force before each round, so that no round knows its own losses or later ones.

    losses (T, M); weights (M,): the first round's, and afterwards those after the
    last; out (T, M): overwritten.
    """
    for t in range(losses.shape[0]):
        for i in range(losses.shape[1]):
            out[t, i] = weights[i]
        hedge_round(weights, losses[t], rate, share)


def best_rate(members: int, rounds: int) -> float:
    """Rate with the least guaranteed regret, √(8 log M / T), for losses in 0..1.

    Source: Cesa-Bianchi & Lugosi (2006), theorem 2.2.
    """
    return math.sqrt(8.0 * math.log(max(members, 2)) / max(rounds, 1))


def hedge_weights(
    losses: ArrayLike, rate: float | None = None, share: float = 0.0, start: ArrayLike | None = None
) -> tuple[Matrix, Vector]:
    """Weights before each round (T, M), and after the last (M,).

    Args:
        losses: (T, M), NaN where a member did not take part.
        rate: > 0; best_rate where not given.
        share: 0..1, spread evenly each round.
        start: (M,) weights of the first round, >= 0; equal where not given.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    given: Matrix = as_array("losses", losses, 2)
    if np.any(np.isinf(given)):
        raise ValueError("losses must be finite (NaN for a member that did not take part)")
    rounds, members = given.shape
    step = best_rate(members, rounds) if rate is None else float(rate)
    if not (math.isfinite(step) and step > 0.0):
        raise ValueError("rate must be above 0")
    if not 0.0 <= share <= 1.0:
        raise ValueError("share must lie in 0..1")
    first: Vector = np.ones(members) if start is None else as_array("start", start, 1)
    require_shape("start", first, (members,), "one for each member")
    require_weights("start", first)
    if members == 0 or not first.sum() > 0.0:
        raise ValueError("start must have a weight above 0")
    weights, out = first / first.sum(), np.empty((rounds, members))
    hedge_replay(given, weights, step, float(share), out)
    return out, weights
