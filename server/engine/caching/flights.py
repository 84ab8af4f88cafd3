# SPDX-License-Identifier: Apache-2.0
"""Questions under way: equal ones share one asking, and nobody's hanging up harms the others."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from server.forecasting.deadline import Deadline
from server.forecasting.errors import DeadlineError
from server.forecasting.prediction import Prediction

#: The question as asked, and the market's price that the members were told.
FlightKey = tuple[bytes, float | None]
#: A flight with less than this share of the time that a newcomer has would give it a poorer answer.
_LEAST_TIME = 0.8


@dataclass(slots=True)
class _Flight:
    task: "asyncio.Task[Prediction]"
    deadline: Deadline
    budget_s: float
    aboard: int = 0


class Flights:
    """At most one asking for each key that others may join.

    The asking is a task of its own. It goes on while anybody waits for it, and
    is cancelled when the last one has gone.
    """

    def __init__(self) -> None:
        self._flights: dict[FlightKey, _Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def can_join(self, key: FlightKey, deadline: Deadline) -> bool:
        """Whether one is under way that lands before the deadline and was given about as much time."""
        flight = self._flights.get(key)
        return (
            flight is not None
            and flight.deadline.at_s <= deadline.at_s
            and flight.budget_s >= _LEAST_TIME * deadline.remaining_s()
        )

    async def join(self, key: FlightKey, deadline: Deadline) -> Prediction:
        """Wait for the one under way, no longer than the deadline.

        Raises:
            DeadlineError: it has not landed in time, for all it promised.
        """
        try:
            async with deadline.timeout():
                return await self._aboard(key, self._flights[key])
        except TimeoutError:
            raise DeadlineError("the shared answer did not come in time") from None

    async def begin(
        self, key: FlightKey, deadline: Deadline, ask: Callable[[], Awaitable[Prediction]]
    ) -> Prediction:
        """Ask, and let others join. Where one that cannot be joined is under way, ask beside it."""
        if key in self._flights:
            return await ask()

        async def run() -> Prediction:
            return await ask()

        flight = _Flight(asyncio.create_task(run(), name="shared question"), deadline, deadline.remaining_s())
        self._flights[key] = flight
        flight.task.add_done_callback(lambda task: self._landed(key, task))
        return await self._aboard(key, flight)

    async def _aboard(self, key: FlightKey, flight: _Flight) -> Prediction:
        flight.aboard += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.aboard -= 1
            if not flight.aboard and not flight.task.done():
                # Nobody may join any more: it will land without an answer.
                self._forget(key, flight)
                flight.task.cancel()

    def _forget(self, key: FlightKey, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _landed(self, key: FlightKey, task: "asyncio.Task[Prediction]") -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # whoever was aboard has been told; with nobody aboard it is nobody's business
