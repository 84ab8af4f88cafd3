# SPDX-License-Identifier: Apache-2.0
"""What depends on each member alone: presence, weight, logs, own choice and confidence.

Shapes: M members, C outcomes. Computed once a query; every pool, and every
pool without one member, reads it.
"""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.logarithm import log64
from kernels.methods import LOG_HIGH, LOG_LOW, TIE

#: Stands for a probability of 0 in a logarithm.
LEAST = 1e-300

#: Rows of ``traits`` (TRAITS, M).
CHOICE = 0  # index of the member's own most probable outcome, -1 if absent
GREATEST = 1  # its greatest probability
CERTAINTY = 2  # the same from 0 (all equal) to 1
OWN_ENTROPY = 3  # of its probabilities, nats
LOG_ODDS_OF_FIRST = 4  # log-odds of outcome 0, held in ± log-odds of 1 - 1e-6
TRAITS = 5


@part()
def use_weights(p: Matrix, weights: Vector, used: Vector) -> int:
    """Weights of the present members, made to sum to 1; returns how many are present.

    p (M, C): a NaN in a row's first place means that the member is absent.
    weights (M,): >= 0. used (M,): overwritten, 0 for the absent. If all present
    members weigh 0, they weigh the same.
    """
    present = 0
    total = 0.0
    for i in range(p.shape[0]):
        # Chosen, not branched: who is absent cannot be predicted.
        here = not math.isnan(p[i, 0])
        w = weights[i]
        used[i] = w if here else 0.0
        total += used[i]
        present += 1 if here else 0
    if total > 0.0:
        share = 1.0 / total
        for i in range(p.shape[0]):
            used[i] *= share
    else:
        use_equal_weights(p, -1, present, used)
    return present


@part()
def use_equal_weights(p: Matrix, left_out: int, count: int, used: Vector) -> None:
    """Weigh every present member but one 1/count."""
    for i in range(p.shape[0]):
        used[i] = 1.0 / count if i != left_out and not math.isnan(p[i, 0]) else 0.0


@part()
def most_probable(p: Vector) -> int:
    """Index of the most probable outcome of p (C,).

    Binary: outcome 0 (YES) wins only strictly above one half; the tie is a NO,
    index 1. More outcomes: the lowest index wins a tie. Differences up to
    1e-12 are ties. NaN gives -1.
    """
    if math.isnan(p[0]):
        return -1
    if p.shape[0] == 2:
        return 0 if p[0] > 0.5 + TIE else 1
    best = 0
    for c in range(1, p.shape[0]):
        if p[c] > p[best] + TIE:
            best = c
    return best


@part()
def hold(log: float) -> float:
    """A log probability, held in [log 1e-6, log(1 - 1e-6)]."""
    return min(max(log, LOG_LOW), LOG_HIGH)


@part()
def clamped_log(x: float) -> float:
    """Natural logarithm, held in [log 1e-6, log(1 - 1e-6)]; 0 gives the lower end."""
    return hold(math.log(x)) if x > 0.0 else LOG_LOW


@part()
def take_logs(p: Matrix, logs: Matrix) -> None:
    """Logs (M, C) of all probabilities, 0 giving log 1e-300; an absent member's are meaningless.

    One flat loop, so that it vectorises.
    """
    cells = p.shape[0] * p.shape[1]
    flat = p.reshape(cells)
    out = logs.reshape(cells)
    for k in range(cells):
        x = flat[k]
        out[k] = log64(x if x > LEAST else LEAST)


@part()
def hold_logs(logs: Matrix) -> None:
    """Hold logs (M, C) in [log 1e-6, log(1 - 1e-6)], in place."""
    flat = logs.reshape(logs.shape[0] * logs.shape[1])
    for k in range(flat.shape[0]):
        flat[k] = hold(flat[k])


@part()
def look_at_binary_choices(p: Matrix, traits: Matrix) -> None:
    """The same for p (M, 2). Selected, not branched: which way a member leans cannot be predicted."""
    for i in range(p.shape[0]):
        yes, no = p[i, 0], p[i, 1]
        chosen = 0.0 if yes > 0.5 + TIE else 1.0
        greatest = yes if yes > no else no
        traits[CHOICE, i] = -1.0 if math.isnan(yes) else chosen
        traits[GREATEST, i] = greatest
        traits[CERTAINTY, i] = max(2.0 * greatest - 1.0, 0.0)


@part()
def look_at_choices(p: Matrix, traits: Matrix) -> None:
    """Each member's own choice and confidence: the rows CHOICE, GREATEST and CERTAINTY of traits.

    p (M, C), traits (TRAITS, M). An absent member's choice is -1; its other
    places mean nothing.
    """
    outcomes = p.shape[1]
    if outcomes == 2:
        look_at_binary_choices(p, traits)
        return
    for i in range(p.shape[0]):
        if math.isnan(p[i, 0]):
            traits[CHOICE, i] = -1.0
            continue
        greatest = p[i, 0]
        for c in range(1, outcomes):
            greatest = max(greatest, p[i, c])
        traits[CHOICE, i] = most_probable(p[i])
        traits[GREATEST, i] = greatest
        traits[CERTAINTY, i] = max((outcomes * greatest - 1.0) / (outcomes - 1.0), 0.0)


@part()
def look_at_members(p: Matrix, logs: Matrix, traits: Matrix) -> None:
    """Fill logs (M, C), held as by hold_logs, and all traits (TRAITS, M) from p (M, C)."""
    outcomes = p.shape[1]
    look_at_choices(p, traits)
    take_logs(p, logs)
    for i in range(p.shape[0]):
        own_entropy = 0.0
        for c in range(outcomes):
            own_entropy -= p[i, c] * logs[i, c]
        traits[OWN_ENTROPY, i] = own_entropy
    hold_logs(logs)
    for i in range(p.shape[0]):
        rest = logs[i, 1] if outcomes == 2 else clamped_log(1.0 - p[i, 0])
        traits[LOG_ODDS_OF_FIRST, i] = logs[i, 0] - rest
