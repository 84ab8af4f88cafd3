# SPDX-License-Identifier: Apache-2.0
"""The ledger that the server uses: budgets, reservations and spend on either database."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from server.forecasting.errors import UnreadableError
from server.forecasting.forecast import Cost, CostSource, Forecast
from server.forecasting.money import (
    MOST_NANO_USD,
    Budget,
    BudgetStatus,
    Charge,
    LedgerError,
    Payer,
    Refusal,
    Spend,
)
from server.storage.database import Database
from server.storage.ledger import entries
from server.storage.ledger.accounts import Accounts
from server.storage.ledger.entries import Kind, Operation
from server.storage.ledger.owners import Lease, any_dead
from server.storage.ledger.post import Clock, Posted, Terms, post, shared_clock
from server.storage.ledger.spending import spend
from server.storage.ledger.writer import LedgerWriter
from server.storage.reading import read

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

#: A view of the budgets this fresh is trusted to say that none of them covers a charge.
FRESH_S = 0.25
#: Beats in the length of a lease: two may be late before the process counts as dead.
BEATS = 3

_ANSWER = TypeAdapter(Forecast)


class SqlLedger:
    """A ``Ledger``. Used on the event loop that opened it; open it with ``open_ledger``."""

    def __init__(
        self,
        database: Database,
        *,
        lease_s: float = 15.0,
        lost_calls: Literal["book", "release"] = "book",
        clock: Clock = shared_clock,
    ) -> None:
        self.lost_calls = lost_calls
        self._database = database
        lost = Kind.LOST if lost_calls == "book" else Kind.EXPIRE
        self._terms = Terms(Lease(secrets.token_hex(8), round(lease_s * 1e6)), lost, clock)
        self._writer = LedgerWriter(self._post)
        self._budgets: tuple[BudgetStatus, ...] = ()
        self._seen_s = float("-inf")
        self._open = 0
        self._beating = asyncio.create_task(self._beat(lease_s / BEATS), name="ledger-beat")

    @property
    def budgets(self) -> Sequence[BudgetStatus]:
        """All budgets as of the last look."""
        return self._budgets

    async def reserve(self, charge: Charge) -> Refusal | None:
        """See ``Ledger``. Where no budget covers the charge, nobody waits for the disk."""
        charge = _sane(charge)
        self._open += 1
        if self._surely_free(charge):
            self._writer.do_soon(entries.Reserve(charge))
            return None
        try:
            refusal: Refusal | None = await self._writer.do(entries.Reserve(charge))
        except BaseException:
            self.settle(charge, None)  # it may have been written all the same
            raise
        if refusal is not None:
            self._open -= 1
        return refusal

    def settle(self, charge: Charge, cost: Cost | None, *, unpriced: bool = False) -> None:
        """See ``Ledger``."""
        charge = _sane(charge)
        self._open -= charge.reserved
        nano_usd = min(max(cost.nano_usd, 0), MOST_NANO_USD) if cost else 0
        estimated = cost is not None and cost.source is CostSource.ESTIMATE
        self._writer.do_soon(entries.Settle(charge, nano_usd, estimated, unpriced))

    async def claim(self, payer: Payer) -> Mapping[str, Forecast] | None:
        """See ``Ledger``."""
        answers: dict[str, str] | None = await self._writer.do(entries.Claim(payer))
        if answers is None:
            return None
        self._open += 1
        return {member: forecast for member, text in answers.items() if (forecast := _decoded(text))}

    def keep(self, payer: Payer, member: str, forecast: Forecast) -> None:
        """See ``Ledger``."""
        self._writer.do_soon(entries.Keep(payer, member, _ANSWER.dump_json(forecast).decode()))

    def finish(self, payer: Payer, *, recorded: bool) -> None:
        """See ``Ledger``."""
        self._open -= 1
        self._writer.do_soon(entries.Finish(payer, recorded))

    async def status(self) -> Sequence[BudgetStatus]:
        """See ``Ledger``."""
        await self._writer.do(entries.Look())
        return self._budgets

    async def set_budget(self, budget: Budget) -> BudgetStatus:
        """See ``Ledger``."""
        status: BudgetStatus = await self._writer.do(entries.SetBudget(budget))
        return status

    async def remove_budget(self, name: str) -> bool:
        """See ``Ledger``."""
        removed: bool = await self._writer.do(entries.RemoveBudget(name))
        return removed

    async def start(self, budgets: Sequence[Budget] | None) -> None:
        """Bring the budgets to the configuration's, where that has changed; close what the dead left."""
        if budgets is not None:
            await self._writer.do(entries.Configure(tuple(budgets)))
        await self._writer.do(entries.Sweep())

    async def spend(
        self, group_by: str = "", start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[Spend]:
        """See ``Ledger``."""
        await self._writer.do(entries.Look())
        return await self._read(partial(spend, group_by=group_by, start=start, end=end))

    async def close(self) -> None:
        """Write what is waiting. The database stays open."""
        if not self._beating.done():
            self._beating.cancel()
            await asyncio.wait({self._beating})
            self._writer.do_soon(entries.Leave())
        await self._writer.close()

    def _surely_free(self, charge: Charge) -> bool:
        """Whether no budget covers the charge, by a view that is fresh."""
        if time.monotonic() - self._seen_s > FRESH_S or not self._writer.is_taking:
            return False
        return not any(status.budget.covers(charge) for status in self._budgets)

    async def _post(self, batch: Sequence[Operation], repeated: bool) -> Posted:
        posted = await self._database.write(partial(post, batch=batch, terms=self._terms, repeated=repeated))
        self._see(posted.budgets, time.monotonic())
        return posted

    def _see(self, budgets: tuple[BudgetStatus, ...], seen_s: float) -> None:
        """Take over a view of the budgets, unless there is a later one."""
        if seen_s >= self._seen_s:
            self._budgets, self._seen_s = budgets, seen_s

    async def _beat(self, every_s: float) -> None:
        """Renew the lease while something is open; look after budgets and the dead in any case."""
        while True:
            await asyncio.sleep(every_s)
            try:
                if self._open > 0:
                    await self._writer.do(entries.Beat())
                await self._look_around()
            except (LedgerError, UnreadableError) as error:
                log.warning("ledger.beat_failed", error=str(error))

    async def _look_around(self) -> None:
        begun_s = time.monotonic()
        budgets, dead = await self._read(partial(_view, terms=self._terms))
        self._see(budgets, begun_s)
        if dead:
            await self._writer.do(entries.Sweep())

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        return await read(self._database, work, "the ledger")


async def open_ledger(database: Database, budgets: Sequence[Budget] | None = None, **terms: Any) -> SqlLedger:
    """A ledger in an open, migrated database, with the configured budgets applied; None: left alone.

    ``terms`` are those of ``SqlLedger``.

    Raises:
        LedgerError: the database cannot be written.
    """
    ledger = SqlLedger(database, **terms)
    try:
        await ledger.start(budgets)
    except BaseException:
        await ledger.close()
        raise
    return ledger


def _view(connection: Connection, terms: Terms) -> tuple[tuple[BudgetStatus, ...], bool]:
    now_us = terms.clock(connection)
    return Accounts(connection, now_us).statuses, any_dead(connection, terms.lease.owner, now_us)


def _sane(charge: Charge) -> Charge:
    """A charge whose amount fits into the ledger."""
    if charge.nano_usd <= MOST_NANO_USD:
        return charge
    return Charge(charge.id, charge.payer, charge.member, charge.provider, MOST_NANO_USD, charge.reserved)


def _decoded(text: str) -> Forecast | None:
    try:
        return _ANSWER.validate_json(text)
    except ValidationError:
        return None  # of another version: it is asked again
