# SPDX-License-Identifier: Apache-2.0
"""How a forecaster spends money: it asks the purse before each call, and says what the call has cost."""

from dataclasses import dataclass
from typing import Protocol

from server.forecasting.forecast import Cost, Forecast


class Hold(Protocol):
    """Money set aside for one call."""

    def settle(self, cost: Cost | None, *, unpriced: bool = False) -> None:
        """The call has ended and cost this; None: nothing. Never blocks or raises.

        ``unpriced``, without a cost: it was made, and nobody knows what it has cost.

        Later calls do nothing, but that the truth takes the place of an estimate.
        """
        ...


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no money for the call; it must not be made."""

    detail: str


class Purse(Protocol):
    """The money of one query."""

    async def reserve(
        self, member: str, provider: str, nano_usd: int | None, *, callers_key: bool = False
    ) -> Hold | Refused:
        """Set aside the most that one call can cost; None: nobody knows.

        ``callers_key``: the provider bills the caller, whose own limit holds, and not us.
        Every hold must be settled, also that of a call that was never made.
        Cancelled, it leaves nothing set aside.
        """
        ...

    def paid(self, member: str) -> Forecast | None:
        """What the member answered to an earlier attempt at the same request, if that was paid for."""
        ...

    def keep(self, member: str, forecast: Forecast) -> None:
        """Remember a paid answer, should this attempt at the request not live to use it."""
        ...

    def part(self, nano_usd: int) -> "Purse":
        """At most so much of the same money: that of an ensemble within another."""
        ...
