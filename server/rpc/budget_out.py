# SPDX-License-Identifier: Apache-2.0
"""Budgets for the wire."""

from consilience.v1 import admin_service_pb2 as pb
from server.engine.treasury import Restraint
from server.forecasting.money import BudgetStatus, Control
from server.rpc.times import duration, timestamp

_CONTROLS = {control: getattr(pb, f"SPENDING_CONTROL_{control.name}") for control in Control}


def budget_message(status: BudgetStatus, restraint: Restraint) -> pb.BudgetStatus:
    """A budget with what is left of it and what it does by itself."""
    budget = status.budget
    return pb.BudgetStatus(
        budget=pb.Budget(
            name=budget.name,
            scope=budget.scope,
            limit_nano_usd=budget.limit_nano_usd,
            window=None if budget.window is None else duration(budget.window.total_seconds()),
        ),
        settled_nano_usd=status.settled_nano_usd,
        reserved_nano_usd=status.reserved_nano_usd,
        window_start_time=None if status.window_start is None else timestamp(status.window_start),
        used=restraint.used,
        control=_CONTROLS[restraint.control],
    )
