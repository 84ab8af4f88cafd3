# SPDX-License-Identifier: Apache-2.0
"""Time as the tests see it: it passes while the test waits, and not while the machine keeps it from running.

A busy machine takes the processor away for a while, or stops for two seconds. A
deadline of a third of a second is over then, though nobody had the time to do
anything; so is the delay before a hedge, a lease, the life of what was just read.
On this loop all of them wait for as long as the test really had.
"""

import asyncio
import os
import selectors
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

#: What one wait, or what runs between two waits, counts for at most.
STEP_S = 0.01
#: Unix time at which the machine's monotonic clock was 0.
_BEGIN_S = time.time() - time.monotonic()


class _Stepping(selectors.BaseSelector):
    """A selector that waits in steps, and knows how much longer than it asked for they took."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self._last_s = time.monotonic()
        self.lost_s = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        left_s = float("inf") if timeout is None else max(timeout, 0.0)
        # What is there already costs no time, whenever we come to look at it.
        ready = self._real.select(0)
        self._count(STEP_S)
        while not ready and left_s > 0.0:
            step_s = min(STEP_S, left_s)
            ready = self._real.select(step_s)
            self._count(step_s)
            left_s -= step_s
        return ready

    def now_s(self) -> float:
        """The present instant; it never goes back."""
        return min(time.monotonic(), self._last_s + STEP_S) - self.lost_s

    def _count(self, at_most_s: float) -> None:
        now_s = time.monotonic()
        self.lost_s += max(0.0, now_s - self._last_s - at_most_s)
        self._last_s = now_s


class PatientLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while the process does."""

    def __init__(self) -> None:
        self._stepping = _Stepping()
        super().__init__(self._stepping)

    def time(self) -> float:
        """Seconds, without those that were lost."""
        return self._stepping.now_s()

    @property
    def lost_s(self) -> float:
        """Seconds for which this process was kept from running, or ran without looking at the loop."""
        return self._stepping.lost_s


class LoopClock:
    """The clock of the loop that runs, for what takes its time from a clock of its own."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.monotonic() + _BEGIN_S, UTC)


def stolen_s() -> float:
    """Seconds for which the machine under this one kept its processors from running, all of them together."""
    with Path("/proc/stat").open(encoding="ascii") as stat:
        return int(stat.readline().split()[8]) / os.sysconf("SC_CLK_TCK")
