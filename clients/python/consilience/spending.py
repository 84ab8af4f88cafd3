# SPDX-License-Identifier: Apache-2.0
"""Money: what was spent, budgets, and what a question would cost. Amounts are exact, in nano US dollars."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from consilience._enums import Numbers
from consilience._times import to_datetime
from consilience.forecast import Cost
from consilience.v1 import admin_service_pb2, money_pb2, predict_service_pb2

__all__ = [
    "Budget",
    "BudgetStatus",
    "CostEstimate",
    "MemberCostEstimate",
    "Spend",
    "SpendReport",
    "SpendingControl",
]


class SpendingControl(StrEnum):
    """What a budget does by itself as it is used up, mildest first."""

    UNSPECIFIED = "unspecified"
    NONE = "none"
    CHEAPER = "cheaper"
    CASCADE = "cascade"
    STOP = "stop"


_CONTROLS = Numbers(SpendingControl, admin_service_pb2.SpendingControl, "SPENDING_CONTROL_")


@dataclass(frozen=True, slots=True)
class Budget:
    """Most that may be spent on a scope in each window; None: for ever."""

    name: str
    scope: str
    limit_nano_usd: int
    window: timedelta | None

    @classmethod
    def from_message(cls, message: admin_service_pb2.Budget) -> "Budget":
        """From the contract's message."""
        window = message.window.ToTimedelta() if message.HasField("window") else None
        return cls(message.name, message.scope, message.limit_nano_usd, window)


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A budget in its present window; ``used`` is the share of it that is settled or reserved."""

    budget: Budget
    settled_nano_usd: int
    reserved_nano_usd: int
    window_start: datetime | None
    used: float
    control: SpendingControl

    @property
    def left_nano_usd(self) -> int:
        """What may still be reserved, at least 0."""
        return max(0, self.budget.limit_nano_usd - self.settled_nano_usd - self.reserved_nano_usd)

    @classmethod
    def from_message(cls, message: admin_service_pb2.BudgetStatus) -> "BudgetStatus":
        """From the contract's message."""
        has_window = message.HasField("window_start_time")
        return cls(
            budget=Budget.from_message(message.budget),
            settled_nano_usd=message.settled_nano_usd,
            reserved_nano_usd=message.reserved_nano_usd,
            window_start=to_datetime(message.window_start_time) if has_window else None,
            used=message.used,
            control=_CONTROLS[message.control],
        )


@dataclass(frozen=True, slots=True)
class Spend:
    """Money spent by one group; ``estimated_nano_usd`` is part of ``settled_nano_usd``.

    ``unpriced_calls``: those of the ``calls`` whose cost nobody knows; it is in no amount.
    """

    group: str
    settled_nano_usd: int
    estimated_nano_usd: int
    reserved_nano_usd: int
    calls: int
    unpriced_calls: int

    @classmethod
    def from_message(cls, message: admin_service_pb2.Spend) -> "Spend":
        """From the contract's message."""
        return cls(
            message.group,
            message.settled_nano_usd,
            message.estimated_nano_usd,
            message.reserved_nano_usd,
            message.calls,
            message.unpriced_calls,
        )


@dataclass(frozen=True, slots=True)
class SpendReport:
    """What was spent, one entry for each group, and every budget as it is now."""

    spends: tuple[Spend, ...]
    budgets: tuple[BudgetStatus, ...]

    @classmethod
    def from_message(cls, message: admin_service_pb2.GetSpendResponse) -> "SpendReport":
        """From the contract's message."""
        return cls(
            tuple(map(Spend.from_message, message.spends)),
            tuple(map(BudgetStatus.from_message, message.budgets)),
        )


@dataclass(frozen=True, slots=True)
class MemberCostEstimate:
    """What one member costs; None: nobody knows. ``max_calls`` is 0 where it is free."""

    member: str
    upper_bound: Cost | None
    expected: Cost | None
    max_calls: int

    @classmethod
    def from_message(cls, message: predict_service_pb2.MemberCostEstimate) -> "MemberCostEstimate":
        """From the contract's message."""
        return cls(
            message.member,
            _cost(message.upper_bound, known=message.HasField("upper_bound")),
            _cost(message.expected, known=message.HasField("expected")),
            message.max_calls,
        )


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a question costs at most, and usually; None: a member has no known price."""

    upper_bound: Cost | None
    expected: Cost | None
    members: tuple[MemberCostEstimate, ...]

    @classmethod
    def from_message(cls, message: predict_service_pb2.EstimateCostResponse) -> "CostEstimate":
        """From the contract's message."""
        return cls(
            _cost(message.upper_bound, known=message.HasField("upper_bound")),
            _cost(message.expected, known=message.HasField("expected")),
            tuple(map(MemberCostEstimate.from_message, message.members)),
        )


def _cost(message: money_pb2.Cost, *, known: bool) -> Cost | None:
    return Cost.from_message(message) if known else None
