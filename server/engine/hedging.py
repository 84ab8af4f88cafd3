# SPDX-License-Identifier: Apache-2.0
"""When a second attempt is worth it, and when there have been enough of them."""

from dataclasses import dataclass

from server.engine.standing import Standing
from server.forecasting.ensemble import EnsembleSpec

#: Answers of a member before its own median replaces the configured delay; attempts before an outage is one.
MIN_SAMPLES = 8
#: An allowance that is filled so far is not used up by what is merely slow.
PLENTY = 0.75
#: Where it is, the slowest calls are worth waiting for that make up so much of the allowed share;
#: the rest is for second hedges.
SLOWEST = 0.75
#: Share of recent attempts that may have failed; above it hedging would feed an outage.
MAX_FAILURE_SHARE = 0.5


@dataclass(slots=True)
class HedgeAllowance:
    """Caps second attempts at a share of first ones: each first earns ``share``, each second costs 1."""

    share: float
    burst: float = 10.0
    _earned: float = 1.0

    @property
    def is_scarce(self) -> bool:
        """Whether more has been spent lately than comes in."""
        return self._earned < PLENTY * self.burst

    def earn(self) -> None:
        """A first attempt was made."""
        self._earned = min(self._earned + self.share, self.burst)

    def spend(self) -> bool:
        """Take the price of a second attempt, if it is there."""
        if self._earned < 1.0:
            return False
        self._earned -= 1.0
        return True


def hedge_delay_s(
    spec: EnsembleSpec, standing: Standing, *, scarce: bool = False, elsewhere: bool = False
) -> float | None:
    """When to ask a member again: in multiples of its own median once that is known; None in an outage.

    Where latency is widely spread, more calls than may be hedged are later than that. Once the
    allowance runs low (``scarce``) it is kept for the slowest of them: the delay is then the
    quantile of the member's own latencies above which only so many lie as may be hedged.

    ``elsewhere``: the second attempt goes to another provider, which an outage of the
    member's own does not touch: then it is what keeps the member answering.
    """
    if not elsewhere and standing.is_out(MIN_SAMPLES, MAX_FAILURE_SHARE):
        return None
    if standing.samples < MIN_SAMPLES:
        return spec.hedge_delay_s
    delay_s = spec.hedge_multiple * standing.median_latency_s
    if scarce:
        delay_s = max(delay_s, standing.latency_quantile_s(1.0 - SLOWEST * spec.hedge_share))
    return delay_s
