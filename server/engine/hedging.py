# SPDX-License-Identifier: Apache-2.0
"""When a second attempt is worth it, and when there have been enough of them."""

from dataclasses import dataclass

from server.engine.standing import Standing
from server.forecasting.ensemble import EnsembleSpec

#: Answers of a member before its own median replaces the configured delay.
MIN_SAMPLES = 8
#: Share of recent attempts that may have failed; above it hedging would feed an outage.
MAX_FAILURE_SHARE = 0.5


@dataclass(slots=True)
class HedgeAllowance:
    """Caps second attempts at a share of first ones: each first earns ``share``, each second costs 1."""

    share: float
    burst: float = 10.0
    _earned: float = 1.0

    def earn(self) -> None:
        """A first attempt was made."""
        self._earned = min(self._earned + self.share, self.burst)

    def spend(self) -> bool:
        """Take the price of a second attempt, if it is there."""
        if self._earned < 1.0:
            return False
        self._earned -= 1.0
        return True


def hedge_delay_s(spec: EnsembleSpec, standing: Standing) -> float | None:
    """When to ask a member again: in multiples of its own median once that is known; None in an outage."""
    if standing.failure_share > MAX_FAILURE_SHARE:
        return None
    if standing.samples < MIN_SAMPLES:
        return spec.hedge_delay_s
    return spec.hedge_multiple * standing.median_latency_s
