# SPDX-License-Identifier: Apache-2.0
"""What was spent, added up from the entries; and the budgets' sums, from the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, select, true

from server.forecasting.money import ALL, Budget, Spend
from server.storage.database import frozen
from server.storage.ledger.accounts import Accounts
from server.storage.ledger.entries import CALLS, SPENT, UNKNOWN, Kind
from server.storage.ledger.tables import ledger_entries, reservations
from server.storage.records import microseconds

#: What spend can be grouped by, beside "budget" and nothing.
COLUMNS = ("member", "provider", "category", "caller")

_entries = ledger_entries.c
_is_spent = _entries.kind.in_([kind.value for kind in SPENT])
_SETTLED = func.coalesce(func.sum(_entries.nano_usd), 0)
_ESTIMATED = func.coalesce(func.sum(case((_entries.estimated, _entries.nano_usd), else_=0)), 0)
_CALLS = func.coalesce(
    func.sum(
        case(
            (_entries.kind.in_([kind.value for kind in CALLS]), 1),
            (_entries.kind == Kind.CORRECT.value, -1),
            else_=0,
        )
    ),
    0,
)
_UNPRICED = func.coalesce(
    func.sum(
        case(
            (_entries.nano_usd != 0, 0),
            (_entries.kind.in_([kind.value for kind in UNKNOWN]), 1),
            (_entries.kind == Kind.CORRECT.value, -1),
            else_=0,
        )
    ),
    0,
)
_SPENT = (_SETTLED, _ESTIMATED, _CALLS, _UNPRICED)
_RESERVED = func.coalesce(func.sum(reservations.c.nano_usd), 0)


def settled_since(connection: Connection, budget: Budget, start_us: int) -> int:
    """Money spent in a budget's scope on calls made from this instant on."""
    where = and_(_is_spent, _entries.call_time_us >= start_us, in_scope(ledger_entries, budget.scope))
    return int(connection.scalar(select(_SETTLED).where(where)) or 0)


def reserved_since(connection: Connection, budget: Budget, start_us: int) -> int:
    """Money reserved in a budget's scope for calls made from this instant on."""
    where = and_(reservations.c.call_time_us >= start_us, in_scope(reservations, budget.scope))
    return int(connection.scalar(select(_RESERVED).where(where)) or 0)


def in_scope(table: Table, scope: str) -> ColumnElement[bool]:
    """The rows that a scope covers."""
    kind, _, name = scope.partition(":")
    return true() if kind == ALL else table.c[kind] == name


def spend(
    connection: Connection, group_by: str, start: datetime | None, end: datetime | None
) -> Sequence[Spend]:
    """Spend by group, in order of its name; of calls made in [start, end)."""
    with frozen(connection):  # or what is settled meanwhile is neither reserved nor spent
        if group_by in COLUMNS:
            return _by_column(connection, group_by, start, end)
        if group_by == "budget":
            budgets = [status.budget for status in Accounts(connection, 0).statuses]
            return [_total(connection, each.name, each.scope, start, end) for each in budgets]
        return [_total(connection, "", ALL, start, end)]


def _total(
    connection: Connection, name: str, scope: str, start: datetime | None, end: datetime | None
) -> Spend:
    where = and_(_is_spent, _within(ledger_entries, start, end), in_scope(ledger_entries, scope))
    settled, estimated, calls, unpriced = connection.execute(select(*_SPENT).where(where)).one()
    where = and_(_within(reservations, start, end), in_scope(reservations, scope))
    reserved = connection.scalar(select(_RESERVED).where(where)) or 0
    return Spend(name, int(settled), int(estimated), int(reserved), int(calls), int(unpriced))


def _by_column(
    connection: Connection, column: str, start: datetime | None, end: datetime | None
) -> Sequence[Spend]:
    group, holder = ledger_entries.c[column], reservations.c[column]
    spent = select(group, *_SPENT).group_by(group)
    found = {
        name: Spend(name, int(settled), int(estimated), 0, int(calls), int(unpriced))
        for name, settled, estimated, calls, unpriced in connection.execute(
            spent.where(_is_spent, _within(ledger_entries, start, end))
        )
    }
    held = select(holder, _RESERVED).where(_within(reservations, start, end)).group_by(holder)
    for name, reserved in connection.execute(held):
        found[name] = replace(found.get(name, Spend(name)), reserved_nano_usd=int(reserved))
    return [found[name] for name in sorted(found)]


def _within(table: Table, start: datetime | None, end: datetime | None) -> ColumnElement[bool]:
    bounds: list[ColumnElement[bool]] = [true()]
    if start is not None:
        bounds.append(table.c.call_time_us >= microseconds(start))
    if end is not None:
        bounds.append(table.c.call_time_us < microseconds(end))
    return and_(*bounds)
