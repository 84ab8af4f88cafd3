# SPDX-License-Identifier: Apache-2.0
"""What is measured: failures of members and of records over the last seconds."""

from collections import deque
from collections.abc import Sequence
from math import inf

from server.forecasting.forecast import AbsentReason
from server.forecasting.prediction import MemberAnswer

_SLICES = 12

#: Absences that say something about the health of whoever was asked.
FAILURES = frozenset(
    {
        AbsentReason.PROVIDER_CONNECTION_FAILED,
        AbsentReason.PROVIDER_TIMEOUT,
        AbsentReason.PROVIDER_SERVER_ERROR,
        AbsentReason.PROVIDER_OVERLOADED,
        AbsentReason.PROVIDER_RATE_LIMITED,
        AbsentReason.PROVIDER_BILLING,
        AbsentReason.PROVIDER_AUTH_FAILED,
        AbsentReason.PROVIDER_BAD_OUTPUT,
        AbsentReason.CALLER_MODEL_UNKNOWN,
        AbsentReason.POLICY_CIRCUIT_OPEN,
        AbsentReason.INTERNAL,
    }
)


class Window:
    """Good and bad over the last ``length_s`` seconds, in slices."""

    def __init__(self, length_s: float) -> None:
        self._slice_s = length_s / _SLICES
        self._slices: deque[tuple[int, list[int]]] = deque()

    def add(self, now_s: float, *, good: bool) -> None:
        """Count one."""
        now = int(now_s / self._slice_s)
        if not self._slices or self._slices[-1][0] != now:
            self._slices.append((now, [0, 0]))
        self._slices[-1][1][good] += 1

    def counts(self, now_s: float) -> tuple[int, int]:
        """How many in all, and how many of them bad."""
        oldest = int(now_s / self._slice_s) - _SLICES
        while self._slices and self._slices[0][0] <= oldest:
            self._slices.popleft()
        bad = sum(counts[0] for _, counts in self._slices)
        return bad + sum(counts[1] for _, counts in self._slices), bad


class Health:
    """Failures of each member, by name, and of records."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._members: dict[str, Window] = {}
        self._answered_s: dict[str, float] = {}
        self.records = Window(window_s)

    def saw(self, members: Sequence[MemberAnswer], now_s: float, *, in_full: bool) -> None:
        """Count what became of each; ``in_full``: they had the time that the ensemble is meant to have."""
        for member in members:
            if member.absent is None:
                self._add(member.member, now_s, good=True)
            elif member.absent.reason in FAILURES or (
                in_full and member.absent.reason is AbsentReason.DEADLINE_EXCEEDED
            ):
                self._add(member.member, now_s, good=False)

    def _add(self, name: str, now_s: float, *, good: bool) -> None:
        window = self._members.get(name)
        if window is None:
            window = self._members[name] = Window(self._window_s)
        window.add(now_s, good=good)
        if good:
            self._answered_s[name] = now_s

    def answered_since(self, name: str, since_s: float) -> bool:
        """Whether a member has answered since then."""
        return self._answered_s.get(name, -inf) >= since_s

    def failure_share(self, name: str, now_s: float, least: int) -> float:
        """Share of a member's calls that failed; 0 with fewer than ``least``."""
        window = self._members.get(name)
        return 0.0 if window is None else (_share(window, now_s, least) or 0.0)

    def failed_records_share(self, now_s: float, least: int) -> float | None:
        """Share of the records that could not be written; None with fewer than ``least``."""
        return _share(self.records, now_s, least)


def _share(window: Window, now_s: float, least: int) -> float | None:
    calls, bad = window.counts(now_s)
    return bad / calls if calls >= least else None
