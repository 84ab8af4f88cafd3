# SPDX-License-Identifier: Apache-2.0
"""One transaction of the ledger: what each charge does to budgets, reservations and entries.

The transaction holds the ledger's lock from before the first read to the
commit, so nobody else's book is open at the same time.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import Connection, bindparam, delete, select

from server.forecasting.money import Charge, Payer, Refusal
from server.storage.ledger.accounts import Accounts
from server.storage.ledger.entries import Kind, Reserve, Settle
from server.storage.ledger.history import History, history_of
from server.storage.ledger.rows import Row, Rows
from server.storage.ledger.tables import ledger_entries, reservations

#: Ids in one statement at most.
CHUNK = 500

_FIND = select(reservations).where(reservations.c.charge_id.in_(bindparam("ids", expanding=True)))
_DELETE = delete(reservations).where(reservations.c.charge_id.in_(bindparam("ids", expanding=True)))
_PAYER = ("prediction_id", "member", "provider", "category", "caller", "request_id")
_RESERVATIONS = Rows(reservations, ("charge_id", "owner", "call_time_us", *_PAYER, "nano_usd"))
_ENTRIES = Rows(
    ledger_entries, ("time_us", "call_time_us", "kind", "charge_id", *_PAYER, "nano_usd", "estimated")
)


class Reservation(NamedTuple):
    """What is reserved for a charge, and since when."""

    charge: Charge
    call_time_us: int


class Book:
    """Operations change it in memory; ``write`` writes everything at once.

    ``repeated``: this batch may have been written before, without our having
    heard of it; every operation then looks whether it was.
    """

    def __init__(self, connection: Connection, owner: str, now_us: int, *, repeated: bool) -> None:
        self.connection = connection
        self.owner = owner
        self.repeated = repeated
        self.accounts = Accounts(connection, now_us)
        self.now_us = self.accounts.now_us
        self._open: dict[str, Reservation] = {}
        self._new: dict[str, Reservation] = {}
        self._closed: list[str] = []
        self._entries: list[Row] = []

    def look_up(self, settlements: Iterable[Settle]) -> None:
        """Read the reservations that will be settled."""
        ids = [settlement.charge.id for settlement in settlements if settlement.charge.reserved]
        for chunk in chunks(ids):
            for row in self.connection.execute(_FIND, {"ids": chunk}):
                self._open[row.charge_id] = reservation_of(row)

    def reserve(self, reserve: Reserve) -> Refusal | None:
        """Set money aside in every budget that covers the charge, or in none."""
        charge = reserve.charge
        if self.repeated and self._history(charge.id).call_time_us is not None:
            return None
        refusal = self.accounts.refusal(charge)
        if refusal is None:
            self.accounts.add(charge, self.now_us, reserved=charge.nano_usd)
            self._new[charge.id] = Reservation(charge, self.now_us)
            self.enter(Kind.RESERVE, charge, charge.nano_usd, self.now_us)
        return refusal

    def settle(self, settle: Settle) -> None:
        """Book what a call has cost, and give back the rest."""
        reservation = self._taken(settle.charge)
        if reservation is None:
            self._settle_late(settle)
            return
        charge, call_time_us = reservation
        within = min(settle.nano_usd, charge.nano_usd)
        self.accounts.add(charge, call_time_us, reserved=-charge.nano_usd, settled=settle.nano_usd)
        amounts = {
            Kind.SETTLE: within,
            Kind.RELEASE: charge.nano_usd - within,
            Kind.EXCESS: settle.nano_usd - within,
        }
        for kind, nano_usd in amounts.items():
            # A call for which nothing was reserved is counted by a settlement of nothing.
            if nano_usd or (kind is Kind.SETTLE and settle.nano_usd):
                self.enter(kind, charge, nano_usd, call_time_us, estimated=settle.estimated)
        if settle.unpriced:
            self.enter(Kind.UNPRICED, charge, 0, call_time_us)

    def close(self, reservation: Reservation, kind: Kind) -> None:
        """Close a dead process's reservation: ``LOST`` books it, ``EXPIRE`` gives it back."""
        charge, call_time_us = reservation
        nano_usd = charge.nano_usd
        spent = nano_usd if kind is Kind.LOST else 0
        self.accounts.add(charge, call_time_us, reserved=-nano_usd, settled=spent)
        self._closed.append(charge.id)
        self.enter(kind, charge, nano_usd, call_time_us, estimated=kind is Kind.LOST)

    def enter(
        self, kind: Kind, charge: Charge, nano_usd: int, call_time_us: int, *, estimated: bool = False
    ) -> None:
        """Add an entry."""
        payer = _payer(charge)
        self._entries.append((self.now_us, call_time_us, kind.value, charge.id, *payer, nano_usd, estimated))

    def write(self) -> None:
        """Write what has changed. The book may be used on."""
        for chunk in chunks(self._closed):
            self.connection.execute(_DELETE, {"ids": chunk})
        if self._new:
            rows = [self._row(reservation) for reservation in self._new.values()]
            _RESERVATIONS.insert(self.connection, rows)
        if self._entries:
            _ENTRIES.insert(self.connection, self._entries)
        self.accounts.write()
        self._open.update(self._new)
        self._closed, self._new, self._entries = [], {}, []

    def _taken(self, charge: Charge) -> Reservation | None:
        """The charge's open reservation, which is open no longer."""
        if charge.id in self._new:
            return self._new.pop(charge.id)
        reservation = self._open.pop(charge.id, None)
        if reservation is not None:
            self._closed.append(charge.id)
        return reservation

    def _settle_late(self, settle: Settle) -> None:
        """Book a call whose reservation is gone or never was; an estimate gives way to the truth."""
        charge = settle.charge
        history = self._history(charge.id)
        if history.is_final or (settle.estimated and history.is_estimated):
            return
        call_time_us = self.now_us if history.call_time_us is None else history.call_time_us
        guess = history.guessed_nano_usd
        if guess or history.is_guessed:
            self.enter(Kind.CORRECT, charge, -guess, call_time_us, estimated=True)
        if settle.nano_usd:
            self.enter(Kind.LATE, charge, settle.nano_usd, call_time_us, estimated=settle.estimated)
        if settle.unpriced:
            self.enter(Kind.UNPRICED, charge, 0, call_time_us)
        self.accounts.add(charge, call_time_us, settled=settle.nano_usd - guess)

    def _history(self, charge_id: str) -> History:
        """Everything that was entered for a charge."""
        self.write()
        return history_of(self.connection, charge_id)

    def _row(self, reservation: Reservation) -> Row:
        charge, call_time_us = reservation
        return (charge.id, self.owner, call_time_us, *_payer(charge), charge.nano_usd)


def _payer(charge: Charge) -> Row:
    """Who pays for what, in the order of ``_PAYER``."""
    payer = charge.payer
    return (
        payer.ticket, charge.member, charge.provider, payer.category, payer.caller, payer.request_id,
    )  # fmt: skip


def reservation_of(row: sqlalchemy.Row[Any]) -> Reservation:
    """A reservation from its row."""
    payer = Payer(row.prediction_id, row.caller, row.category, row.request_id)
    return Reservation(Charge(row.charge_id, payer, row.member, row.provider, row.nano_usd), row.call_time_us)


def chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """The ids in lists that fit into a statement."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
