# SPDX-License-Identifier: Apache-2.0
"""The budgets of one transaction: read once, changed in memory, written back once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, bindparam, select, update

from server.forecasting.money import Budget, BudgetStatus, Charge, Refusal, window_start
from server.storage.ledger.tables import budgets
from server.storage.records import EPOCH, MICROSECOND, microseconds

_ALL = select(budgets)
_COUNTERS = (
    update(budgets)
    .where(budgets.c.name == bindparam("of_budget"))
    .values(
        window_start_us=bindparam("start"), settled_nano_usd=bindparam("settled"),
        reserved_nano_usd=bindparam("reserved"),
    )
)  # fmt: skip


@dataclass(slots=True)
class Account:
    """One budget and its counters; ``removed`` ones are only remembered."""

    budget: Budget
    configured: str
    removed: bool
    window_start_us: int
    settled: int
    reserved: int
    changed: bool = False

    def covers(self, charge: Charge) -> bool:
        """Whether the charge counts here."""
        return not self.removed and self.budget.covers(charge)

    def roll(self, now_us: int) -> None:
        """Begin the window that holds this instant, if it has begun; never an earlier one."""
        start_us = start_of(self.budget.window, now_us)
        if start_us > self.window_start_us:
            self.window_start_us, self.settled, self.reserved, self.changed = start_us, 0, 0, True

    @property
    def status(self) -> BudgetStatus:
        """For everyone else."""
        start = None if self.budget.window is None else instant(self.window_start_us)
        return BudgetStatus(self.budget, self.settled, self.reserved, start)


class Accounts:
    """All budgets. ``now_us`` is the present instant, never before the start of a window."""

    def __init__(self, connection: Connection, now_us: int) -> None:
        self._connection = connection
        self.by_name = {row.name: account_of(row) for row in connection.execute(_ALL)}
        for account in self.by_name.values():
            account.roll(now_us)
        self.now_us = max([now_us, *(account.window_start_us for account in self.by_name.values())])

    @property
    def statuses(self) -> tuple[BudgetStatus, ...]:
        """All that are not removed, by name."""
        return tuple(account.status for _, account in sorted(self.by_name.items()) if not account.removed)

    def refusal(self, charge: Charge) -> Refusal | None:
        """The first budget, by name, that has no room for the charge; None: all have."""
        for name, account in sorted(self.by_name.items()):
            left = account.budget.limit_nano_usd - account.settled - account.reserved
            if account.covers(charge) and left < charge.nano_usd:
                return Refusal(name, max(0, left))
        return None

    def add(self, charge: Charge, call_time_us: int, *, reserved: int = 0, settled: int = 0) -> None:
        """Change the counters of each budget that covers the charge in the window of the call."""
        for account in self.by_name.values():
            if account.covers(charge) and call_time_us >= account.window_start_us:
                account.reserved += reserved
                account.settled += settled
                account.changed = True

    def write(self) -> None:
        """Write the counters that changed."""
        changed = [
            {"of_budget": name, "start": a.window_start_us, "settled": a.settled, "reserved": a.reserved}
            for name, a in self.by_name.items()
            if a.changed
        ]
        if changed:
            self._connection.execute(_COUNTERS, changed)
        for account in self.by_name.values():
            account.changed = False


def account_of(row: Row[tuple[object, ...]]) -> Account:
    """An account from its row."""
    window = None if row.window_us is None else timedelta(microseconds=row.window_us)
    return Account(
        budget=Budget(row.name, row.scope, row.limit_nano_usd, window),
        configured=row.configured,
        removed=row.removed,
        window_start_us=row.window_start_us,
        settled=row.settled_nano_usd,
        reserved=row.reserved_nano_usd,
    )


def start_of(window: timedelta | None, now_us: int) -> int:
    """Start of the window that holds this instant; 0 where the window has no end."""
    start = window_start(window, instant(now_us))
    return 0 if start is None else microseconds(start)


def instant(time_us: int) -> datetime:
    """The instant so many microseconds after 1970 UTC."""
    return EPOCH + time_us * MICROSECOND
