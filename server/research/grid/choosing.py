# SPDX-License-Identifier: Apache-2.0
"""Who is asked in a cell: the selections of the runner, for each question."""

import hashlib
from collections.abc import Mapping

import numpy as np

from server.forecasting.prediction import Prediction
from server.learning.batches import MARKET, Asked
from server.learning.selection import Selection
from server.research.grid.cell import ALL, Cell
from server.research.grid.dataset import Case

#: With ``value:K`` every so-many-th question of a panel asks everyone, and so does its first.
EXPLORE_EVERY = 10


class Chooser:
    """Names the members to ask; nobody means "all". It learns from the answers that it has set off.

    The market's price costs nothing: it is asked beside the members that a number counts.
    """

    def __init__(
        self, cell: Cell, panels: Mapping[str, tuple[str, ...]], costs: Mapping[str, float], seed: int
    ) -> None:
        self._cell = cell
        self._panels = panels
        self._costs = dict(costs)
        self._seed = seed
        self._selection = Selection()
        self._asked = dict.fromkeys(panels, 0)

    @property
    def engine_selection(self) -> str:
        """The selection that the engine itself is given."""
        own = self._cell.count is not None or self._cell.named is not None
        return ALL if own else self._cell.selection

    def members(self, case: Case) -> tuple[str, ...]:
        """Those to ask; empty for all of the panel."""
        panel = self._panels[case.panel]
        if self._cell.named is not None:
            return _named(self._cell.named, panel)
        if self._cell.count is None:
            return ()
        rule, count = self._cell.count
        able = tuple(name for name in panel if name != MARKET)
        if count >= len(able):
            return ()
        chosen = {"first": lambda: able[:count], "random": lambda: self._drawn(case, able, count)}
        picked = chosen.get(rule, lambda: self._best(case, able, count))()
        return (*picked, MARKET) if picked and MARKET in panel else picked

    def answered(self, case: Case, prediction: Prediction) -> None:
        """What was said teaches whom to ask next time."""
        if self._cell.count is None or self._cell.count[0] != "value":
            return
        said = {
            m.member: m.forecast.probabilities[0]
            for m in prediction.members
            if m.forecast and m.forecast.probabilities
        }
        names = tuple(name for name in self._panels[case.panel] if name != MARKET)
        row = np.array([[said.get(name, np.nan) for name in names]])
        self._selection.watch(Asked(names, row, (case.context,), case.panel))

    def _drawn(self, case: Case, able: tuple[str, ...], count: int) -> tuple[str, ...]:
        digest = hashlib.blake2b(f"{self._seed}|{case.question.id}".encode(), digest_size=8).digest()
        drawn = np.random.default_rng(int.from_bytes(digest)).permutation(len(able))[:count]
        return tuple(able[i] for i in sorted(drawn.tolist()))

    def _best(self, case: Case, able: tuple[str, ...], count: int) -> tuple[str, ...]:
        turn = self._asked[case.panel]
        self._asked[case.panel] = turn + 1
        if turn % EXPLORE_EVERY == 0:
            return ()
        priced = {name: self._costs[name] for name in able if name in self._costs}
        return self._selection.order(able, case.context.kind, priced or None)[:count]


def _named(rule: tuple[str, str], able: tuple[str, ...]) -> tuple[str, ...]:
    """The one, or all but the one; a panel without that member asks everyone."""
    how, name = rule
    if name not in able:
        return ()
    return (name,) if how == "only" else tuple(other for other in able if other != name)
