# SPDX-License-Identifier: Apache-2.0
"""The calls about money, as values."""

from datetime import datetime, timedelta
from decimal import Decimal

from consilience import options as asking
from consilience._calls import Call
from consilience._settings import Settings
from consilience._times import to_duration, to_timestamp
from consilience.options import Options, to_nano_usd
from consilience.question import Question, to_message
from consilience.spending import BudgetStatus, CostEstimate, SpendReport
from consilience.v1 import admin_service_pb2 as admin
from consilience.v1 import predict_service_pb2 as predicting

_ADMIN = "/consilience.v1.AdminService/"


def estimate_cost(
    settings: Settings, question: Question | str, options: Options
) -> Call[predicting.EstimateCostResponse, CostEstimate]:
    """``PredictService.EstimateCost``."""
    return Call(
        "/consilience.v1.PredictService/EstimateCost",
        predicting.EstimateCostRequest(question=to_message(question), options=asking.to_message(options)),
        predicting.EstimateCostResponse,
        CostEstimate.from_message,
        settings.rpc_timeout_s(options.get("deadline_s")),
        settings.call_metadata(options.get("provider_keys")),
    )


def spend(
    settings: Settings,
    group_by: str,
    start: datetime | None,
    end: datetime | None,
    timeout_s: float | None,
) -> Call[admin.GetSpendResponse, SpendReport]:
    """``AdminService.GetSpend``."""
    return Call(
        _ADMIN + "GetSpend",
        admin.GetSpendRequest(
            start_time=None if start is None else to_timestamp("start", start),
            end_time=None if end is None else to_timestamp("end", end),
            group_by=group_by,
        ),
        admin.GetSpendResponse,
        SpendReport.from_message,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def set_budget(
    settings: Settings,
    name: str,
    limit_usd: float | Decimal,
    scope: str,
    window: timedelta | None,
    timeout_s: float | None,
) -> Call[admin.SetBudgetResponse, BudgetStatus]:
    """``AdminService.SetBudget``."""
    seconds = None if window is None else window.total_seconds()
    budget = admin.Budget(
        name=name,
        scope=scope,
        limit_nano_usd=to_nano_usd(limit_usd),
        window=None if seconds is None else to_duration("window", seconds),
    )
    return Call(
        _ADMIN + "SetBudget",
        admin.SetBudgetRequest(budget=budget),
        admin.SetBudgetResponse,
        lambda response: BudgetStatus.from_message(response.budget),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def remove_budget(
    settings: Settings, name: str, timeout_s: float | None
) -> Call[admin.SetBudgetResponse, None]:
    """``AdminService.SetBudget`` with ``remove``."""
    return Call(
        _ADMIN + "SetBudget",
        admin.SetBudgetRequest(budget=admin.Budget(name=name), remove=True),
        admin.SetBudgetResponse,
        lambda _: None,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )
