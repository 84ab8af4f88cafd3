# SPDX-License-Identifier: Apache-2.0
"""How much may still be used of something that fills up again: requests or tokens."""

from server.forecasting.deadline import Clock
from server.llm.wire.headers import RateLimit


class Allowance:
    """Our own allowance per minute and the provider's, whichever is smaller.

    Both are buckets that fill evenly. The provider's is known from its headers
    only until it says that it will be full, and then forgotten.
    """

    def __init__(self, per_minute: int | None, clock: Clock) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._level = float(per_minute or 0)
        self._filled_s = clock.monotonic()
        self._theirs: float | None = None
        self._their_rate = 0.0
        self._their_time_s = 0.0
        self._their_end_s = 0.0

    def wait_s(self, amount: float) -> float:
        """Seconds until ``amount`` may be taken; 0: now."""
        if self._per_minute is None and self._theirs is None:
            return 0.0
        now = self._clock.monotonic()
        return max(self._own_wait_s(amount, now), self._their_wait_s(amount, now))

    def take(self, amount: float) -> None:
        """Use so much; ``wait_s`` was 0."""
        self._level -= amount
        if self._theirs is not None:
            self._theirs -= amount

    def give_back(self, amount: float) -> None:
        """It was not used after all."""
        self._level += amount
        if self._theirs is not None:
            self._theirs += amount

    def observe(self, limit: RateLimit, taken_since: float) -> None:
        """The provider's word; ``taken_since`` was taken after the request that it answers."""
        now = self._clock.monotonic()
        self._theirs = float(limit.remaining) - taken_since
        self._their_rate = (limit.limit - limit.remaining) / limit.reset_s if limit.reset_s > 0 else 0.0
        self._their_time_s, self._their_end_s = now, now + limit.reset_s

    def _own_wait_s(self, amount: float, now: float) -> float:
        if self._per_minute is None:
            return 0.0
        rate = self._per_minute / 60.0
        self._level = min(float(self._per_minute), self._level + (now - self._filled_s) * rate)
        self._filled_s = now
        # Something larger than the whole bucket passes when the bucket is full.
        return max(0.0, min(amount, self._per_minute) - self._level) / rate

    def _their_wait_s(self, amount: float, now: float) -> float:
        if self._theirs is None:
            return 0.0
        if now >= self._their_end_s:
            self._theirs = None
            return 0.0
        left = self._theirs + (now - self._their_time_s) * self._their_rate
        if left >= amount:
            return 0.0
        until_full = self._their_end_s - now
        return min(until_full, (amount - left) / self._their_rate) if self._their_rate > 0 else until_full
