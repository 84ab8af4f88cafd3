# SPDX-License-Identifier: Apache-2.0
"""Keeps one key's calls to one model within what is allowed, in order and with a bounded queue."""

import asyncio
from collections import deque
from dataclasses import dataclass

from server.forecasting.deadline import Clock, Deadline
from server.forecasting.forecast import AbsentReason
from server.llm.allowance import Allowance
from server.llm.failures import Failure
from server.llm.settings import LimitSettings
from server.llm.wire.headers import RateLimits


@dataclass(slots=True)
class Permit:
    """A place among the calls in flight; ``requests`` and ``tokens`` count what was taken up to it."""

    tokens: int
    requests: int
    all_tokens: int


@dataclass(slots=True)
class _Waiter:
    tokens: int
    deadline: Deadline
    granted: "asyncio.Future[Permit | Failure]"


class Limiter:
    """First come, first served. ``enter`` before a call, ``leave`` after it."""

    def __init__(self, settings: LimitSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._requests = Allowance(settings.requests_per_minute, clock)
        self._tokens = Allowance(settings.tokens_per_minute, clock)
        self._waiters: deque[_Waiter] = deque()
        self._blocked_until_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._taken_requests = 0
        self._taken_tokens = 0
        self.in_flight = 0

    @property
    def waiting(self) -> int:
        """Calls in the queue."""
        return len(self._waiters)

    def wait_s(self, tokens: int) -> float:
        """Seconds until a call might pass; 0: now. That all places are taken is not said."""
        blocked = self._blocked_until_s
        wait = max(0.0, blocked - self._clock.monotonic()) if blocked else 0.0
        return max(wait, self._requests.wait_s(1), self._tokens.wait_s(tokens))

    def queue(self, tokens: int) -> tuple[float, int]:
        """How long a call would wait: seconds until the limits open, and how many are before it."""
        concurrency = self._settings.concurrency
        over = 0 if concurrency is None else max(0, self.in_flight + 1 - concurrency)
        return self.wait_s(tokens), over + len(self._waiters)

    def try_enter(self, tokens: int) -> Permit | None:
        """A place at once, or None."""
        concurrency = self._settings.concurrency
        if self._waiters or (concurrency is not None and self.in_flight >= concurrency):
            return None
        return self._take(tokens) if self.wait_s(tokens) == 0.0 else None

    async def enter(self, tokens: int, deadline: Deadline) -> Permit | Failure:
        """A place by the deadline, or the reason why there will be none."""
        permit = self.try_enter(tokens)
        if permit is not None:
            return permit
        if len(self._waiters) >= self._settings.queue:
            return _refusal(f"{len(self._waiters)} calls are waiting already")
        wait_s = self.wait_s(tokens)
        if wait_s > deadline.remaining_s():
            return _refusal(f"the rate limit opens in {wait_s:.1f} s", wait_s)
        return await self._queue(tokens, deadline)

    def leave(self, unused: Permit | None = None) -> None:
        """A call has ended; ``unused``: its permit, where it was never made."""
        self.in_flight -= 1
        if unused is not None:
            self._requests.give_back(1)
            self._tokens.give_back(unused.tokens)
        self._pump()

    def observe(self, limits: RateLimits, permit: Permit) -> None:
        """What the provider's headers said in answer to the call with this permit."""
        if limits.requests:
            self._requests.observe(limits.requests, self._taken_requests - permit.requests)
        if limits.tokens:
            self._tokens.observe(limits.tokens, self._taken_tokens - permit.all_tokens)
        self._pump()

    def block(self, seconds: float) -> None:
        """The provider said to come back later. Those in the queue who cannot wait are told at once."""
        self._blocked_until_s = max(self._blocked_until_s, self._clock.monotonic() + seconds)
        for waiter in [w for w in self._waiters if w.deadline.at_s < self._blocked_until_s]:
            self._waiters.remove(waiter)
            if not waiter.granted.done():
                waiter.granted.set_result(_refusal(f"the rate limit opens in {seconds:.1f} s", seconds))

    def _take(self, tokens: int) -> Permit:
        self._requests.take(1)
        self._tokens.take(tokens)
        self._taken_requests += 1
        self._taken_tokens += tokens
        self.in_flight += 1
        return Permit(tokens, self._taken_requests, self._taken_tokens)

    async def _queue(self, tokens: int, deadline: Deadline) -> Permit | Failure:
        waiter = _Waiter(tokens, deadline, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._pump()
        try:
            async with deadline.timeout():
                return await waiter.granted
        except TimeoutError:
            self._abandon(waiter)
            return _refusal("no place became free in time")
        except asyncio.CancelledError:
            self._abandon(waiter)
            raise

    def _abandon(self, waiter: _Waiter) -> None:
        """The caller is gone: free its place, which may have been granted in the same moment."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            return
        granted = waiter.granted
        permit = granted.result() if granted.done() and not granted.cancelled() else None
        if isinstance(permit, Permit):
            self.leave(unused=permit)

    def _pump(self) -> None:
        """Grant places to those in front, then wait for the next one's turn."""
        concurrency = self._settings.concurrency
        while self._waiters and (concurrency is None or self.in_flight < concurrency):
            waiter = self._waiters[0]
            wait_s = self.wait_s(waiter.tokens)
            if wait_s > 0.0:
                self._wake_in(wait_s)
                return
            self._waiters.popleft()
            if not waiter.granted.done():
                waiter.granted.set_result(self._take(waiter.tokens))

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._pump)


def _refusal(detail: str, retry_after_s: float | None = None) -> Failure:
    return Failure(AbsentReason.POLICY_RATE_LIMITED, detail, retry_after_s=retry_after_s)
