# SPDX-License-Identifier: Apache-2.0
"""Leases: who lives, and what becomes of the reservations of those who do not.

A process that has something reserved or claimed renews its lease; when the
lease is over the process counts as dead. It may only have been away: what it
settles after that corrects what was booked for it.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.forecasting.money import usd
from server.storage.ledger.book import Book, reservation_of
from server.storage.ledger.entries import Kind
from server.storage.ledger.tables import ledger_owners, requests, reservations

log = structlog.get_logger(__name__)

#: Unfinished requests are remembered for a day.
KEEP_US = 86_400 * 10**6

_owner = ledger_owners.c.owner
_RENEW = update(ledger_owners).where(_owner == bindparam("me")).values(expire_time_us=bindparam("until"))
_DEAD = select(_owner).where(ledger_owners.c.expire_time_us < bindparam("now"), _owner != bindparam("me"))
_LIVING = select(_owner).where(_owner == bindparam("who"), ledger_owners.c.expire_time_us >= bindparam("now"))
_THEIRS = select(reservations).where(reservations.c.owner.in_(bindparam("dead", expanding=True)))
_BURY = delete(ledger_owners).where(_owner.in_(bindparam("dead", expanding=True)))
_MINE = select(reservations.c.charge_id).where(reservations.c.owner == bindparam("me")).limit(1)
_FORGET = delete(requests).where(requests.c.time_us < bindparam("before"))


@dataclass(slots=True)
class Lease:
    """``owner`` is this process; its lease lasts ``length_us`` from each renewal."""

    owner: str
    length_us: int
    renewed_us: int = 0

    def is_due(self, now_us: int) -> bool:
        """Whether it is time to renew it: a quarter of it is over, or the clock was set back."""
        return not 0 <= now_us - self.renewed_us <= self.length_us // 4


def renew(connection: Connection, lease: Lease, now_us: int) -> None:
    """Let the lease last from now."""
    until = {"me": lease.owner, "until": now_us + lease.length_us}
    if connection.execute(_RENEW, until).rowcount == 0:
        row = {"owner": lease.owner, "expire_time_us": now_us + lease.length_us}
        connection.execute(insert(ledger_owners), [row])


def lives(connection: Connection, owner: str, now_us: int) -> bool:
    """Whether a process's lease lasts."""
    return connection.execute(_LIVING, {"who": owner, "now": now_us}).first() is not None


def any_dead(connection: Connection, me: str, now_us: int) -> bool:
    """Whether there is something to sweep."""
    return connection.execute(_DEAD, {"me": me, "now": now_us}).first() is not None


def sweep(book: Book, kind: Kind) -> bool:
    """Close the reservations of dead processes, with entries of this kind; True: there were some."""
    found = book.connection.execute(_DEAD, {"me": book.owner, "now": book.now_us})
    dead = {"dead": list(found.scalars())}
    if not dead["dead"]:
        return False
    rows = book.connection.execute(_THEIRS, dead).all()
    for row in rows:
        book.close(reservation_of(row), kind)
    book.connection.execute(_BURY, dead)
    _tell(rows, kind)
    return bool(rows)


def forget(book: Book) -> None:
    """Forget requests that nobody came back for."""
    book.connection.execute(_FORGET, {"before": book.now_us - KEEP_US})


def leave(book: Book) -> None:
    """End the lease, unless something is still reserved: then it runs out by itself."""
    book.write()
    if book.connection.execute(_MINE, {"me": book.owner}).first() is None:
        book.connection.execute(_BURY, {"dead": [book.owner]})


def _tell(rows: Any, kind: Kind) -> None:
    if rows:
        amount = usd(sum(row.nano_usd for row in rows))
        log.warning("ledger.process_died", calls=len(rows), amount=amount, entered_as=kind.value)
