# SPDX-License-Identifier: Apache-2.0
"""Members under way: started one by one or all at once, collected as they answer, let go at the end.

The executions differ in when they start whom; everything else is here. A
member that ignores its cancellation cannot hold up the answer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from server.engine.asking import GUARD_S, Asked, ask, let_go
from server.engine.meaning import Meaning
from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent
from server.forecasting.ports import Forecaster
from server.forecasting.query import Query

#: How long a cancelled member may take to clean up before it is left behind.
GRACE_S = 0.02


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as execution sees it.

    ``hedge_delay_s``: when to ask it again, None for never; ``may_hedge`` is
    asked just before. ``instead`` says whom to ask then; None: the same.
    """

    name: str
    forecaster: Forecaster
    timeout_s: float
    hedge_delay_s: float | None = None
    may_hedge: Callable[[], bool] = lambda: False
    instead: Callable[[int], Forecaster] | None = None

    def asked(self, attempt: int) -> Forecaster:
        """Whom to ask with an attempt; 0 is the first."""
        return self.forecaster if not attempt or self.instead is None else self.instead(attempt)


#: Told of each answer by its seat's index; True: enough, stop asking.
Arrival = Callable[[int, Asked], bool]


class Fanout:
    """The attempts of one prediction. An asynchronous context: leaving it lets everyone go.

    Several attempts of one seat may be under way: the first forecast counts, an
    absence only once no other attempt of that seat is left.
    """

    def __init__(
        self,
        seats: Sequence[Seat],
        query: Query,
        deadline: Deadline,
        arrival: Arrival,
        order: Sequence[int] | None = None,
        width: int | None = None,
        meaning: Meaning | None = None,
    ) -> None:
        self.seats = seats
        self.order = range(len(seats)) if order is None else order
        self._width = len(seats) if width is None else width
        self._line = deque(self.order)
        self._lost = 0
        self._meaning = meaning
        self.deadline = deadline
        self._query = query
        self._arrival = arrival
        self._arrivals: asyncio.Queue[tuple[int, Asked]] = asyncio.Queue()
        self._tasks: list[list[asyncio.Task[None]]] = [[] for _ in seats]
        self._left = [0] * len(seats)
        self._begun_s = [0.0] * len(seats)
        self.answered = [False] * len(seats)

    async def __aenter__(self) -> "Fanout":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await let_go({task for tasks in self._tasks for task in tasks if not task.done()}, GRACE_S)

    def fill(self) -> list[int]:
        """Begin the next in line while there are places; a failed seat gives its place up."""
        begun = []
        while self._line and len(self.seats) - len(self._line) - self._lost < self._width:
            begun.append(self._line.popleft())
            self.start(begun[-1])
        return begun

    def start(self, index: int) -> None:
        """Begin an attempt of one seat."""
        seat = self.seats[index]
        forecaster = seat.asked(len(self._tasks[index]))
        task = asyncio.create_task(self._attempt(index, seat, forecaster), name=f"ask {seat.name}")
        if not self._tasks[index]:
            self._begun_s[index] = self.deadline.clock.monotonic()
        self._tasks[index].append(task)
        self._left[index] += 1

    async def _attempt(self, index: int, seat: Seat, forecaster: Forecaster) -> None:
        asked = await ask(seat.name, forecaster, self._query, seat.timeout_s, self.deadline)
        if self._meaning is not None:
            asked = replace(
                asked, answer=await self._meaning.compared(asked.answer, self._query, self.deadline)
            )
        self._arrivals.put_nowait((index, asked))

    def attempts(self, index: int) -> int:
        """How many attempts of a seat have begun."""
        return len(self._tasks[index])

    @property
    def under_way(self) -> bool:
        """Whether an unanswered seat still has an attempt under way."""
        return any(left and not done for left, done in zip(self._left, self.answered, strict=True))

    async def next(self, deadline: Deadline | None = None) -> bool | None:
        """Report the next answer; True: enough. None: none came by the deadline (else the fan-out's own)."""
        waiting = self._arrivals.empty()
        arrived = await self._wait(deadline or self.deadline) if waiting else self._arrivals.get_nowait()
        return None if arrived is None else self._report(*arrived)

    async def _wait(self, deadline: Deadline) -> tuple[int, Asked] | None:
        try:
            async with deadline.earlier(-2 * GUARD_S).timeout():
                return await self._arrivals.get()
        except TimeoutError:  # unless one came in the same instant
            return None if self._arrivals.empty() else self._arrivals.get_nowait()

    def _report(self, index: int, asked: Asked) -> bool:
        self._left[index] -= 1
        if self.answered[index] or (isinstance(asked.answer, Absent) and self._left[index]):
            return False
        self.answered[index] = True
        self._lost += isinstance(asked.answer, Absent)
        for rival in self._tasks[index]:
            rival.cancel()
        if self.attempts(index) > 1 and asked.latency_s is not None:
            begun_s = self._begun_s[index]
            asked = replace(asked, latency_s=self.deadline.clock.monotonic() - begun_s, begun_s=begun_s)
        return self._arrival(index, asked)

    async def all_arrive(self) -> bool:
        """Report answers until all are in, enough are (True), or time is up."""
        while self.under_way:
            enough = await self.next()
            if enough is None or enough:
                return bool(enough)
        return False
