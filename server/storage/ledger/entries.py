# SPDX-License-Identifier: Apache-2.0
"""What is asked of the ledger, and the kinds of entry that it makes of that."""

from dataclasses import dataclass
from enum import StrEnum

from server.forecasting.money import Budget, Charge, Payer


class Kind(StrEnum):
    """Kinds of entry. The reservations of a charge are all given back or settled: they sum to 0.

    reserve   set aside before the call
    settle    what the call cost, up to what was reserved
    release   what was reserved and not spent
    excess    what it cost beyond that
    late      cost of a call whose reservation was gone, or that had none
    lost      upper bound of a call whose process died, booked as an estimate
    expire    reservation of such a call, given back (where the terms say so)
    correct   takes back what was booked as an estimate, now that better is known
    unpriced  a call was made whose cost nobody knows; of no amount
    """

    RESERVE = "reserve"
    SETTLE = "settle"
    RELEASE = "release"
    EXCESS = "excess"
    LATE = "late"
    LOST = "lost"
    EXPIRE = "expire"
    CORRECT = "correct"
    UNPRICED = "unpriced"


#: Kinds whose sum is what was spent.
SPENT = (Kind.SETTLE, Kind.EXCESS, Kind.LATE, Kind.LOST, Kind.CORRECT, Kind.UNPRICED)
#: Kinds that count a call: as one, or as one less.
CALLS = (Kind.SETTLE, Kind.LATE, Kind.LOST, Kind.UNPRICED)
#: Kinds that, without an amount, count a call whose cost nobody knows.
UNKNOWN = (Kind.LOST, Kind.UNPRICED)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Set money aside."""

    charge: Charge


@dataclass(frozen=True, slots=True)
class Settle:
    """Book a call's cost and give back the rest. ``unpriced``: nobody knows what it has cost."""

    charge: Charge
    nano_usd: int
    estimated: bool
    unpriced: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """Take a request."""

    payer: Payer


@dataclass(frozen=True, slots=True)
class Keep:
    """Remember an answer, as JSON, for another attempt at the same request."""

    payer: Payer
    member: str
    answer: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Let go of a request."""

    payer: Payer
    recorded: bool


@dataclass(frozen=True, slots=True)
class SetBudget:
    """Set a budget at run time."""

    budget: Budget


@dataclass(frozen=True, slots=True)
class RemoveBudget:
    """Remove a budget at run time."""

    name: str


@dataclass(frozen=True, slots=True)
class Configure:
    """Bring the budgets to what the configuration says, where it has changed."""

    budgets: tuple[Budget, ...]


@dataclass(frozen=True, slots=True)
class Beat:
    """Say that this process lives."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Close what dead processes left open."""


@dataclass(frozen=True, slots=True)
class Look:
    """Nothing; its result comes once everything before it is written."""


@dataclass(frozen=True, slots=True)
class Leave:
    """This process ends in good order."""


Operation = (
    Reserve
    | Settle
    | Claim
    | Keep
    | Finish
    | SetBudget
    | RemoveBudget
    | Configure
    | Beat
    | Sweep
    | Look
    | Leave
)
#: Operations that leave something behind that others take for dead without a lease.
LEASED = (Reserve, Claim, Beat)
