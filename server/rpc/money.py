# SPDX-License-Identifier: Apache-2.0
"""What has been spent, what may be, and what a question would cost."""

from datetime import timedelta

from consilience.v1 import admin_service_pb2 as pb
from consilience.v1 import money_pb2, predict_service_pb2
from server.engine.changes import Change, Changes
from server.engine.predict import PredictionEngine
from server.engine.pricing import MemberPrice
from server.engine.treasury import Treasury
from server.forecasting.errors import NotFoundError, RecordError
from server.forecasting.forecast import Cost, CostSource
from server.forecasting.money import (
    MOST_NANO_USD,
    Budget,
    LedgerError,
    Spend,
    check_scope,
)
from server.rpc.budget_out import budget_message
from server.rpc.call import Call
from server.rpc.predict import request_from
from server.rpc.prediction_out import cost_message
from server.rpc.question_in import question_from
from server.rpc.rules import Rules

GROUPS = ("", "member", "provider", "category", "caller", "budget")
MAX_NAME = 128
MAX_SCOPE = 300
MAX_WINDOW_S = 10 * 365 * 86_400.0


class SpendHandlers:
    """The part of ``AdminService`` that is about money."""

    def __init__(self, treasury: Treasury, changes: Changes) -> None:
        self._treasury = treasury
        self._changes = changes

    async def get_spend(self, request: pb.GetSpendRequest, call: Call) -> pb.GetSpendResponse:
        """What has been spent, by group, and the state of every budget."""
        del call
        rules = Rules()
        start = rules.instant("start_time", request.start_time) if request.HasField("start_time") else None
        end = rules.instant("end_time", request.end_time) if request.HasField("end_time") else None
        if request.group_by not in GROUPS:
            known = ", ".join(name for name in GROUPS if name)
            rules.broken("group_by", f"{request.group_by!r} is not known; use {known}, or leave it out")
        rules.check()
        ledger = self._treasury.ledger
        try:
            spends = await ledger.spend(request.group_by, start, end)
            statuses = await ledger.status()
        except LedgerError as error:
            raise RecordError(str(error)) from error
        return pb.GetSpendResponse(
            spends=[_spend(spend) for spend in spends],
            budgets=[budget_message(status, self._treasury.control(status)) for status in statuses],
        )

    async def set_budget(self, request: pb.SetBudgetRequest, call: Call) -> pb.SetBudgetResponse:
        """Set a budget, or remove one; holds at once on every server of the database."""
        name = request.budget.name
        try:
            if request.remove:
                removed = await self._remove(request)
                await self._changes.note(Change("SetBudget", name, call.caller, {"removed": True}))
                return removed
            budget = _budget(request.budget)
            status = await self._treasury.ledger.set_budget(budget)
        except LedgerError as error:
            raise RecordError(str(error)) from error
        window_s = None if budget.window is None else budget.window.total_seconds()
        asked = {"scope": budget.scope, "limit_nano_usd": budget.limit_nano_usd, "window_s": window_s}
        await self._changes.note(Change("SetBudget", name, call.caller, asked))
        return pb.SetBudgetResponse(budget=budget_message(status, self._treasury.control(status)))

    async def _remove(self, request: pb.SetBudgetRequest) -> pb.SetBudgetResponse:
        rules = Rules()
        name = rules.text("budget.name", request.budget.name, MAX_NAME, least=1, printable=True)
        rules.check()
        if not await self._treasury.ledger.remove_budget(name):
            raise NotFoundError("budget", name, "GetSpend lists the known ones")
        return pb.SetBudgetResponse()


class EstimateHandlers:
    """The part of ``PredictService`` that is about money."""

    def __init__(self, engine: PredictionEngine) -> None:
        self._engine = engine

    async def estimate_cost(
        self, request: predict_service_pb2.EstimateCostRequest, call: Call
    ) -> predict_service_pb2.EstimateCostResponse:
        """What a question would cost; nobody is asked."""
        rules = Rules()
        question = question_from(request.question, rules)
        plain = predict_service_pb2.PredictRequest(options=request.options)
        (asked,) = request_from(plain, [question], call, rules)
        estimate = self._engine.estimate(asked)
        return predict_service_pb2.EstimateCostResponse(
            upper_bound=cost_message(estimate.bound),
            expected=cost_message(estimate.expected),
            members=[_member(price) for price in estimate.members],
        )


def _budget(message: pb.Budget) -> Budget:
    """A checked budget.

    Raises:
        InvalidRequestError: a field breaks a rule.
    """
    rules = Rules()
    name = rules.text("budget.name", message.name, MAX_NAME, least=1, printable=True)
    scope = rules.text("budget.scope", message.scope, MAX_SCOPE, printable=True)
    try:
        check_scope(scope)
    except ValueError as error:
        rules.broken("budget.scope", str(error))
    limit = int(rules.number("budget.limit_nano_usd", message.limit_nano_usd, 0, MOST_NANO_USD))
    window_s = None
    if message.HasField("window"):
        window_s = rules.seconds("budget.window", message.window, MAX_WINDOW_S)
        rules.number("budget.window", window_s, 1.0, MAX_WINDOW_S)
    rules.check()
    return Budget(name, scope, limit, None if window_s is None else timedelta(seconds=window_s))


def _spend(spend: Spend) -> pb.Spend:
    return pb.Spend(
        group=spend.group,
        settled_nano_usd=spend.settled_nano_usd,
        estimated_nano_usd=spend.estimated_nano_usd,
        reserved_nano_usd=spend.reserved_nano_usd,
        calls=spend.calls,
        unpriced_calls=spend.unpriced_calls,
    )


def _member(price: MemberPrice) -> predict_service_pb2.MemberCostEstimate:
    return predict_service_pb2.MemberCostEstimate(
        member=price.member,
        upper_bound=_estimated(price.once_nano_usd),
        expected=_estimated(price.expected_nano_usd),
        max_calls=price.max_calls,
    )


def _estimated(nano_usd: int | None) -> money_pb2.Cost | None:
    return cost_message(None if nano_usd is None else Cost(nano_usd, CostSource.ESTIMATE))
