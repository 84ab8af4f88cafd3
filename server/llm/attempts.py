# SPDX-License-Identifier: Apache-2.0
"""What is told about every attempt: to the ledger, the metrics and the log."""

from dataclasses import dataclass, field
from typing import Protocol

import structlog

from server.forecasting.forecast import AbsentReason, Cost, TokenUsage
from server.forecasting.purse import Hold

_log = structlog.get_logger("consilience.llm")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request to one provider, ended. Times in seconds.

    ``reason`` is None if it brought an answer that could be used. ``cost`` is
    what it cost or, if its source is ESTIMATE, may have cost; None where it cost
    nothing or nobody can tell. ``key`` is a fingerprint, ``response_id`` the
    provider's name for the call, where it gave one. ``waited_s`` was spent in the
    limiter's queue before. ``first_word_s`` is the time to
    the first part of a streamed answer, ``bad_chunks`` counts the parts of a stream
    that could not be read and were skipped. ``hold`` is the money for it, already
    settled. Cancelled and timed-out attempts are told too: the sum of these costs
    is all that was spent.
    """

    member: str
    provider: str
    telemetry_name: str
    model: str
    answered_by: str
    key: str
    reason: AbsentReason | None
    detail: str
    status: int | None
    usage: TokenUsage | None
    cost: Cost | None
    latency_s: float
    stream: bool
    waited_s: float = 0.0
    first_word_s: float | None = None
    bad_chunks: int = 0
    response_id: str = ""
    caller: str = ""
    question_id: str = ""
    hold: Hold | None = field(default=None, repr=False, compare=False)


class AttemptObserver(Protocol):
    """Told about every attempt and every alert. Must neither block nor raise."""

    def attempted(self, attempt: Attempt) -> None:
        """An attempt has ended."""
        ...

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """Something needs an operator: a dead key, no money, an unknown model, an open circuit."""
        ...

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        """What an attempt that was told with an estimate has really cost."""
        ...


class AttemptLog:
    """Logs failures and alerts; successes leave no line."""

    def attempted(self, attempt: Attempt) -> None:
        """A line for a failure."""
        if attempt.reason is not None:
            # One that was let go, because another was quicker or the caller hung up, did not fail.
            let_go = attempt.reason is AbsentReason.CALLER_CANCELLED
            (_log.debug if let_go else _log.info)(
                "attempt let go" if let_go else "attempt failed",
                member=attempt.member,
                provider=attempt.provider,
                model=attempt.model,
                reason=attempt.reason.value,
                detail=attempt.detail,
                latency_s=round(attempt.latency_s, 3),
            )

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """A warning."""
        _log.warning(what, provider=provider, detail=detail)

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        """Nothing: it is money's business."""
