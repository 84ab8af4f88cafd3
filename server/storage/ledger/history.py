# SPDX-License-Identifier: Apache-2.0
"""What has been entered for one charge, where its reservation is not open any more."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from server.storage.ledger.entries import SPENT, Kind
from server.storage.ledger.tables import ledger_entries

_entries = ledger_entries.c
_OF_CHARGE = select(
    _entries.kind, _entries.nano_usd, _entries.estimated, _entries.call_time_us
).where(_entries.charge_id == bindparam("of_charge"))  # fmt: skip

_TOLD = frozenset({Kind.SETTLE, Kind.EXCESS, Kind.LATE, Kind.UNPRICED})


@dataclass(frozen=True, slots=True)
class History:
    """``call_time_us``: instant of the call; None: nothing was ever entered.

    ``guessed_nano_usd``: what is booked as an estimate. ``is_guessed``: a call is booked
    for a dead process, of whatever amount. ``is_estimated``: the
    estimate was told by the caller, not made for a dead process. ``is_final``:
    nothing can change any more.
    """

    call_time_us: int | None
    guessed_nano_usd: int
    is_guessed: bool
    is_estimated: bool
    is_final: bool


def history_of(connection: Connection, charge_id: str) -> History:
    """Read it."""
    rows = connection.execute(_OF_CHARGE, {"of_charge": charge_id}).all()
    kinds = {row.kind for row in rows}
    told = [row for row in rows if row.kind in _TOLD]
    guessed = sum(row.nano_usd for row in rows if row.estimated and row.kind in SPENT)
    nothing = guessed == 0 and bool(kinds & {Kind.RELEASE, Kind.CORRECT})
    return History(
        call_time_us=rows[0].call_time_us if rows else None,
        guessed_nano_usd=guessed,
        is_guessed=Kind.LOST in kinds and Kind.CORRECT not in kinds,
        is_estimated=any(row.estimated for row in told),
        is_final=nothing or any(not row.estimated for row in told),
    )
