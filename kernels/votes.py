# SPDX-License-Identifier: Apache-2.0
"""Votes: majority, weighted vote, unanimity.

Shapes and weights as in kernels.pools. A member votes for its own most
probable outcome; ``traits`` (TRAITS, M) are those of kernels.members.
"""

import math

from kernels._jit import part
from kernels._types import Matrix, Vector
from kernels.members import CHOICE, GREATEST
from kernels.methods import TIE
from kernels.pools import fill, normalise


@part()
def vote_of(traits: Matrix, w: Vector, i: int, threshold: float, weighted: bool) -> float:
    """What member i's vote counts; 0 where it casts none."""
    votes = w[i] > 0.0 and traits[GREATEST, i] >= threshold - TIE
    return (w[i] if weighted else 1.0) if votes else 0.0


@part()
def count_votes_of_two(traits: Matrix, w: Vector, threshold: float, weighted: bool, out: Vector) -> None:
    """Votes for each of two outcomes. Selected, not branched: what a member votes for cannot be predicted."""
    first = 0.0
    second = 0.0
    for i in range(traits.shape[1]):
        cast = vote_of(traits, w, i, threshold, weighted)
        first += cast if traits[CHOICE, i] == 0.0 else 0.0
        second += cast if traits[CHOICE, i] == 1.0 else 0.0
    out[0] = first
    out[1] = second


@part()
def vote_pool(traits: Matrix, w: Vector, threshold: float, weighted: bool, out: Vector) -> None:
    """Share of the votes that each outcome gets.

    traits (TRAITS, M), w (M,), out (C,). Only members whose greatest
    probability is at least the threshold vote. weighted: a vote counts its
    weight, else 1. Where no vote is cast each outcome gets 1/C.
    """
    counted = 0
    for i in range(traits.shape[1]):
        counted += 1 if w[i] > 0.0 else 0
    if out.shape[0] == 2:
        count_votes_of_two(traits, w, threshold, weighted, out)
    else:
        fill(out, 0.0)
        for i in range(traits.shape[1]):
            cast = vote_of(traits, w, i, threshold, weighted)
            if cast > 0.0:
                out[int(traits[CHOICE, i])] += cast
    if counted == 0:
        fill(out, math.nan)
    normalise(out)


@part()
def unanimous(traits: Matrix, w: Vector) -> bool:
    """Whether all members that count have the same most probable outcome; False for none."""
    first = -1.0
    for i in range(traits.shape[1]):
        if w[i] > 0.0:
            if first >= 0.0 and traits[CHOICE, i] != first:
                return False
            first = traits[CHOICE, i]
    return first >= 0.0


@part()
def leads(out: Vector) -> bool:
    """Whether one outcome of out (C,) has strictly more than every other."""
    best = 0
    for c in range(1, out.shape[0]):
        if out[c] > out[best]:
            best = c
    for c in range(out.shape[0]):
        if c != best and out[c] >= out[best] - TIE:
            return False
    return not math.isnan(out[0])


@part()
def has_majority(out: Vector) -> bool:
    """Whether one outcome of out (C,) has strictly more than one half."""
    for c in range(out.shape[0]):
        if out[c] > 0.5 + TIE:
            return True
    return False


@part()
def vote_share(traits: Matrix, chosen: int) -> float:
    """Share of the present members whose own most probable outcome is the chosen one.

    Each present member counts once, whatever its weight. NaN if all are absent.
    """
    present = 0
    votes = 0
    for i in range(traits.shape[1]):
        if traits[CHOICE, i] >= 0.0:
            present += 1
            if traits[CHOICE, i] == chosen:
                votes += 1
    return votes / present if present > 0 else math.nan
