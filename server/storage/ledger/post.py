# SPDX-License-Identifier: Apache-2.0
"""Posts a batch of operations in one transaction, under the ledger's lock."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

from server.forecasting.money import BudgetStatus, Refusal
from server.storage.ledger import limits, owners, requests
from server.storage.ledger.book import Book
from server.storage.ledger.entries import (
    LEASED,
    Beat,
    Claim,
    Configure,
    Finish,
    Keep,
    Kind,
    Leave,
    Look,
    Operation,
    RemoveBudget,
    Reserve,
    SetBudget,
    Settle,
    Sweep,
)
from server.storage.ledger.owners import Lease
from server.storage.ledger.tables import ledger_lock

#: Microseconds since 1970 UTC, by a clock that all processes share.
Clock = Callable[[Connection], int]

_LOCK = select(ledger_lock.c.id).with_for_update()
_DATABASE_TIME = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")


@dataclass(frozen=True, slots=True)
class Terms:
    """``lost``: the kind of entry for a call whose process died."""

    lease: Lease
    lost: Kind
    clock: Clock


@dataclass(frozen=True, slots=True)
class Posted:
    """One result for each operation, and the budgets as they were then."""

    results: Sequence[Any]
    budgets: tuple[BudgetStatus, ...]


def shared_clock(connection: Connection) -> int:
    """The machine's clock for SQLite, whose users are all on one machine; else the database's."""
    if connection.dialect.name == "sqlite":
        return time.time_ns() // 1000
    return int(connection.scalar(_DATABASE_TIME) or 0)


def post(connection: Connection, batch: Sequence[Operation], terms: Terms, *, repeated: bool) -> Posted:
    """Carry out all operations, in order, or none.

    Raises:
        Exception: the transaction did not succeed, as far as is known.
    """
    with connection.begin():
        if connection.dialect.name != "sqlite":  # which has but one writer at a time anyway
            connection.execute(_LOCK)
        book = Book(connection, terms.lease.owner, terms.clock(connection), repeated=repeated)
        book.look_up(operation for operation in batch if isinstance(operation, Settle))
        renewed = terms.lease.is_due(book.now_us) and any(isinstance(each, LEASED) for each in batch)
        if renewed:
            owners.renew(connection, terms.lease, book.now_us)
        requests.keep(book, _worth_keeping(batch))
        results = [_carry_out(book, operation, terms) for operation in batch]
        book.write()
    if renewed:
        terms.lease.renewed_us = book.now_us
    return Posted(results, book.accounts.statuses)


def _worth_keeping(batch: Sequence[Operation]) -> list[Keep]:
    """The answers to remember; where the request's own answer is stored meanwhile, nobody needs them."""
    done = {each.payer.ticket for each in batch if isinstance(each, Finish) and each.recorded}
    return [each for each in batch if isinstance(each, Keep) and each.payer.ticket not in done]


def _carry_out(book: Book, operation: Operation, terms: Terms) -> Any:
    if isinstance(operation, Reserve):
        return _reserve(book, operation, terms)
    return _ACTIONS[type(operation)](book, operation, terms)


def _reserve(book: Book, reserve: Reserve, terms: Terms) -> Refusal | None:
    """Reserve; where there is no room, look first whether a dead process takes it up."""
    refusal = book.reserve(reserve)
    if refusal is not None and owners.sweep(book, terms.lost):
        return book.reserve(reserve)
    return refusal


def _sweep(book: Book, _: Operation, terms: Terms) -> None:
    owners.sweep(book, terms.lost)
    owners.forget(book)


_ACTIONS: dict[type, Callable[[Book, Any, Terms], Any]] = {
    Settle: lambda book, operation, _: book.settle(operation),
    Claim: lambda book, operation, _: requests.claim(book, operation),
    Keep: lambda book, operation, _: None,  # all at once, before the others
    Finish: lambda book, operation, _: requests.finish(book, operation),
    SetBudget: lambda book, operation, _: limits.set_budget(book, operation),
    RemoveBudget: lambda book, operation, _: limits.remove_budget(book, operation),
    Configure: lambda book, operation, _: limits.configure(book, operation),
    Beat: lambda book, operation, _: None,
    Sweep: _sweep,
    Look: lambda book, operation, _: None,
    Leave: lambda book, operation, _: owners.leave(book),
}
