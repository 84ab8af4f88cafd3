# SPDX-License-Identifier: Apache-2.0
"""How long before the deadline members are no longer waited for."""

from server.forecasting.deadline import Clock, Deadline

#: Seconds for which an answer that took long is remembered, at least; at most twice that.
MEMORY_S = 10.0
#: What is kept back for the next answers, as a multiple of what the slowest one took.
CAUTION = 1.5
#: Share of the time left that is kept back at most beyond what is configured.
LARGEST_SHARE = 0.25


class ReplyMargin:
    """Kept back for pooling, the record and the reply: as configured, or more where they took longer.

    A slow disk then costs the answers of the slowest members, and not all of them.
    """

    def __init__(self, configured_s: float, clock: Clock) -> None:
        self._configured_s = configured_s
        self._clock = clock
        self._since_s = clock.monotonic()
        self._before_s = 0.0
        self._slowest_s = 0.0

    def closing(self, deadline: Deadline) -> Deadline:
        """When to stop waiting for members so that the reply leaves by ``deadline``."""
        self._forget()
        careful_s = CAUTION * max(self._before_s, self._slowest_s)
        if careful_s > self._configured_s:
            careful_s = min(careful_s, LARGEST_SHARE * deadline.remaining_s())
        return deadline.earlier(max(self._configured_s, careful_s))

    def replied(self, closing: Deadline, closed_s: float) -> None:
        """An answer is ready, or given up, whose members were no longer waited for from ``closed_s`` on.

        Where that was after ``closing``, the process was late and this counts too.
        """
        self._forget()
        took_s = self._clock.monotonic() - min(closed_s, closing.at_s)
        self._slowest_s = max(self._slowest_s, took_s)

    def _forget(self) -> None:
        passed_s = self._clock.monotonic() - self._since_s
        if passed_s < MEMORY_S:
            return
        self._before_s = self._slowest_s if passed_s < 2 * MEMORY_S else 0.0
        self._slowest_s = 0.0
        self._since_s = self._clock.monotonic()
