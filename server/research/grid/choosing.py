# SPDX-License-Identifier: Apache-2.0
"""Who is asked in a cell, for each question."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from server.forecasting.ensemble import EnsembleSpec
from server.research.grid.cell import ALL, Cell
from server.research.grid.dataset import Case


class Chooser:
    """Names the members to ask; nobody means "as the engine selects"."""

    def __init__(self, cell: Cell, panels: Mapping[str, tuple[str, ...]], seed: int) -> None:
        self._cell = cell
        self._panels = panels
        self._seed = seed

    def spec(self, spec: EnsembleSpec) -> EnsembleSpec:
        """The ensemble with the engine's own part of the selection.

        ``value:K`` is the engine's selection ``value`` that asks the first K and replaces whoever fails.
        """
        rule = self._cell.count
        if rule is not None and rule[0] == "value":
            count = min(rule[1], len(spec.members))
            return replace(
                spec,
                selection="value",
                enough_responses=count,
                spare_members=0,
                min_responses=min(count, spec.min_responses or (count + 1) // 2),
            )
        own = rule is not None or self._cell.named is not None
        return replace(spec, selection=ALL if own else self._cell.selection)

    def members(self, case: Case) -> tuple[str, ...]:
        """Those to ask; empty where the engine selects, or everyone is asked."""
        able = self._panels[case.panel]
        if self._cell.named is not None:
            return _named(self._cell.named, able)
        if self._cell.count is None or self._cell.count[1] >= len(able):
            return ()
        rule, count = self._cell.count
        if rule == "first":
            return able[:count]
        return self._drawn(case, able, count) if rule == "random" else ()

    def _drawn(self, case: Case, able: tuple[str, ...], count: int) -> tuple[str, ...]:
        digest = hashlib.blake2b(f"{self._seed}|{case.question.id}".encode(), digest_size=8).digest()
        drawn = np.random.default_rng(int.from_bytes(digest)).permutation(len(able))[:count]
        return tuple(able[i] for i in sorted(drawn.tolist()))


def _named(rule: tuple[str, str], able: tuple[str, ...]) -> tuple[str, ...]:
    """The one, or all but the one; a panel without that member asks everyone."""
    how, name = rule
    if name not in able:
        return ()
    return (name,) if how == "only" else tuple(other for other in able if other != name)
