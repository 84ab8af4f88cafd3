# SPDX-License-Identifier: Apache-2.0
"""Charges to make, and a clock that a test moves."""

import itertools
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from server.forecasting.forecast import Cost, CostSource
from server.forecasting.money import Budget, BudgetStatus, Charge, Payer
from server.storage.ledger.ledger import SqlLedger
from tests.storage.samples import NOON

_number = itertools.count()
DAY = timedelta(days=1)
LEASE = timedelta(hours=1)


class Time:
    """A ledger's clock."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self, _: Connection) -> int:
        return (self.now - datetime.fromtimestamp(0, NOON.tzinfo)) // timedelta(microseconds=1)


def charge(
    nano_usd: int,
    *,
    member: str = "gpt",
    caller: str = "alice",
    category: str = "politics",
    provider: str = "openai",
    request_id: str = "",
    reserved: bool = True,
) -> Charge:
    number = next(_number)
    payer = Payer(f"prediction-{number}", caller, category, request_id)
    return Charge(f"charge-{number}", payer, member, provider, nano_usd, reserved)


def paid(nano_usd: int) -> Cost:
    return Cost(nano_usd, CostSource.PROVIDER)


def guessed(nano_usd: int) -> Cost:
    return Cost(nano_usd, CostSource.ESTIMATE)


def budget(limit: int, scope: str = "all", window: timedelta | None = DAY, name: str = "b") -> Budget:
    return Budget(name, scope, limit, window)


async def taken(ledger: SqlLedger, name: str = "b") -> tuple[int, int]:
    """What is settled in a budget, and what is reserved."""
    status = await status_of(ledger, name)
    return status.settled_nano_usd, status.reserved_nano_usd


async def status_of(ledger: SqlLedger, name: str = "b") -> BudgetStatus:
    (found,) = [status for status in await ledger.status() if status.budget.name == name]
    return found


async def kinds(ledger: SqlLedger, charge_id: str) -> dict[str, int]:
    """A charge's entries: amount by kind."""

    def read(connection: Connection) -> dict[str, int]:
        query = text("SELECT kind, nano_usd FROM ledger_entries WHERE charge_id = :id")
        found = connection.execute(query, {"id": charge_id}).all()
        return {row.kind: row.nano_usd for row in found}

    await ledger.status()
    return await ledger._database.read(read)
