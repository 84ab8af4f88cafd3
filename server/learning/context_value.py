# SPDX-License-Identifier: Apache-2.0
"""Whom to ask in this context: each member's value is how much it lessens the pool's expected loss.

Shapes: M members, N rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from server.learning.batches import Flags, Floats, Integers, Resolved
from server.learning.context import Context
from server.learning.greedy import costs_of, in_order
from server.learning.roster import Roster
from server.learning.selection import Selection

#: A cell with this many cases is believed half about how hard its questions are.
PRIOR_CASES = 30.0
#: Mean squared error of the members' median before any outcome is known.
PRIOR_LOSS = 0.17
#: Members are told apart only as far as they differ by more than so many times what chance makes of them.
DOUBT = 2.0


class ContextValue:
    """What outcomes add to ``Selection``: who leaves the others in the direction of the truth.

    With m the median of a question's answers and o its outcome, member i errs by
    (m - o) + d_i, d_i its distance from the median. So the second moments of errors are

        S_ij = E (m - o)² + E d_i d_j + t_i + t_j,   t_i = E d_i (m - o).

    The first is the same for all. The second needs no outcomes and is known after a
    few answers. Only t does, and a single outcome says very little of it: t_i is
    learned by kind, category, horizon and regime, each cell's drawn towards the
    wider one's, and only as far as members differ by more than chance would make them
    (positive-part shrinkage). So without outcomes, or with a handful, the order is that
    of ``Selection``.
    Source: James & Stein (1961), Estimation with quadratic loss; Bates & Granger (1969).
    """

    def __init__(self) -> None:
        self._answers = Selection()
        self._cells: dict[str, _Leanings] = {}

    def observe(self, resolved: Resolved) -> None:
        """Take in outcomes; a question that only one member answered says nothing of the others."""
        asked = resolved.asked
        self._answers.watch(asked)
        rows = np.flatnonzero(asked.present.sum(axis=1) > 1)
        if not len(rows):
            return
        chains = [cells_of(asked.contexts[row]) for row in rows]
        said, present = asked.probabilities[rows], asked.present[rows]
        middle = np.nanmedian(said, axis=1)
        off = middle - resolved.outcomes[rows]
        lean = np.where(present, (said - middle[:, None]) * off[:, None], 0.0)
        for cell in {cell for chain in chains for cell in chain}:
            own = np.array([cell in chain for chain in chains], dtype=np.bool_)
            leanings = self._cells.setdefault(cell, _Leanings())
            leanings.add(asked.members, lean[own], present[own], off[own], resolved.weights[rows][own])

    @property
    def empty(self) -> bool:
        """Whether no outcome has come yet."""
        return not self._cells

    def losses(self, members: Sequence[str], context: Context, answers: Selection | None = None) -> Floats:
        """(M,): expected loss of each member alone, in this context."""
        return np.asarray(np.diag(self._moments(tuple(members), context, answers)))

    def order(
        self,
        members: Sequence[str],
        context: Context,
        costs: Mapping[str, float] | None = None,
        *,
        answers: Selection | None = None,
        most: int | None = None,
        least_gain: float | None = None,
    ) -> tuple[str, ...]:
        """Members, best value first; ``costs`` of one call each, equal unless told.

        ``answers``: another record of how members scatter, e.g. of questions without
        an outcome; the fuller one counts. At most ``most`` members. With a ``least_gain``
        no member beyond the first that lessens the expected loss by no more than this
        share of it.

        Raises:
            ValueError: a cost is negative.
        """
        moments = self._moments(tuple(members), context, answers)
        places = in_order(moments, costs_of(members, costs or {}), most, least_gain)
        return tuple(members[i] for i in places)

    def _moments(self, members: tuple[str, ...], context: Context, answers: Selection | None) -> Floats:
        """(M, M): expected products of errors."""
        level, lean = PRIOR_LOSS, np.zeros(len(members))
        for cell in cells_of(context):
            known = self._cells.get(cell)
            if known is not None:
                level = known.level(level)
                lean = known.towards(members, lean)
        scatter = self._answers
        if answers is not None and answers.answers > scatter.answers:
            scatter = answers
        found = level + scatter.moments(members, context.kind) + lean[:, None] + lean[None, :]
        # No member errs less than not at all.
        return np.asarray(found - min(float(np.diag(found).min(initial=0.0)), 0.0))


@dataclass(slots=True)
class _Leanings:
    """Sums over one cell's cases: of d_i (m - o), of its square, of cases, and of (m - o)²."""

    roster: Roster = field(default_factory=Roster)
    sums: Floats = field(default_factory=lambda: np.zeros((3, 0)))
    loss: float = 0.0
    cases: float = 0.0

    def add(
        self, members: tuple[str, ...], lean: Floats, present: Flags, off: Floats, weights: Floats
    ) -> None:
        """``lean`` and ``present`` (N, M), ``off`` and ``weights`` (N,)."""
        places = self._places(members)
        self.sums[0, places] += weights @ lean
        self.sums[1, places] += weights @ lean**2
        self.sums[2, places] += weights @ present
        self.loss += float(weights @ off**2)
        self.cases += float(weights.sum())

    def level(self, wider: float) -> float:
        """Mean of (m - o)², drawn towards the wider cell's."""
        return (self.loss + PRIOR_CASES * wider) / (self.cases + PRIOR_CASES)

    def towards(self, members: tuple[str, ...], wider: Floats) -> Floats:
        """(M,): mean of d_i (m - o), as far from the wider cell's as chance does not explain."""
        total, squares, cases = self.sums[:, self._places(members)]
        told = cases > 0.0
        if not told.any():
            return wider
        away = np.where(told, total / np.maximum(cases, 1e-9) - wider, 0.0)
        chance = float(squares.sum() / cases.sum()) / np.maximum(cases, 1e-9)
        signal = float((away[told] ** 2).mean()) - DOUBT * float(chance[told].mean())
        if signal <= 0.0:
            return wider
        return np.asarray(wider + away * np.where(told, signal / (signal + chance), 0.0))

    def _places(self, names: tuple[str, ...]) -> Integers:
        places = self.roster.places(names)
        more = len(self.roster) - self.sums.shape[1]
        if more:
            self.sums = np.pad(self.sums, ((0, 0), (0, more)))
        return places


def cells_of(context: Context) -> tuple[str, ...]:
    """Names of the cells that a question counts in, widest first."""
    named = (("k", context.kind), ("c", context.category), ("h", context.horizon), ("r", context.regime))
    return ("", *(f"{letter}:{name}" for letter, name in named if name))
