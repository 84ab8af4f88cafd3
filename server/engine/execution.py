# SPDX-License-Identifier: Apache-2.0
"""When each member is asked.

- parallel: everyone at once.
- sequential: one after the other, until those in hand agree.
- hedged: everyone at once, and a second attempt after whoever is slow.
- cascade: one after the other, until one is confident enough.
- value: one after the other, until the next is not worth its price.

Whoever is asked comes in the order of the plan. Where only so many are asked at
once, the next in line takes the place of one that fails.

Each returns when all are in, enough are, or time is up; whoever has not been
reported by then is still out and has been cancelled.
"""

from collections.abc import Awaitable, Callable

from server.engine.fanout import Fanout
from server.forecasting.deadline import Deadline

Execution = Callable[[Fanout], Awaitable[None]]

#: Attempts of one member, the first included.
MAX_ATTEMPTS = 3


async def parallel(fanout: Fanout) -> None:
    """Ask everyone at once, or as many as there are places."""
    fanout.fill()
    while fanout.under_way:
        enough = await fanout.next()
        if enough or enough is None:
            return
        fanout.fill()


async def sequential(fanout: Fanout) -> None:
    """Ask one after the other.

    The next is asked when one has answered, or has used up its share of the
    time that is left: one slow member must not cost all the others their turn.
    The slow one stays under way and still counts when it comes.
    """
    seats = len(fanout.seats)
    for place, index in enumerate(fanout.order):
        fanout.start(index)
        patience_s = fanout.deadline.remaining_s() / (seats - place)
        if await fanout.next(fanout.deadline.within(patience_s)):
            return
    await fanout.all_arrive()


async def hedged(fanout: Fanout) -> None:
    """Ask everyone at once; whoever is slow is asked again, at most twice, and the first answer counts."""
    clock = fanout.deadline.clock
    due: dict[int, float] = {}
    _begin(fanout, due, clock.monotonic())
    while fanout.under_way:
        until = Deadline(min([*due.values(), fanout.deadline.at_s]), clock)
        enough = await fanout.next(until)
        if enough or (enough is None and fanout.deadline.expired):
            return
        now_s = clock.monotonic()
        _begin(fanout, due, now_s)
        _hedge(fanout, due, now_s)


def _begin(fanout: Fanout, due: dict[int, float], now_s: float) -> None:
    """Fill the places, and plan when to ask again whoever was begun."""
    for index in fanout.fill():
        delay_s = fanout.seats[index].hedge_delay_s
        if delay_s is not None:
            due[index] = now_s + delay_s


def _hedge(fanout: Fanout, due: dict[int, float], now_s: float) -> None:
    """Send another attempt after each seat whose time has come, and plan the one after that."""
    for index, at_s in list(due.items()):
        if fanout.answered[index] or fanout.attempts(index) >= MAX_ATTEMPTS:
            del due[index]
        elif at_s <= now_s:
            seat = fanout.seats[index]
            due[index] = now_s + (seat.hedge_delay_s or 0.0)
            if seat.may_hedge():
                fanout.start(index)


#: By name.
EXECUTIONS: dict[str, Execution] = {
    "parallel": parallel,
    "sequential": sequential,
    "hedged": hedged,
    "cascade": sequential,
    "value": sequential,
}
