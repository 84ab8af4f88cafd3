# SPDX-License-Identifier: Apache-2.0
"""All the money that a server may spend: accounts of predictions, controls of budgets, the alarm."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from server.engine.purse import OVERCHARGED, STOPPED, UNPRICED, Allowance, QueryPurse
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.forecast import Cost, Forecast
from server.forecasting.money import (
    ALL,
    SCOPED,
    BudgetStatus,
    Charge,
    Control,
    LedgerError,
    Payer,
    Thresholds,
    usd,
)
from server.forecasting.ports import Ledger, SpendObserver
from server.forecasting.purse import Refused

log = structlog.get_logger(__name__)

#: Scopes of budgets whose controls shape a whole question; a member's only refuse that member.
_WHOLE = frozenset({ALL, *SCOPED} - {"member"})


@dataclass(frozen=True, slots=True)
class SpendingTerms:
    """``allow_unpriced``: whether models may be asked whose price nobody knows; ``by_budget`` by name."""

    allow_unpriced: bool = False
    thresholds: Thresholds = Thresholds()
    by_budget: Mapping[str, Thresholds] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restraint:
    """The strictest control in force for a payer, and the budget whose it is.

    ``refuses``: it stops before the budget's end; at the end the ledger itself
    refuses, by what is left at that instant and not a moment ago.
    """

    control: Control = Control.NONE
    budget: str = ""
    used: float = 0.0
    refuses: bool = False


FREE = Restraint()


class Treasury:
    """One for each process. ``switch_off`` disables a member wherever it is one."""

    def __init__(
        self,
        ledger: Ledger,
        observers: Sequence[SpendObserver],
        switch_off: Callable[[str], None],
        clock: Clock,
        terms: SpendingTerms,
    ) -> None:
        self.ledger = ledger
        self.observers = observers
        self.terms = terms
        self.overcharged: set[str] = set()
        self._switch_off = switch_off
        self._clock = clock

    def open(self, payer: Payer) -> "Account":
        """An account for one prediction; one with a ``request_id`` takes that request."""
        account = Account(self, payer, self.restraint(payer))
        if payer.request_id:
            account.claim()
        return account

    def restraint(self, payer: Payer) -> Restraint:
        """What the budgets that cover this payer have come to, as of the ledger's last look."""
        strictest = FREE
        for status in self.ledger.budgets:
            if status.budget.scope.partition(":")[0] in _WHOLE and status.budget.covers(payer):
                own = self.control(status)
                if (own.control, own.used) > (strictest.control, strictest.used):
                    strictest = own
        return strictest

    def control(self, status: BudgetStatus) -> Restraint:
        """What one budget has come to."""
        name = status.budget.name
        used = status.used(self._clock.now())
        thresholds = self.terms.by_budget.get(name, self.terms.thresholds)
        control = thresholds.control(used)
        return Restraint(control, name, used, control is Control.STOP and thresholds.stop_at < 1.0)

    def watch(self) -> Sequence[tuple[BudgetStatus, Control]]:
        """See ``BudgetWatch``."""
        return [(status, self.control(status).control) for status in self.ledger.budgets]

    def alarm(self, charge: Charge, cost: Cost) -> None:
        """A call has cost more than could be: its member is asked no more until an operator says so."""
        log.error(
            "spending.bound_exceeded",
            member=charge.member,
            provider=charge.provider,
            bound=usd(charge.nano_usd),
            cost=usd(cost.nano_usd),
            mend="correct the member's price, then enable it with UpdateMember",
        )
        self.overcharged.add(charge.member)
        self._switch_off(charge.member)
        for observer in self.observers:
            observer.exceeded(charge, cost)

    def forgive(self, member: str) -> None:
        """Ask a member again that had cost more than could be."""
        self.overcharged.discard(member)


