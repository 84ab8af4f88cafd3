# SPDX-License-Identifier: Apache-2.0
"""Whom to ask first: each member's value is how much it lessens the pool's error, per unit of cost."""

from collections.abc import Mapping, Sequence

import numpy as np

from server.learning.batches import Asked, Floats, Integers, log_odds
from server.learning.roster import Roster

#: Weight of the belief that all members scatter alike and independently, in answers.
PRIOR_ANSWERS = 10.0
#: A call is taken to cost at least this share of the dearest one, so that what is free is not all.
LEAST_COST_SHARE = 0.01


class Selection:
    """Orders members by value per cost, from answers alone: no outcomes needed.

    Every answer's distance from the median of its question's answers (log-odds) is
    its scatter; the scatters' second moments S tell both who is precise and who
    repeats whom. The pool of a set has the variance 1 / (1ᵀ S⁻¹ 1) under the best
    weights; a member's value is how much it lessens that, given those already chosen.
    Learned apart for each kind of question. Before the first answers members are
    ordered by cost, then as configured.
    Source: Bates & Granger (1969) for the variance; greedy choice as in Krause &
    Guestrin (2005), Near-optimal nonmyopic value of information.
    """

    def __init__(self, prior_answers: float = PRIOR_ANSWERS) -> None:
        self._prior_answers = prior_answers
        self._kinds: dict[str, _Scatter] = {}

    def watch(self, asked: Asked) -> None:
        """Take note of answers; questions that fewer than three members answered teach nothing."""
        for row in np.flatnonzero(asked.present.sum(axis=1) > 2).tolist():
            kind = asked.contexts[row].kind
            self._kinds.setdefault(kind, _Scatter()).add(asked.members, asked.probabilities[row])

    def order(
        self, members: Sequence[str], kind: str = "", costs: Mapping[str, float] | None = None
    ) -> tuple[str, ...]:
        """The members, best value first; ``costs`` of one call each, equal unless told.

        Raises:
            ValueError: a cost is negative.
        """
        prices = _costs(members, costs or {})
        scatter = self._kinds.setdefault(kind, _Scatter()).moments(tuple(members), self._prior_answers)
        return tuple(members[i] for i in _greedy(scatter, prices))


class _Scatter:
    def __init__(self) -> None:
        self._roster = Roster()
        self._products = np.zeros((0, 0))
        self._answers = np.zeros((0, 0))

    def add(self, members: tuple[str, ...], probabilities: Floats) -> None:
        told = ~np.isnan(probabilities)
        places = self._places(members)[told]
        logs = log_odds(probabilities[told])
        off = logs - np.median(logs)
        self._products[np.ix_(places, places)] += np.outer(off, off)
        self._answers[np.ix_(places, places)] += 1.0

    def moments(self, members: tuple[str, ...], prior_answers: float) -> Floats:
        """(M, M) second moments of scatter, drawn towards equal and independent."""
        cut = np.ix_(*(self._places(members),) * 2)
        products, answers = self._products[cut], self._answers[cut]
        seen = float(np.trace(answers))
        typical = max(float(np.trace(products)) / seen, 1e-9) if seen else 1.0
        prior = typical * np.eye(len(members))
        return np.asarray((products + prior_answers * prior) / (answers + prior_answers))

    def _places(self, names: tuple[str, ...]) -> Integers:
        places = self._roster.places(names)
        more = len(self._roster) - len(self._products)
        if more:
            self._products = np.pad(self._products, (0, more))
            self._answers = np.pad(self._answers, (0, more))
        return places


def _costs(members: Sequence[str], costs: Mapping[str, float]) -> Floats:
    """(M,) > 0; whoever is not named costs 1."""
    given = np.array([costs.get(name, 1.0) for name in members], dtype=np.float64)
    if (given < 0.0).any():
        raise ValueError("costs must be at least 0")
    return np.maximum(given, max(float(given.max(initial=0.0)), 1e-12) * LEAST_COST_SHARE)


def _greedy(scatter: Floats, costs: Floats) -> list[int]:
    """All members, each the one that lessens the variance most per cost given those before it."""
    chosen: list[int] = []
    left = list(range(len(costs)))
    # Nobody asked leaves as much to know as a few typical members' scatter.
    before = 4.0 * float(np.trace(scatter)) / max(len(costs), 1)
    while left:
        after = [_variance(scatter, [*chosen, i]) for i in left]
        value = [(before - own) / costs[i] for own, i in zip(after, left, strict=True)]
        best = int(np.argmax(np.round(value, 12)))
        before = after[best]
        chosen.append(left.pop(best))
    return chosen


def _variance(scatter: Floats, chosen: list[int]) -> float:
    """1 / (1ᵀ S⁻¹ 1): variance of the best weighted mean of the chosen."""
    ones = np.ones(len(chosen))
    return 1.0 / float(ones @ np.linalg.solve(scatter[np.ix_(chosen, chosen)], ones))
