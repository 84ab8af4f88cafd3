# SPDX-License-Identifier: Apache-2.0
"""Whom to ask in this context: each member's value is how much it lessens the pool's expected loss.

Shapes: M members.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from server.learning.batches import Floats, Integers, Resolved
from server.learning.context import Context
from server.learning.covariance import PRIOR_CORRELATION
from server.learning.errors import ErrorMoments

#: A cell with this many cases is believed half; the rest comes from the wider cell.
PRIOR_CASES = 30.0
#: A call is taken to cost at least this share of the dearest one, so that what is free is not all.
LEAST_COST_SHARE = 0.01
#: Mean squared error of a member of which nothing is known.
PRIOR_LOSS = 0.2


class ContextValue:
    """Second moments of members' errors by kind, category, horizon and regime, each drawn to the wider.

    S_ij is the mean of e_i e_j, e = probability - outcome. A pool of a set under its
    best weights has the expected loss 1 / (1ᵀ S⁻¹ 1); a member's value is how much it
    lessens that, given those already chosen, per unit of cost. Members of which little
    is known are taken to be typical and to err as all do.
    Source: Bates & Granger (1969); greedy choice as in Krause & Guestrin (2005).
    """

    def __init__(self) -> None:
        self._cells: dict[str, ErrorMoments] = {}

    def observe(self, resolved: Resolved) -> None:
        """Take in outcomes."""
        chains = [cells_of(context) for context in resolved.asked.contexts]
        for cell in {cell for chain in chains for cell in chain}:
            rows = np.array([row for row, chain in enumerate(chains) if cell in chain], dtype=np.int64)
            self._cells.setdefault(cell, ErrorMoments()).observe(_rows(resolved, rows))

    @property
    def empty(self) -> bool:
        """Whether no outcome has come yet."""
        return not self._cells

    def losses(self, members: Sequence[str], context: Context) -> Floats:
        """(M,): expected loss of each member alone, in this context."""
        return np.asarray(np.diag(self._moments(tuple(members), context)))

    def order(
        self,
        members: Sequence[str],
        context: Context,
        costs: Mapping[str, float] | None = None,
        *,
        most: int | None = None,
        least_gain: float = 0.0,
    ) -> tuple[str, ...]:
        """Members, best value first; ``costs`` of one call each, equal unless told.

        At most ``most`` of them; none that lessens the expected loss by less than the
        share ``least_gain`` of it, but always one.

        Raises:
            ValueError: a cost is negative.
        """
        moments = self._moments(tuple(members), context)
        chosen = _greedy(moments, _costs(members, costs or {}), most or len(members), least_gain)
        return tuple(members[i] for i in chosen)

    def _moments(self, members: tuple[str, ...], context: Context) -> Floats:
        """(M, M), the narrowest cell's drawn towards the wider ones'."""
        found = np.full((len(members), len(members)), PRIOR_LOSS * PRIOR_CORRELATION)
        np.fill_diagonal(found, PRIOR_LOSS)
        for cell in cells_of(context):
            known = self._cells.get(cell)
            if known is not None:
                products, cases = known.moments(members)
                found = (products + PRIOR_CASES * _levelled(found, products, cases)) / (cases + PRIOR_CASES)
        return found


def cells_of(context: Context) -> tuple[str, ...]:
    """Names of the cells that a question counts in, widest first."""
    named = (("k", context.kind), ("c", context.category), ("h", context.horizon), ("r", context.regime))
    return ("", *(f"{letter}:{name}" for letter, name in named if name))


def _levelled(wider: Floats, products: Floats, cases: Floats) -> Floats:
    """The wider cell's moments at this cell's level of loss: some questions are harder than others."""
    seen = float(np.trace(cases))
    if seen <= 0.0:
        return wider
    level = (float(np.trace(products)) + PRIOR_CASES * float(np.mean(np.diag(wider)))) / (seen + PRIOR_CASES)
    return np.asarray(wider * (level / max(float(np.mean(np.diag(wider))), 1e-9)))


def _rows(resolved: Resolved, rows: Integers) -> Resolved:
    shocks = tuple(resolved.shocks[i] for i in rows)
    return Resolved(resolved.asked.rows(rows), resolved.outcomes[rows], shocks, resolved.weights[rows])


def _costs(members: Sequence[str], costs: Mapping[str, float]) -> Floats:
    given = np.array([costs.get(name, 1.0) for name in members], dtype=np.float64)
    if (given < 0.0).any():
        raise ValueError("costs must be at least 0")
    return np.maximum(given, max(float(given.max(initial=0.0)), 1e-12) * LEAST_COST_SHARE)


def _greedy(moments: Floats, costs: Floats, most: int, least_gain: float) -> list[int]:
    chosen: list[int] = []
    left = list(range(len(costs)))
    before = 4.0 * float(np.trace(moments)) / max(len(costs), 1)
    while left and len(chosen) < most:
        after = [_loss(moments, [*chosen, i]) for i in left]
        gains = [before - own for own in after]
        best = int(np.argmax(np.round([gain / costs[i] for gain, i in zip(gains, left, strict=True)], 12)))
        if chosen and gains[best] < least_gain * before:
            break
        before = after[best]
        chosen.append(left.pop(best))
    return chosen


def _loss(moments: Floats, chosen: list[int]) -> float:
    """Expected loss of the best pool of the chosen with weights >= 0: others of them are left out."""
    kept = list(chosen)
    while True:
        cut = moments[np.ix_(kept, kept)] + 1e-9 * np.eye(len(kept))
        solved = np.linalg.solve(cut, np.ones(len(kept)))
        if len(kept) == 1 or solved.min() >= 0.0:
            return 1.0 / float(solved.sum())
        kept.pop(int(solved.argmin()))
