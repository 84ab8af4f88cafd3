# SPDX-License-Identifier: Apache-2.0
"""Puts the provider's own figure in place of an estimate, for calls that can be looked up."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Cost, CostSource
from server.llm.attempts import Attempt

if TYPE_CHECKING:
    from server.llm.provider import Provider

_LOOK_UP_S = 5.0
#: Looked up this often before the estimate is left to stand.
_TRIES = 3


@dataclass(slots=True)
class _Open:
    attempt: Attempt
    tries: int = 0


class Reconciler:
    """Calls whose cost is an estimate and whose id is known. Bounded: the oldest give way."""

    def __init__(self) -> None:
        self._open: deque[_Open] = deque(maxlen=10_000)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, attempt: Attempt) -> None:
        """Look this one up later."""
        self._open.append(_Open(attempt))

    async def settle(self, provider: "Provider") -> None:
        """Look up all that are open; those not yet known to the provider stay for the next time."""
        for _ in range(len(self._open)):
            entry = self._open.popleft()
            nano_usd = await provider.look_up(entry.attempt, Deadline.after(_LOOK_UP_S, provider.clock))
            if nano_usd is not None:
                cost = Cost(nano_usd, CostSource.PROVIDER)
                if entry.attempt.hold is not None:
                    entry.attempt.hold.settle(cost)
                provider.observer.reconciled(entry.attempt, cost)
                continue
            entry.tries += 1
            if entry.tries < _TRIES:
                self._open.append(entry)
