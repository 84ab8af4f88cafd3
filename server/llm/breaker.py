# SPDX-License-Identifier: Apache-2.0
"""Leaves a sick model alone, and brings it back by degrees.

CLOSED    every call passes; failures and slow calls are counted
OPEN      no call passes until ``open_s`` is over (doubled with each relapse)
HALF_OPEN one call at a time passes on trial
RAMP_UP   a growing share of the calls passes
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from server.forecasting.deadline import Clock
from server.llm.settings import BreakerSettings

_SLICES = 10
#: Share of the calls that passes when the ramp begins.
_RAMP_START = 0.1
#: A model that has just come back is given less credit.
_RAMP_FAILURES = 2


class Circuit(StrEnum):
    """State of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    RAMP_UP = "ramp_up"


#: Told of every change: the state before and after. Must neither block nor raise.
Changed = Callable[[Circuit, Circuit], None]


class _Window:
    """Counts over the last ``length_s`` seconds, in slices."""

    def __init__(self, length_s: float) -> None:
        self._slice_s = length_s / _SLICES
        self._slices: deque[list[int]] = deque(maxlen=_SLICES)
        self._now = -1
        self.clear()

    def clear(self) -> None:
        self._slices.clear()
        self.calls = self.failures = self.slow = 0

    def add(self, now_s: float, *, failed: bool, slow: bool) -> None:
        self._advance(int(now_s / self._slice_s))
        self._slices[-1][0] += 1
        self._slices[-1][1] += failed
        self._slices[-1][2] += slow
        self.calls += 1
        self.failures += failed
        self.slow += slow

    def _advance(self, now: int) -> None:
        if not self._slices:
            self._now = now - 1
        for _ in range(min(now - self._now, _SLICES)):
            if len(self._slices) == _SLICES:
                calls, failures, slow = self._slices[0]
                self.calls, self.failures, self.slow = (
                    self.calls - calls,
                    self.failures - failures,
                    self.slow - slow,
                )
            self._slices.append([0, 0, 0])
        self._now = max(self._now, now)


class Breaker:
    """One model's breaker. ``admit`` before a call, ``record`` or ``release`` after it.

    ``phase``, in [0, 1): which of the calls pass on the ramp. Models that come back together
    should not all pass the same ones, or the others would find nobody.
    """

    def __init__(
        self, settings: BreakerSettings, clock: Clock, changed: Changed | None = None, phase: float = 0.0
    ) -> None:
        self._settings = settings
        self._phase = phase
        self._clock = clock
        self._changed = changed
        self._window = _Window(settings.window_s)
        self._state = Circuit.CLOSED
        self._epoch = 0
        self._relapses = 0
        self._in_a_row = 0
        self._opens_again_s = 0.0
        self._on_trial = False
        self._trials_passed = 0
        self._ramp_from_s = 0.0
        self._credit = 0.0

    @property
    def state(self) -> Circuit:
        """The state now."""
        if self._state is Circuit.OPEN and self._clock.monotonic() >= self._opens_again_s:
            self._on_trial, self._trials_passed = False, 0
            self._move(Circuit.HALF_OPEN)
        elif self._state is Circuit.RAMP_UP and self._ramp_share() >= 1.0:
            self._relapses = 0
            self._move(Circuit.CLOSED)
        return self._state

    def _move(self, state: Circuit) -> None:
        before, self._state = self._state, state
        if self._changed is not None:
            self._changed(before, state)

    @property
    def reopens_in_s(self) -> float:
        """Seconds until it may be tried again; 0 unless open."""
        return max(0.0, self._opens_again_s - self._clock.monotonic()) if self.state is Circuit.OPEN else 0.0

    def admit(self) -> int | None:
        """A ticket for one call, or None: leave the model alone."""
        if self._state is Circuit.CLOSED:
            return self._epoch
        state = self.state
        if state is Circuit.OPEN or (state is Circuit.HALF_OPEN and self._on_trial):
            return None
        if state is Circuit.RAMP_UP and not self._spend_credit():
            return None
        self._on_trial = state is Circuit.HALF_OPEN
        return self._epoch

    def record(self, ticket: int, *, ok: bool, seconds: float) -> None:
        """How a call went. Calls that were admitted before the last opening no longer count."""
        if ticket != self._epoch or not self._settings.enabled:
            return
        slow = self._settings.slow_call_s is not None and seconds >= self._settings.slow_call_s
        self._in_a_row = 0 if ok else self._in_a_row + 1
        if self._state is Circuit.HALF_OPEN:
            self._judge_trial(passed=ok and not slow)
            return
        self._window.add(self._clock.monotonic(), failed=not ok, slow=slow)
        if self._is_sick():
            self._open()

    def release(self, ticket: int) -> None:
        """A call ended without a verdict on the model's health: cancelled, refused, limited."""
        if ticket == self._epoch:
            self._on_trial = False

    def try_now(self) -> None:
        """End the wait: a health probe found the provider well, so a trial may begin."""
        if self._state is Circuit.OPEN:
            self._opens_again_s = self._clock.monotonic()

    def _judge_trial(self, *, passed: bool) -> None:
        self._on_trial = False
        if not passed:
            self._open()
            return
        self._trials_passed += 1
        if self._trials_passed >= self._settings.trial_calls:
            self._window.clear()
            self._credit, self._in_a_row = self._phase, 0
            self._ramp_from_s = self._clock.monotonic()
            self._move(Circuit.RAMP_UP)

    def _is_sick(self) -> bool:
        settings, window = self._settings, self._window
        allowed = settings.consecutive_failures
        if self._state is Circuit.RAMP_UP:
            allowed = min(allowed, _RAMP_FAILURES)
        if self._in_a_row >= allowed:
            return True
        if window.calls < settings.min_calls:
            return False
        return (
            window.failures >= settings.failure_rate * window.calls
            or window.slow >= settings.slow_rate * window.calls
        )

    def _open(self) -> None:
        settings = self._settings
        seconds = min(settings.max_open_s, settings.open_s * 2.0 ** min(self._relapses, 30))
        self._opens_again_s = self._clock.monotonic() + seconds
        self._epoch += 1
        self._relapses += 1
        self._in_a_row = 0
        self._window.clear()
        self._move(Circuit.OPEN)

    def _ramp_share(self) -> float:
        if self._settings.ramp_s == 0:
            return 1.0
        passed = (self._clock.monotonic() - self._ramp_from_s) / self._settings.ramp_s
        return _RAMP_START + (1.0 - _RAMP_START) * passed

    def _spend_credit(self) -> bool:
        """Let the right share pass, evenly: every call earns a share, and a whole one buys a passage."""
        self._credit += self._ramp_share()
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True