class Account:
    """The money of one prediction: who pays, what was charged, and whether the request is ours."""

    def __init__(self, treasury: Treasury, payer: Payer, restraint: Restraint) -> None:
        self.payer = payer
        self.ledger = treasury.ledger
        self.restraint = restraint
        self.paid: Mapping[str, Forecast] = {}
        #: Whether the request's answer is stored; told to the ledger at the end.
        self.recorded = False
        self._treasury = treasury
        self._allowances: tuple[Allowance, ...] = ()
        self._number = 0
        self._claim: asyncio.Task[Mapping[str, Forecast] | None] | None = None

    def purse(self, *allowances: Allowance) -> QueryPurse:
        """The prediction's purse; what an earlier attempt at the request has spent counts in it."""
        self._allowances = allowances
        return QueryPurse(self, allowances)

    def charge(self, member: str, provider: str, nano_usd: int) -> Charge:
        """A new charge."""
        self._number += 1
        return Charge(f"{self.payer.ticket}-{self._number}", self.payer, member, provider, nano_usd)

    def objection(self, member: str, nano_usd: int | None, *, callers_key: bool) -> tuple[str, str] | None:
        """Why the member may not be paid whatever is left: a word and a sentence."""
        if self.restraint.refuses and not callers_key:
            name, used = self.restraint.budget, self.restraint.used
            return STOPPED, f"budget {name!r} is {used:.0%} used: nobody is asked who costs money"
        if member in self._treasury.overcharged:
            return OVERCHARGED, "it has cost more than its upper bound; correct its price and enable it"
        if nano_usd is None and not self._treasury.terms.allow_unpriced:
            return UNPRICED, (
                "nobody knows what the model costs; set its price, for example "
                f"[forecasters.{member}.price] input = 1.0, output = 4.0 (USD per million tokens)"
            )
        return None

    def refuse(self, member: str, why: str, detail: str) -> Refused:
        """A call is not made."""
        for observer in self._treasury.observers:
            observer.refused(self.payer, member, why)
        return Refused(detail)

    def settled(self, charge: Charge, cost: Cost | None, *, is_bounded: bool, unpriced: bool) -> None:
        """A call has ended."""
        self.ledger.settle(charge, cost, unpriced=unpriced)
        if cost is None:
            return
        for observer in self._treasury.observers:
            observer.settled(charge, cost)
        if is_bounded and cost.nano_usd > charge.nano_usd:
            self._treasury.alarm(charge, cost)

    def corrected(self, charge: Charge, guess: Cost, cost: Cost) -> None:
        """The cost of a call that was booked as an estimate is known."""
        self.ledger.settle(charge, cost)
        for observer in self._treasury.observers:
            observer.corrected(charge, guess, cost)

    @property
    def claims(self) -> bool:
        """Whether there is a request to be taken first."""
        return self._claim is not None

    def claim(self) -> None:
        """Begin to take the request; whoever wants to pay waits for that, together with the reservations."""
        self._claim = asyncio.create_task(self._take(), name=f"claim {self.payer.request_id}")

    async def _take(self) -> Mapping[str, Forecast] | None:
        answers = await self.ledger.claim(self.payer)
        self.paid = answers or {}
        spent = sum(answer.cost.nano_usd for answer in self.paid.values() if answer.cost)
        for allowance in self._allowances:
            allowance.taken_nano_usd += spent
        return answers

    async def claimed(self, member: str) -> str:
        """Why a member must not be paid, empty where it may."""
        assert self._claim is not None  # noqa: S101 - asked only then
        try:
            answers = await asyncio.shield(self._claim)
        except LedgerError as error:
            return f"nothing may be spent: {error}"
        if answers is None:
            return "another server is answering the same request"
        if member in answers:
            return "an earlier attempt at the request has paid for its answer"
        if any(allowance.left_nano_usd < 0 for allowance in self._allowances):
            return "an earlier attempt at the request has used up its limit"
        return ""

    async def is_elsewhere(self, deadline: Deadline) -> bool:
        """Whether another server is answering the request.

        A ledger that cannot say so, or not by the deadline, lets nobody pay.
        """
        if self._claim is None:
            return False
        if not self._claim.done():
            await asyncio.wait({self._claim}, timeout=deadline.remaining_s())
        try:
            return self._claim.done() and self._claim.result() is None
        except LedgerError:
            return False

    async def take_over(self, deadline: Deadline) -> bool:
        """Claim the request again; whether that worked by the deadline."""
        self.claim()
        elsewhere = await self.is_elsewhere(deadline)
        return self._claim is not None and self._claim.done() and not elsewhere

    def keep(self, member: str, forecast: Forecast) -> None:
        """Remember a paid answer for another attempt at the same request."""
        if self._claim is not None and member not in self.paid:
            self.ledger.keep(self.payer, member, forecast)

    async def __aenter__(self) -> "Account":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the request; cancelled while it was being taken, it is let go of all the same."""
        if self._claim is None:
            return
        if self._claim.done():
            self._let_go(self._claim)
        else:
            self._claim.add_done_callback(self._let_go)

    def _let_go(self, claim: "asyncio.Task[Mapping[str, Forecast] | None]") -> None:
        if not claim.cancelled() and claim.exception() is None and claim.result() is not None:
            self.ledger.finish(self.payer, recorded=self.recorded)
