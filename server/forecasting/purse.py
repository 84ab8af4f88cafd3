# SPDX-License-Identifier: Apache-2.0
"""How a forecaster spends money: it asks the purse before each call, and says what the call has cost."""

from dataclasses import dataclass
from typing import Protocol

from server.forecasting.forecast import Cost


class Hold(Protocol):
    """Money set aside for one call."""

    def settle(self, cost: Cost | None) -> None:
        """The call has ended and cost this; None: nothing. Later calls do nothing. Never blocks or raises."""
        ...


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no money for the call; it must not be made."""

    detail: str


class Purse(Protocol):
    """The money of one query."""

    async def reserve(self, member: str, provider: str, nano_usd: int | None) -> Hold | Refused:
        """Set aside the most that one call can cost; None: nobody knows.

        Every hold must be settled, also that of a call that was never made.
        Cancelled, it leaves nothing set aside.
        """
        ...
