# SPDX-License-Identifier: Apache-2.0
"""Parallel execution: ask everyone at once, take answers as they come."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from server.engine.asking import GUARD_S, Asked, ask, let_go
from server.forecasting.deadline import Deadline
from server.forecasting.ports import Forecaster
from server.forecasting.query import Query

#: How long a cancelled member may take to clean up before it is left behind.
GRACE_S = 0.02


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as execution sees it."""

    name: str
    forecaster: Forecaster
    timeout_s: float


#: Told of each answer by its seat's index; True: enough, stop asking.
Arrival = Callable[[int, Asked], bool]
Execution = Callable[[Sequence[Seat], Query, Deadline, Arrival], Awaitable[None]]


async def parallel(seats: Sequence[Seat], query: Query, deadline: Deadline, arrival: Arrival) -> None:
    """Ask every seat at once and report each answer until all are in, enough are, or time is up.

    Whoever has not been reported on return is still out, and has been cancelled.
    A member that ignores its cancellation cannot hold up the answer.
    """
    arrivals: asyncio.Queue[tuple[int, Asked]] = asyncio.Queue()

    async def occupy(index: int, seat: Seat) -> None:
        arrivals.put_nowait((index, await ask(seat.name, seat.forecaster, query, seat.timeout_s, deadline)))

    tasks = {asyncio.create_task(occupy(i, seat), name=f"ask {seat.name}") for i, seat in enumerate(seats)}
    try:
        await _collect(arrivals, len(seats), deadline, arrival)
    finally:
        await let_go({task for task in tasks if not task.done()}, GRACE_S)


async def _collect(
    arrivals: "asyncio.Queue[tuple[int, Asked]]", count: int, deadline: Deadline, arrival: Arrival
) -> None:
    try:
        async with deadline.earlier(-2 * GUARD_S).timeout():
            for _ in range(count):
                if arrival(*await arrivals.get()):
                    return
    except TimeoutError:
        while not arrivals.empty():  # those that came in the same instant
            arrival(*arrivals.get_nowait())
