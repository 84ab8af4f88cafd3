# SPDX-License-Identifier: Apache-2.0
"""The money of one query: every call is set aside in its limits and in the ledger before it is made."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from server.forecasting.forecast import Cost, CostSource, Forecast
from server.forecasting.money import Charge, LedgerError, Refusal, usd
from server.forecasting.purse import Hold, Refused

if TYPE_CHECKING:
    from server.engine.treasury import Account

#: Why a call was refused, where it was no budget's doing: values of the metric's label.
QUERY_LIMIT = "query"
STOPPED = "stopped"
OVERCHARGED = "overcharged"
UNPRICED = "unpriced"
LEDGER = "ledger"
REQUEST = "request"


@dataclass(slots=True)
class Allowance:
    """Most that may be spent by those who share it, in this process: a query, or a batch of them."""

    limit_nano_usd: int
    taken_nano_usd: int = 0

    @property
    def left_nano_usd(self) -> int:
        """What may still be taken."""
        return self.limit_nano_usd - self.taken_nano_usd


class QueryPurse:
    """A ``Purse``. ``allowances`` bound what goes out of it, the ledger's budgets all that is spent."""

    def __init__(self, account: "Account", allowances: tuple[Allowance, ...]) -> None:
        self._account = account
        self._allowances = allowances

    async def reserve(
        self, member: str, provider: str, nano_usd: int | None, *, callers_key: bool = False
    ) -> Hold | Refused:
        """See ``Purse``."""
        account = self._account
        objection = account.objection(member, nano_usd, callers_key=callers_key)
        if objection is not None:
            return account.refuse(member, *objection)
        bound = nano_usd or 0
        for allowance in self._allowances:
            if bound > allowance.left_nano_usd:
                return account.refuse(member, QUERY_LIMIT, _over_limit(allowance, bound))
        hold = Held(account, self._allowances, account.charge(member, provider, bound), nano_usd is not None)
        if callers_key:
            hold.billed_to_us = False
            return hold
        return await self._reserved(hold)

    async def _reserved(self, hold: "Held") -> Hold | Refused:
        """Have the ledger set it aside. What is raised meanwhile leaves nothing set aside."""
        account, charge = self._account, hold.charge
        try:
            refusal = await account.ledger.reserve(charge)
        except LedgerError as error:
            hold.drop()
            return account.refuse(charge.member, LEDGER, f"nothing may be spent: {error}")
        except BaseException:
            hold.drop()
            raise
        if refusal is not None:
            hold.drop()
            return account.refuse(charge.member, refusal.budget, _no_room(refusal, charge))
        return await self._claimed(hold) if account.claims else hold

    async def _claimed(self, hold: "Held") -> Hold | Refused:
        """Pay only if the request is ours, and not for what was paid before."""
        try:
            objection = await self._account.claimed(hold.charge.member)
        except BaseException:
            hold.settle(None)
            raise
        if not objection:
            return hold
        hold.settle(None)
        return self._account.refuse(hold.charge.member, REQUEST, objection)

    def paid(self, member: str) -> Forecast | None:
        """See ``Purse``."""
        return self._account.paid.get(member)

    def keep(self, member: str, forecast: Forecast) -> None:
        """See ``Purse``."""
        self._account.keep(member, forecast)

    def part(self, nano_usd: int) -> "QueryPurse":
        """See ``Purse``."""
        return QueryPurse(self._account, (*self._allowances, Allowance(nano_usd)))


class Held:
    """A ``Hold``."""

    def __init__(
        self, account: "Account", allowances: tuple[Allowance, ...], charge: Charge, is_bounded: bool
    ) -> None:
        self.charge = charge
        self.billed_to_us = True
        self._account = account
        self._allowances = allowances
        self._is_bounded = is_bounded
        self._settled: Cost | None = None
        self._is_open = True
        self._take(charge.nano_usd)

    def drop(self) -> None:
        """The ledger did not set it aside after all."""
        self._is_open = False
        self._take(-self.charge.nano_usd)

    def settle(self, cost: Cost | None, *, unpriced: bool = False) -> None:
        """See ``Hold``."""
        if not self._is_open:
            self._correct(cost)
            return
        self._is_open = False
        self._settled = cost
        self._take((cost.nano_usd if cost else 0) - self.charge.nano_usd)
        if self.billed_to_us:
            self._account.settled(self.charge, cost, is_bounded=self._is_bounded, unpriced=unpriced)

    def _correct(self, cost: Cost | None) -> None:
        guess = self._settled
        if cost is None or guess is None or guess.source is not CostSource.ESTIMATE:
            return
        if cost.source is CostSource.ESTIMATE:
            return
        self._settled = cost
        self._take(cost.nano_usd - guess.nano_usd)
        if self.billed_to_us:
            self._account.corrected(replace(self.charge, reserved=False), guess, cost)

    def _take(self, nano_usd: int) -> None:
        for allowance in self._allowances:
            allowance.taken_nano_usd += nano_usd


def _over_limit(allowance: Allowance, bound: int) -> str:
    return (
        f"the call may cost {usd(bound)}; of the limit of {usd(allowance.limit_nano_usd)} "
        f"{usd(max(0, allowance.left_nano_usd))} are left"
    )


def _no_room(refusal: Refusal, charge: Charge) -> str:
    return (
        f"the call may cost {usd(charge.nano_usd)}; budget {refusal.budget!r} "
        f"has {usd(refusal.left_nano_usd)} left"
    )
