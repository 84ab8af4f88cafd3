# SPDX-License-Identifier: Apache-2.0
"""Whom to ask first: each member's value is how much it lessens the pool's error, per unit of cost."""

from collections.abc import Mapping, Sequence

import numpy as np

from server.learning.batches import Asked, Floats, Integers
from server.learning.greedy import costs_of, in_order
from server.learning.roster import Roster

#: Weight of the belief that members scatter in one kind of question as they do in all, and in
#: all alike and independently, in answers.
PRIOR_ANSWERS = 10.0
#: Mean squared distance of an answer from the median before any was seen.
PRIOR_SCATTER = 0.02


class Selection:
    """Orders members by value per cost, from answers alone: no outcomes needed.

    Every answer's distance from the median of its question's answers is its scatter,
    in probability as the Brier score counts it; the scatters' second moments S tell
    both who is precise and who repeats whom. The mean of a set of k scatters by
    1ᵀ S 1 / k²; a member's value is how much it lessens that, given those already
    chosen. S is learned for each kind of question and drawn towards that of all
    kinds. Before the first answers members are ordered by cost, then as configured.
    Source: Bates & Granger (1969) for the variance; ``greedy`` for the choice.
    """

    def __init__(self, prior_answers: float = PRIOR_ANSWERS) -> None:
        self._prior_answers = prior_answers
        self._all = _Scatter()
        self._kinds: dict[str, _Scatter] = {}

    def watch(self, asked: Asked) -> None:
        """Take note of answers; questions that fewer than three members answered teach nothing."""
        for row in np.flatnonzero(asked.present.sum(axis=1) > 2).tolist():
            kind = self._kinds.setdefault(asked.contexts[row].kind, _Scatter())
            for scatter in (self._all, kind):
                scatter.add(asked.members, asked.probabilities[row])

    @property
    def answers(self) -> float:
        """How many members' answers have been seen."""
        return self._all.seen

    def moments(self, members: Sequence[str], kind: str = "") -> Floats:
        """(M, M): second moments of scatter in questions of a kind."""
        names = tuple(members)
        alike = PRIOR_SCATTER * np.eye(len(names))
        wider = self._all.moments(names, alike, self._prior_answers)
        known = self._kinds.get(kind)
        return wider if known is None else known.moments(names, wider, self._prior_answers)

    def order(
        self,
        members: Sequence[str],
        kind: str = "",
        costs: Mapping[str, float] | None = None,
        *,
        most: int | None = None,
        least_gain: float | None = None,
    ) -> tuple[str, ...]:
        """The members, best value first; ``costs`` of one call each, equal unless told.

        At most ``most`` of them. With a ``least_gain`` no member beyond the first that
        lessens the mean's expected scatter by no more than this share of it.

        Raises:
            ValueError: a cost is negative.
        """
        moments = self.moments(members, kind)
        places = in_order(moments, costs_of(members, costs or {}), most, least_gain)
        return tuple(members[i] for i in places)


class _Scatter:
    def __init__(self) -> None:
        self._roster = Roster()
        self._products = np.zeros((0, 0))
        self._answers = np.zeros((0, 0))

    @property
    def seen(self) -> float:
        return float(np.trace(self._answers))

    def add(self, members: tuple[str, ...], probabilities: Floats) -> None:
        told = ~np.isnan(probabilities)
        places = self._places(members)[told]
        off = probabilities[told] - np.median(probabilities[told])
        cut = np.ix_(places, places)
        self._products[cut] += np.outer(off, off)
        self._answers[cut] += 1.0

    def moments(self, members: tuple[str, ...], prior: Floats, prior_answers: float) -> Floats:
        """(M, M) second moments, drawn towards the prior ones at the level of scatter seen here."""
        cut = np.ix_(*(self._places(members),) * 2)
        products, answers = self._products[cut], self._answers[cut]
        seen, usual = float(np.trace(answers)), max(float(np.diag(prior).mean()), 1e-12)
        level = (float(np.trace(products)) + prior_answers * usual) / (seen + prior_answers)
        return np.asarray((products + prior_answers * (level / usual) * prior) / (answers + prior_answers))

    def _places(self, names: tuple[str, ...]) -> Integers:
        places = self._roster.places(names)
        more = len(self._roster) - len(self._products)
        if more:
            self._products = np.pad(self._products, (0, more))
            self._answers = np.pad(self._answers, (0, more))
        return places
