# SPDX-License-Identifier: Apache-2.0
"""Money: what a call may cost, the budgets that bound it, and what was spent.

Amounts are integers, billionths of a US dollar.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

NANO_USD = 10**9
#: More than any call costs; a larger figure is a fault and is taken as this much.
MOST_NANO_USD = 10**15
#: Windows begin a whole number of lengths after this Monday, so that days begin at midnight UTC.
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)

ALL = "all"
#: What a budget may be limited to, by the first word of its scope; also fields of a ``Charge``.
SCOPED = ("category", "caller", "member")


class LedgerError(Exception):
    """The ledger cannot be written, so nothing may be spent."""


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose behalf money is spent; ``ticket`` is the prediction's id."""

    ticket: str
    caller: str = ""
    category: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """One call that costs money. ``nano_usd`` is the most that it can cost.

    ``id`` is unique over all processes for ever. ``reserved``: whether
    ``nano_usd`` was, or is to be, set aside first.
    """

    id: str
    payer: Payer
    member: str
    provider: str
    nano_usd: int
    reserved: bool = True

    @property
    def category(self) -> str:
        """The payer's."""
        return self.payer.category

    @property
    def caller(self) -> str:
        """The payer's."""
        return self.payer.caller


@dataclass(frozen=True, slots=True)
class Budget:
    """Most that may be spent on ``scope`` in each ``window``; None: ever.

    Scopes: ``all``, ``category:NAME``, ``caller:NAME``, ``member:NAME``.
    """

    name: str
    scope: str
    limit_nano_usd: int
    window: timedelta | None = None

    def covers(self, spender: "Charge | Payer") -> bool:
        """Whether a charge counts against it; of a payer alone no member is known."""
        kind, _, name = self.scope.partition(":")
        return kind == ALL or getattr(spender, kind, None) == name


def check_scope(scope: str) -> str:
    """The scope as it is.

    Raises:
        ValueError: it is none.
    """
    kind, colon, name = scope.partition(":")
    if scope == ALL or (kind in SCOPED and colon and name):
        return scope
    raise ValueError(f"{scope!r} is not a scope; write all, category:NAME, caller:NAME or member:NAME")


def window_start(window: timedelta | None, now: datetime) -> datetime | None:
    """Start of the window that holds ``now``; None where the window has no end."""
    return None if window is None else now - (now - MONDAY) % window


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A budget in its present window; ``window_start`` is None where the window has no end."""

    budget: Budget
    settled_nano_usd: int
    reserved_nano_usd: int
    window_start: datetime | None

    @property
    def left_nano_usd(self) -> int:
        """What may still be reserved, at least 0."""
        taken = self.settled_nano_usd + self.reserved_nano_usd
        return max(0, self.budget.limit_nano_usd - taken)

    def used(self, now: datetime) -> float:
        """Share of the limit that is settled or reserved; 0 once another window has begun."""
        start = window_start(self.budget.window, now)
        if start is not None and self.window_start is not None and start > self.window_start:
            return 0.0
        taken = self.settled_nano_usd + self.reserved_nano_usd
        return taken / self.budget.limit_nano_usd if self.budget.limit_nano_usd else 1.0


class Control(IntEnum):
    """What a budget does by itself as it is used up, mildest first."""

    NONE = 0
    #: Members are chosen by value per cost, for about half of the usual cost.
    CHEAPER = 1
    #: One member after the other, the best value first, until one is confident enough.
    CASCADE = 2
    #: Nobody is asked who costs money.
    STOP = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The shares of a budget at which its controls begin, ascending; more than 1: never."""

    cheaper_at: float = 0.75
    cascade_at: float = 0.9
    stop_at: float = 1.0

    def control(self, used: float) -> Control:
        """The control at this share of the budget."""
        if used >= self.stop_at:
            return Control.STOP
        if used >= self.cascade_at:
            return Control.CASCADE
        return Control.CHEAPER if used >= self.cheaper_at else Control.NONE


@dataclass(frozen=True, slots=True)
class Refusal:
    """A budget has no room for a charge: ``left_nano_usd`` is all that it has."""

    budget: str
    left_nano_usd: int


@dataclass(frozen=True, slots=True)
class Spend:
    """Money spent by one group; ``estimated_nano_usd`` is part of ``settled_nano_usd``.

    ``unpriced_calls``: those of the ``calls`` whose cost nobody knows; it is in no amount.
    """

    group: str
    settled_nano_usd: int = 0
    estimated_nano_usd: int = 0
    reserved_nano_usd: int = 0
    calls: int = 0
    unpriced_calls: int = 0


def usd(nano_usd: int) -> str:
    """For people: US dollars with two to six digits."""
    text = f"{nano_usd / NANO_USD:.6f}"
    return f"{text[:-4]}{text[-4:].rstrip('0')} USD"
