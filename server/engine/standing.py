# SPDX-License-Identifier: Apache-2.0
"""How a member has fared since the server started."""

import bisect
from collections import Counter, deque
from dataclasses import dataclass, field

from server.forecasting.forecast import NOBODYS_FAULT
from server.forecasting.prediction import MemberAnswer

#: Recent answers that the median and the share of failures look at.
WINDOW = 64


@dataclass(slots=True)
class Standing:
    """Counts, sums and a recent window of one member; means are None where they mean nothing."""

    answers: int = 0
    absences: Counter[str] = field(default_factory=Counter)
    accuracy: float | None = None
    profit_factor: float | None = None
    _latency_s: float = 0.0
    _timed: int = 0
    _nano_usd: int = 0
    _priced: int = 0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _sorted: list[float] = field(default_factory=list)
    _failed: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _attempts: int = 0

    def add(self, answer: MemberAnswer) -> None:
        """Count one answer or absence."""
        if answer.absent is not None:
            self.absences[answer.absent.reason.value] += 1
            if answer.absent.reason not in NOBODYS_FAULT:
                self._failed.append(True)
                self._attempts += 1
        else:
            self.answers += 1
            self._failed.append(False)
            self._attempts += 1
            if answer.latency_s is not None:
                self._time(answer.latency_s)
        if answer.answer.cost is not None:
            self._nano_usd += answer.answer.cost.nano_usd
            self._priced += 1

    def _time(self, latency_s: float) -> None:
        self._latency_s += latency_s
        self._timed += 1
        if len(self._recent) == WINDOW:
            del self._sorted[bisect.bisect_left(self._sorted, self._recent[0])]
        self._recent.append(latency_s)
        bisect.insort(self._sorted, latency_s)

    @property
    def samples(self) -> int:
        """Recent answers with a latency."""
        return len(self._sorted)

    @property
    def median_latency_s(self) -> float:
        """Median of the recent answers; needs at least one sample."""
        return self._sorted[len(self._sorted) // 2]

    def latency_quantile_s(self, share: float) -> float:
        """What this share of the recent answers did not exceed; needs at least one sample."""
        return self._sorted[min(int(share * len(self._sorted)), len(self._sorted) - 1)]

    @property
    def attempts(self) -> int:
        """How often it answered or failed by its own fault, since the start."""
        return self._attempts

    def failed_lately(self, attempts: int) -> int:
        """How many of the last so many attempts failed; of fewer, where there were fewer."""
        return sum(list(self._failed)[-attempts:]) if attempts else 0

    def is_out(self, least: int, share: float) -> bool:
        """Whether more than a share of the recent attempts failed, of which there were ``least``."""
        return len(self._failed) >= least and self.failure_share > share

    @property
    def failure_share(self) -> float:
        """Share of the recent attempts without a forecast, 0 without any."""
        return sum(self._failed) / len(self._failed) if self._failed else 0.0

    @property
    def mean_latency_s(self) -> float | None:
        """Mean time of an answer."""
        return self._latency_s / self._timed if self._timed else None

    @property
    def mean_cost_nano_usd(self) -> int | None:
        """Mean cost of an answer."""
        return round(self._nano_usd / self._priced) if self._priced else None
