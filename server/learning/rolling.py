# SPDX-License-Identifier: Apache-2.0
"""Sums by member and cell over rolling windows, exact after any number of outcomes.

Letters: W windows, M members, K cells, S sums.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from server.learning.batches import Integers
from server.learning.roster import Roster
from server.learning.scorecard import SUMS, Sums

HOUR = 3600.0
#: Length of each window, seconds; the last one never forgets.
WINDOWS = {"24h": 24 * HOUR, "7d": 7 * 24 * HOUR, "30d": 30 * 24 * HOUR, "all": float("inf")}

_ALL = len(WINDOWS) - 1
_LONGEST = _ALL - 1


@dataclass(frozen=True, slots=True)
class Event:
    """One outcome: when it became known (seconds), who had answered, which cells, and what to add."""

    time_s: float
    members: tuple[str, ...]
    cells: tuple[str, ...]
    sums: Sums


@dataclass(frozen=True, slots=True)
class RollingState:
    """What a store keeps: names, the sums of all time (M, K, S), and the outcomes of the longest window."""

    members: tuple[str, ...]
    cells: tuple[str, ...]
    totals: Sums
    recent: tuple[Event, ...]


class RollingSums:
    """Adds outcomes and forgets them again; O(members × cells of one outcome), whatever came before."""

    def __init__(self, state: RollingState | None = None) -> None:
        self._members = Roster()
        self._cells = Roster()
        self._totals = np.zeros((len(WINDOWS), 0, 0, SUMS), dtype=np.int64)
        self._recent: list[deque[Event]] = [deque() for _ in WINDOWS]
        if state is not None:
            self._restore(state)

    def state(self) -> RollingState:
        """A copy of everything, to be kept and handed to a new one."""
        return RollingState(self.members, self.cells, self.totals("all"), tuple(self._recent[_LONGEST]))

    @property
    def members(self) -> tuple[str, ...]:
        """Everyone who ever answered."""
        return self._members.names

    @property
    def cells(self) -> tuple[str, ...]:
        """Every cell that ever had an outcome."""
        return self._cells.names

    def add(self, event: Event) -> None:
        """Take in one outcome, and forget what has left a window by its time.

        Outcomes come in the order in which they became known.
        """
        where = self._where(event)
        for window, recent in enumerate(self._recent):
            self._totals[window][where] += event.sums[:, None, :]
            if window != _ALL:
                recent.append(event)
        self.forget(event.time_s)

    def forget(self, now_s: float) -> None:
        """Take out of each window what became known before it began."""
        for window, length_s in enumerate(WINDOWS.values()):
            recent = self._recent[window]
            while recent and recent[0].time_s <= now_s - length_s:
                event = recent.popleft()
                self._totals[window][self._where(event)] -= event.sums[:, None, :]

    def totals(self, window: str) -> Sums:
        """(M, K, S): a copy of the sums of one of ``WINDOWS``, in billionths."""
        place = list(WINDOWS).index(window)
        return np.array(self._totals[place, : len(self._members), : len(self._cells)])

    def _restore(self, state: RollingState) -> None:
        self._members.places(state.members)
        self._cells.places(state.cells)
        self._grow()
        self._totals[_ALL, : len(state.members), : len(state.cells)] = state.totals
        last_s = state.recent[-1].time_s if state.recent else 0.0
        for window, length_s in enumerate(list(WINDOWS.values())[:_ALL]):
            for event in state.recent:
                if event.time_s > last_s - length_s:
                    self._totals[window][self._where(event)] += event.sums[:, None, :]
                    self._recent[window].append(event)

    def _where(self, event: Event) -> tuple[Integers, Integers]:
        members, cells = self._members.places(event.members), self._cells.places(event.cells)
        self._grow()
        return members[:, None], cells[None, :]

    def _grow(self) -> None:
        """Room for new members and cells, doubled each time so that growing costs little."""
        _, members, cells, _ = self._totals.shape
        if len(self._members) > members or len(self._cells) > cells:
            wider = (
                max(2 * members, len(self._members)) if len(self._members) > members else members,
                max(2 * cells, len(self._cells)) if len(self._cells) > cells else cells,
            )
            grown = np.zeros((len(WINDOWS), *wider, SUMS), dtype=np.int64)
            grown[:, :members, :cells] = self._totals
            self._totals = grown
