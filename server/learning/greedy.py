# SPDX-License-Identifier: Apache-2.0
"""An order of members in which each lessens the pool's expected loss most, given those before it.

Shapes: M members.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from server.learning.batches import Floats

#: A call is taken to cost at least this share of the dearest one, so that what is free is not all.
LEAST_COST_SHARE = 0.01
#: Nobody asked leaves as much to know as so many typical members' loss.
NOBODY = 4.0


def costs_of(members: Sequence[str], costs: Mapping[str, float]) -> Floats:
    """(M,) > 0; whoever is not named costs 1.

    Raises:
        ValueError: a cost is negative.
    """
    given = np.array([costs.get(name, 1.0) for name in members], dtype=np.float64)
    if (given < 0.0).any():
        raise ValueError("costs must be at least 0")
    return np.maximum(given, max(float(given.max(initial=0.0)), 1e-12) * LEAST_COST_SHARE)


def in_order(
    moments: Floats, costs: Floats, most: int | None = None, least_gain: float | None = None
) -> list[int]:
    """Places of members, best value for its cost first.

    ``moments`` (M, M): second moments of errors. The plain mean of a set has the
    expected loss 1ᵀ S 1 / k². Weights that are best for an estimated S would promise
    less, but they chase its noise, and no weighting that learns carefully uses them.
    At most ``most`` places. With a ``least_gain`` there is always one place, and no
    further one that lessens the loss by no more than this share of it: with 0 only
    those are left out whose answers are expected to do no good.
    Source: greedy choice as in Krause & Guestrin (2005), Near-optimal nonmyopic value
    of information.
    """
    count = len(costs)
    chosen: list[int] = []
    left = np.ones(count, dtype=np.bool_)
    own, beside, total = np.diag(moments), np.zeros(count), 0.0
    before = NOBODY * float(own.mean()) if count else 0.0
    while left.any() and len(chosen) < (most or count):
        after = (total + 2.0 * beside + own) / (len(chosen) + 1) ** 2
        gain = np.round(before - after, 12)
        # Who does harm beside one may do good beside three: nobody is ruled out for later.
        good = left if not chosen or least_gain is None else left & (gain > least_gain * before)
        if not good.any():
            break
        # What does harm does the more of it the more it costs.
        value = np.where(gain >= 0.0, gain / costs, gain * costs)
        best = int(np.argmax(np.where(good, value, -np.inf)))
        total, before = float(total + 2.0 * beside[best] + own[best]), float(after[best])
        beside = beside + moments[best]
        left[best] = False
        chosen.append(best)
    return chosen
