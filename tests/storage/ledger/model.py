# SPDX-License-Identifier: Apache-2.0
"""What a ledger must do, in the plainest words: one list of calls, added up anew each time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.forecasting.money import Budget, Charge, window_start


@dataclass
class Call:
    """One charge: what is reserved, what is booked, and how sure that is."""

    charge: Charge
    owner: int
    time: datetime
    reserved: int
    spent: int = 0
    state: str = "open"  # open, lost, estimated, final

    def settle(self, nano_usd: int, estimated: bool) -> None:
        """The first word counts, but an estimate gives way to the truth, and a guess to an estimate."""
        if self.state in {"open", "lost"} or (self.state == "estimated" and not estimated):
            self.reserved, self.spent = 0, nano_usd
            self.state = "estimated" if estimated and nano_usd else "final"


@dataclass
class Model:
    """All calls and budgets. ``heard``: when each owner last renewed its lease."""

    lease: timedelta
    now: datetime
    budgets: dict[str, Budget] = field(default_factory=dict)
    windows: dict[str, datetime] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    heard: dict[int, datetime] = field(default_factory=dict)

    def roll(self) -> None:
        """Begin the windows that have begun."""
        for name, budget in self.budgets.items():
            start = window_start(budget.window, self.now)
            if start is not None:
                self.windows[name] = max(self.windows[name], start)

    def sums(self, name: str) -> tuple[int, int]:
        """Settled and reserved in a budget's window."""
        budget, start = self.budgets[name], self.windows[name]
        calls = [c for c in self.calls.values() if budget.covers(c.charge) and c.time >= start]
        return sum(c.spent for c in calls), sum(c.reserved for c in calls)

    def has_room(self, charge: Charge) -> bool:
        """Whether all budgets can take the charge."""
        return all(
            sum(self.sums(name)) + charge.nano_usd <= budget.limit_nano_usd
            for name, budget in self.budgets.items()
            if budget.covers(charge)
        )

    def hear(self, owner: int) -> None:
        """An owner renews its lease once a quarter of it is over."""
        if owner not in self.heard or self.now - self.heard[owner] > self.lease / 4:
            self.heard[owner] = self.now

    def sweep(self, sweeper: int) -> None:
        """Book what the dead left, which the sweeper is not."""
        for call in self.calls.values():
            dead = call.owner != sweeper and self.now - self.heard[call.owner] > self.lease
            if call.state == "open" and dead:
                call.spent, call.reserved = call.reserved, 0
                call.state = "lost"
