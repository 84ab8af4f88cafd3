# SPDX-License-Identifier: Apache-2.0
"""An instant that is handed down every call and asked how much is left."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where time comes from, so that tests and backtests can bring their own."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def now(self) -> datetime:
        """The present instant, UTC."""
        ...


class SystemClock:
    """The machine's clocks."""

    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def now() -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant, in seconds of ``clock.monotonic()``, by which an answer is due."""

    at_s: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> "Deadline":
        """The instant ``seconds`` from now."""
        return cls(clock.monotonic() + seconds, clock)

    def remaining_s(self) -> float:
        """Seconds left; 0 once it has passed."""
        return max(0.0, self.at_s - self.clock.monotonic())

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.clock.monotonic() >= self.at_s

    def earlier(self, margin_s: float) -> "Deadline":
        """The same deadline less a margin for what comes after."""
        return Deadline(self.at_s - margin_s, self.clock)

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and ``seconds`` from now."""
        return Deadline(min(self.at_s, self.clock.monotonic() + seconds), self.clock)

    def timeout(self) -> asyncio.Timeout:
        """A context that raises ``TimeoutError`` at the deadline."""
        return asyncio.timeout(self.remaining_s())
