# SPDX-License-Identifier: Apache-2.0
"""From what is measured to the mode that it calls for."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.engine.modes.mode import Cause, Mode
from server.engine.modes.settings import DegradationSettings
from server.forecasting.money import ALL, BudgetStatus


@dataclass(frozen=True, slots=True)
class Signals:
    """What is measured; None where nothing is known. ``outage_s``: how long most paid members are out."""

    paid: int = 0
    in_trouble: int = 0
    outage_s: float = 0.0
    failed_records: float | None = None
    budget_left: float | None = None

    @property
    def measured(self) -> dict[str, float]:
        """For the status, by name."""
        known = {
            "paid_members": float(self.paid),
            "paid_members_in_trouble": float(self.in_trouble),
            "failed_records_share": self.failed_records,
            "budget_left_share": self.budget_left,
        }
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Call:
    """A mode that something calls for, and why."""

    mode: Mode
    cause: Cause
    reason: str


NOTHING = Call(Mode.NORMAL, Cause.NONE, "everything works")


def called_for(signals: Signals, settings: DegradationSettings, ease: float = 1.0) -> Call:
    """The worst mode that anything calls for; every threshold times ``ease``, 0..1, for leaving a mode."""
    calls = (
        _by_members(signals, settings, ease),
        _by_records(signals, settings, ease),
        _by_money(signals, settings, ease),
    )
    return max(calls, key=lambda call: call.mode)


def _by_members(signals: Signals, settings: DegradationSettings, ease: float) -> Call:
    if not signals.paid:
        return NOTHING
    share = signals.in_trouble / signals.paid
    reason = f"{signals.in_trouble} of {signals.paid} paid members are in trouble"
    if share >= settings.outage_share * ease:
        if signals.outage_s >= settings.long_outage_s:
            return Call(Mode.MARKET_ONLY, Cause.MEMBERS, f"{reason}, for {signals.outage_s:.0f} s")
        return Call(Mode.CACHED_ONLY, Cause.MEMBERS, reason)
    if share >= settings.reduced_share * ease:
        return Call(Mode.REDUCED, Cause.MEMBERS, reason)
    return NOTHING


def _by_records(signals: Signals, settings: DegradationSettings, ease: float) -> Call:
    share = signals.failed_records
    if share is None:
        return NOTHING
    reason = f"{share:.0%} of the records could not be written"
    if share >= settings.halt_records_share * ease:
        return Call(Mode.HALT, Cause.RECORDS, reason)
    if share >= settings.failed_records_share * ease:
        return Call(Mode.MARKET_ONLY, Cause.RECORDS, reason)
    return NOTHING


def _by_money(signals: Signals, settings: DegradationSettings, ease: float) -> Call:
    left = signals.budget_left
    if left is None:
        return NOTHING
    if left <= 0.0:
        return Call(Mode.CACHED_ONLY, Cause.MONEY, "the budget is spent")
    if left < min(1.0, settings.budget_low_share / ease):
        return Call(Mode.REDUCED, Cause.MONEY, f"{left:.0%} of the budget is left")
    return NOTHING


def budget_left_share(budgets: Sequence[BudgetStatus]) -> float | None:
    """What is left of the tightest budget that covers everything, as a share; None: there is none."""
    shares = [
        status.left_nano_usd / status.budget.limit_nano_usd if status.budget.limit_nano_usd else 0.0
        for status in budgets
        if status.budget.scope == ALL
    ]
    return min(shares, default=None)
