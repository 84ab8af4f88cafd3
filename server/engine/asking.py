# SPDX-License-Identifier: Apache-2.0
"""Asking one member: its own limit on time, and every failure turned into a reason."""

import asyncio
from dataclasses import dataclass, replace

import structlog

from server.forecasting.answers import fault_in
from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.ports import Forecaster
from server.forecasting.purse import Purse
from server.forecasting.query import Query

log = structlog.get_logger(__name__)

#: A forecaster that watches its deadline gets this much longer to say what the
#: attempt cost before it is cut off.
GUARD_S = 0.005
#: How long before its deadline a forecaster may stop to clean up.
MARGIN_S = 0.05

#: Tasks that ignored their cancellation, held until they end.
_stuck: "set[asyncio.Task[None]]" = set()


@dataclass(frozen=True, slots=True)
class Asked:
    """A member's answer and how long it took; None where time means nothing.

    ``begun_s``: when it was asked, on the clock's monotonic scale; None: not known.
    """

    answer: Answer
    latency_s: float | None
    begun_s: float | None = None


async def ask(name: str, forecaster: Forecaster, query: Query, timeout_s: float, deadline: Deadline) -> Asked:
    """Ask one member. Only cancellation leaves this function as an exception."""
    begun_s = deadline.clock.monotonic()
    own = deadline.within(timeout_s)
    try:
        async with own.earlier(-GUARD_S).timeout():
            answer = await forecaster.forecast(query, own)
    except TimeoutError:
        answer = _late(deadline, timeout_s)
    except Exception as error:  # a member's fault must not harm the others
        log.error("member_failed", member=name, question=query.question.id, exc_info=error)
        answer = Absent(
            AbsentReason.INTERNAL, f"{type(error).__name__} in the forecaster; see the log", attempts=1
        )
    if query.purse is not None:
        answer = _paid(query.purse, name, forecaster, answer)
    return _checked(query, _told_apart(answer, deadline), begun_s, deadline.clock.monotonic() - begun_s)


def _paid(purse: Purse, name: str, forecaster: Forecaster, answer: Answer) -> Answer:
    """What an earlier attempt at the request has paid for, in place of an absence; else keep what is new."""
    if isinstance(answer, Absent):
        return purse.paid(name) or answer
    if answer.cost is not None and forecaster.identity.kind != "ensemble":  # whose members kept theirs
        purse.keep(name, answer)
    return answer


def _late(deadline: Deadline, timeout_s: float) -> Absent:
    if deadline.expired:
        return Absent(AbsentReason.DEADLINE_EXCEEDED, "the ensemble's deadline came first", attempts=1)
    return Absent(AbsentReason.PROVIDER_TIMEOUT, f"no answer within the member's {timeout_s:g} s", attempts=1)


def _told_apart(answer: Answer, deadline: Deadline) -> Answer:
    """A forecaster that stops in time calls that a timeout; whether it was the ensemble's is known here."""
    if not isinstance(answer, Absent) or answer.reason is not AbsentReason.PROVIDER_TIMEOUT:
        return answer
    late = deadline.earlier(MARGIN_S).expired
    return replace(answer, reason=AbsentReason.DEADLINE_EXCEEDED) if late else answer


def _checked(query: Query, answer: Answer, begun_s: float, latency_s: float) -> Asked:
    """The answer if its probabilities fit the question; a recording has no latency."""
    if isinstance(answer, Absent):
        return Asked(answer, latency_s if answer.attempts else None, begun_s)
    fault = fault_in(query.question, answer)
    if fault:
        return Asked(bad_output(answer, fault), latency_s, begun_s)
    return Asked(answer, None if answer.recorded else latency_s, begun_s)


def bad_output(forecast: Forecast, fault: str) -> Absent:
    """A forecast that cannot be used; its cost stays."""
    return Absent(AbsentReason.PROVIDER_BAD_OUTPUT, fault, forecast.cost, forecast.usage, forecast.attempts)


def cut_off() -> Asked:
    """A member that was still out when the ensemble's deadline came."""
    return Asked(
        Absent(AbsentReason.DEADLINE_EXCEEDED, "the ensemble's deadline came first", attempts=1), None
    )


def not_needed() -> Asked:
    """A member whose answer could not change the decision any more."""
    return Asked(Absent(AbsentReason.NOT_NEEDED, "the others had settled the answer"), None)


async def let_go(tasks: "set[asyncio.Task[None]]", grace_s: float) -> None:
    """Cancel tasks and wait a moment for them; one that will not stop is logged and left."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    _, stuck = await asyncio.wait(tasks, timeout=grace_s)
    _stuck.update(stuck)
    for task in stuck:
        task.add_done_callback(_stuck.discard)
        log.error("member_ignores_cancellation", task=task.get_name())
