# SPDX-License-Identifier: Apache-2.0
"""Setting, configuring and removing budgets.

A budget from the configuration is applied when its text there has changed
since it was last applied. So an edit takes effect at the next start, and a
change made at run time outlives restarts until the configuration is edited.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, update

from server.forecasting.money import Budget, BudgetStatus
from server.storage.ledger.accounts import Account, start_of
from server.storage.ledger.book import Book
from server.storage.ledger.entries import Configure, RemoveBudget, SetBudget
from server.storage.ledger.spending import reserved_since, settled_since
from server.storage.ledger.tables import budgets

_named = budgets.c.name == bindparam("of_budget")
_REMOVE = update(budgets).where(_named).values(removed=True)
_DELETE = delete(budgets).where(_named)


def set_budget(book: Book, change: SetBudget) -> BudgetStatus:
    """Set a budget at run time."""
    account = book.accounts.by_name.get(change.budget.name)
    return _put(book, change.budget, account.configured if account else "").status


def remove_budget(book: Book, change: RemoveBudget) -> bool:
    """Remove a budget; a configured one is remembered as removed."""
    account = book.accounts.by_name.get(change.name)
    if account is None or account.removed:
        return False
    if account.configured:
        account.removed = True
        book.connection.execute(_REMOVE, {"of_budget": change.name})
    else:
        _delete(book, change.name)
    return True


def configure(book: Book, configured: Configure) -> None:
    """Apply what has changed in the configuration."""
    wanted = {budget.name: budget for budget in configured.budgets}
    for name, account in list(book.accounts.by_name.items()):
        if account.configured and name not in wanted:
            _delete(book, name)
    for name, budget in wanted.items():
        known = book.accounts.by_name.get(name)
        if known is None or known.configured != definition(budget):
            _put(book, budget, definition(budget))


def definition(budget: Budget) -> str:
    """What the configuration says of a budget, in one line."""
    window_us = None if budget.window is None else budget.window // timedelta(microseconds=1)
    return f"{budget.scope} {budget.limit_nano_usd} {window_us}"


def _put(book: Book, budget: Budget, configured: str) -> Account:
    """Write a budget, with its counters added up anew."""
    book.write()
    start_us = start_of(budget.window, book.now_us)
    account = Account(
        budget=budget,
        configured=configured,
        removed=False,
        window_start_us=start_us,
        settled=settled_since(book.connection, budget, start_us),
        reserved=reserved_since(book.connection, budget, start_us),
    )
    if budget.name in book.accounts.by_name:
        _delete(book, budget.name)
    book.connection.execute(insert(budgets), [_row(account)])
    book.accounts.by_name[budget.name] = account
    return account


def _delete(book: Book, name: str) -> None:
    book.connection.execute(_DELETE, {"of_budget": name})
    del book.accounts.by_name[name]


def _row(account: Account) -> dict[str, Any]:
    budget = account.budget
    return {
        "name": budget.name,
        "scope": budget.scope,
        "limit_nano_usd": budget.limit_nano_usd,
        "window_us": None if budget.window is None else budget.window // timedelta(microseconds=1),
        "configured": account.configured,
        "removed": account.removed,
        "window_start_us": account.window_start_us,
        "settled_nano_usd": account.settled,
        "reserved_nano_usd": account.reserved,
    }
