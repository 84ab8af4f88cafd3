# SPDX-License-Identifier: Apache-2.0
"""What a recording does not tell: how long an answer takes, what it costs, how often there is none.

All of it is declared by whoever runs the research and is called *simulated*
wherever it is shown. The answer itself is the recorded one.
"""

import asyncio
import hashlib
import math
from dataclasses import dataclass, replace
from statistics import NormalDist

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Cost, CostSource, Forecast
from server.forecasting.money import NANO_USD
from server.forecasting.ports import Forecaster
from server.forecasting.query import Query

_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Declared:
    """A model of one member's calls.

    Latency: log-normal with this median and 99th percentile, seconds; no median, no
    latency. ``failure_share`` of the calls fail after their latency. Every call costs
    ``cost_usd``, also one that fails or is cancelled.
    """

    latency_median_s: float | None = None
    latency_p99_s: float | None = None
    cost_usd: float | None = None
    failure_share: float = 0.0

    def latency_s(self, uniform: float) -> float:
        """The latency at a quantile in 0..1; 0 where none is declared."""
        if self.latency_median_s is None:
            return 0.0
        tail_s = max(self.latency_p99_s or self.latency_median_s, self.latency_median_s)
        spread = math.log(tail_s / self.latency_median_s) / _Z99
        return self.latency_median_s * math.exp(spread * _NORMAL.inv_cdf(min(max(uniform, 1e-9), 1 - 1e-9)))

    @property
    def nano_usd(self) -> int | None:
        """What a call costs, None where that is not declared."""
        return None if self.cost_usd is None else round(self.cost_usd * NANO_USD)


#: Nothing is declared: latency and cost are not known.
NOTHING = Declared()


@dataclass(slots=True)
class Meter:
    """What one question has set off: calls begun, and their simulated cost."""

    calls: int = 0
    nano_usd: int = 0


class MeteredForecaster:
    """A forecaster whose calls are counted, and take and cost what is declared.

    The same seed, member, question and attempt give the same latency and failure,
    whatever was asked before.
    """

    def __init__(self, name: str, inner: Forecaster, declared: Declared, seed: int, meter: Meter) -> None:
        self.identity = inner.identity
        self._name = name
        self._inner = inner
        self._declared = declared
        self._seed = seed
        self._meter = meter
        self._attempts: dict[str, int] = {}

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The inner answer, after the declared latency; or a declared failure."""
        attempt = self._attempts.get(query.question.id, 0)
        self._attempts[query.question.id] = attempt + 1
        answer = await self._inner.forecast(query, deadline)
        if isinstance(answer, Absent) and answer.reason is AbsentReason.NOT_APPLICABLE:
            return answer  # nobody would have been asked
        self._meter.calls += self.identity.kind != "market"  # a price is looked up, not called
        cost = self._cost()
        slow, fails = _uniforms(f"{self._seed}|{self._name}|{query.question.id}|{attempt}")
        if self._declared.latency_median_s is not None:
            await asyncio.sleep(self._declared.latency_s(slow))
        if fails < self._declared.failure_share:
            return Absent(AbsentReason.PROVIDER_SERVER_ERROR, "a declared failure", cost, attempts=1)
        if not isinstance(answer, Forecast):
            return answer
        timed = self._declared.latency_median_s is not None
        return replace(answer, cost=cost or answer.cost, recorded=answer.recorded and not timed)

    async def close(self) -> None:
        """The inner forecaster belongs to whoever made it."""

    def _cost(self) -> Cost | None:
        nano_usd = self._declared.nano_usd
        if nano_usd is None:
            return None
        self._meter.nano_usd += nano_usd
        return Cost(nano_usd, CostSource.SIMULATED)


def _uniforms(key: str) -> tuple[float, float]:
    """Two numbers in 0..1 that depend on the key alone."""
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    first, second = digest[:8], digest[8:]
    return int.from_bytes(first) / 2**64, int.from_bytes(second) / 2**64
