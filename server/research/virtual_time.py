# SPDX-License-Identifier: Apache-2.0
"""Time that passes only when everyone waits: hours of latencies and months of questions in seconds.

An event loop whose clock jumps to the next timer instead of sleeping. What runs
on it is the code that serves live traffic; deadlines, timeouts, hedges and
latencies behave as they would, and nothing depends on how fast the machine is.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESOLUTION_S = 1e-6


class VirtualTimeError(RuntimeError):
    """Everyone waits, and no timer will ever wake anyone: a thread or a socket is waited for."""


class _Skipping(selectors.BaseSelector):
    """A selector that never blocks: where it would wait for a time, it says that the time has passed."""

    def __init__(self, pass_s: Callable[[float], None]) -> None:
        self._real = selectors.DefaultSelector()
        self._pass_s = pass_s

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready:
            return ready
        if timeout is None:
            raise VirtualTimeError(
                "everyone waits for something that no timer brings; nothing that runs in "
                "virtual time may wait for a thread, a file or a socket"
            )
        if timeout > 0.0:
            self._pass_s(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; it begins at 0 seconds."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        super().__init__(_Skipping(self._pass))
        # A timer is due within this margin; the machine's own is lost in seconds counted over years.
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def _pass(self, seconds: float) -> None:
        self._virtual_s += seconds


class VirtualClock:
    """The clock of a virtual loop: ``now`` is ``begin`` and what has passed since."""

    def __init__(self, loop: VirtualLoop, begin: datetime = EPOCH) -> None:
        self._loop = loop
        self._begin = begin
        self.monotonic = loop.time

    def now(self) -> datetime:
        """The present instant of the virtual world, UTC."""
        return self._begin + timedelta(seconds=self._loop.time())

    async def until(self, instant: datetime) -> None:
        """Wait for an instant, to the microsecond; one that has passed is waited for no more."""
        await asyncio.sleep((instant - self.now()).total_seconds())


def run_virtually(main: Callable[[VirtualClock], Coroutine[Any, Any, T]], begin: datetime = EPOCH) -> T:
    """Run a coroutine to its end in virtual time that begins at ``begin``.

    Raises:
        VirtualTimeError: it waits for something outside of virtual time.
    """
    loop = VirtualLoop()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(VirtualClock(loop, begin)))
