# SPDX-License-Identifier: Apache-2.0
"""How a member has fared since the server started."""

from collections import Counter
from dataclasses import dataclass, field

from server.forecasting.prediction import MemberAnswer


@dataclass(slots=True)
class Standing:
    """Counts and sums of one member; means are None where they mean nothing."""

    answers: int = 0
    absences: Counter[str] = field(default_factory=Counter)
    accuracy: float | None = None
    profit_factor: float | None = None
    _latency_s: float = 0.0
    _timed: int = 0
    _nano_usd: int = 0
    _priced: int = 0

    def add(self, answer: MemberAnswer) -> None:
        """Count one answer or absence."""
        if answer.absent is not None:
            self.absences[answer.absent.reason.value] += 1
        else:
            self.answers += 1
        if answer.latency_s is not None:
            self._latency_s += answer.latency_s
            self._timed += 1
        if answer.answer.cost is not None:
            self._nano_usd += answer.answer.cost.nano_usd
            self._priced += 1

    @property
    def mean_latency_s(self) -> float | None:
        """Mean time of an answer."""
        return self._latency_s / self._timed if self._timed else None

    @property
    def mean_cost_nano_usd(self) -> int | None:
        """Mean cost of an answer."""
        return round(self._nano_usd / self._priced) if self._priced else None
