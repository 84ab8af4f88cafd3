# SPDX-License-Identifier: Apache-2.0
"""Spend, budgets and estimates over a real port, on a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from consilience.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    money_pb2,
    predict_service_pb2,
    predict_service_pb2_grpc,
    prediction_pb2,
)
from consilience.v1 import question_pb2 as q
from server.engine.admin import Admin
from server.engine.changes import Changes
from server.engine.ensembles import Ensembles
from server.forecasting.money import Budget
from server.rpc.admin import AdminHandlers
from server.rpc.money import EstimateHandlers, SpendHandlers
from server.rpc.predict import PredictHandlers
from server.rpc.rules import EPOCH
from server.rpc.server import RpcServer
from server.rpc.settings import RpcSettings
from tests.engine.conftest import ensemble_of
from tests.engine.spending.conftest import Office, Offices, migrated, offices  # noqa: F401
from tests.engine.spending.payers import CENT, Paid
from tests.fakes import Catalogue, NoAuditLog, yes
from tests.rpc.errors import details

QUESTION = q.Question(id="q1", text="Will it rain?", category="weather")


@dataclass
class Running:
    office: Office
    channel: grpc.aio.Channel

    @property
    def admin(self) -> admin_service_pb2_grpc.AdminServiceStub:
        return admin_service_pb2_grpc.AdminServiceStub(self.channel)

    @property
    def predict(self) -> predict_service_pb2_grpc.PredictServiceStub:
        return predict_service_pb2_grpc.PredictServiceStub(self.channel)


@pytest.fixture
async def running(offices: Offices) -> AsyncIterator[Running]:  # noqa: F811
    ensemble = ensemble_of({"a": Paid("a", costs=(CENT // 2,)), "b": Paid("b"), "free": yes(0.7)}, "main")
    office = await offices.open(ensemble, budgets=(Budget("day", "all", 10 * CENT, timedelta(days=1)),))
    engine, treasury = office.engine, office.treasury
    admin = Admin(Ensembles([ensemble], "main"), engine, "test", EPOCH, "sqlite")
    changes = Changes(NoAuditLog())
    predicting = PredictHandlers(engine, office.store, Catalogue())
    services = [
        (
            predict_service_pb2.DESCRIPTOR.services_by_name["PredictService"],
            [predicting, EstimateHandlers(engine)],
        ),
        (
            admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"],
            [AdminHandlers(admin, office.store, changes), SpendHandlers(treasury, changes)],
        ),
    ]
    server = RpcServer(RpcSettings(listen="127.0.0.1:0", grace_s=5), services)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield Running(office, channel)
    await server.drain()


async def ask(running: Running, **options: object) -> predict_service_pb2.PredictResponse:
    wishes = prediction_pb2.PredictOptions(**options)  # type: ignore[arg-type]
    return await running.predict.Predict(
        predict_service_pb2.PredictRequest(question=QUESTION, options=wishes)
    )


async def test_spend_by_group_and_budgets(running: Running) -> None:
    await ask(running)
    found = await running.admin.GetSpend(admin_service_pb2.GetSpendRequest(group_by="member"))
    assert [(s.group, s.settled_nano_usd, s.calls) for s in found.spends] == [
        ("a", CENT // 2, 1),
        ("b", CENT, 1),
    ]
    (status,) = found.budgets
    assert status.budget.name == "day"
    assert status.budget.window.ToTimedelta() == timedelta(days=1)
    assert (status.settled_nano_usd, status.reserved_nano_usd) == (3 * CENT // 2, 0)
    assert status.used == pytest.approx(0.15)
    assert status.control == admin_service_pb2.SPENDING_CONTROL_NONE
    assert status.window_start_time.ToDatetime(tzinfo=UTC).hour == 0


async def test_every_group(running: Running) -> None:
    await ask(running)
    for group in ("", "provider", "category", "caller", "budget"):
        found = await running.admin.GetSpend(admin_service_pb2.GetSpendRequest(group_by=group))
        assert sum(spend.settled_nano_usd for spend in found.spends) == 3 * CENT // 2, group


async def test_spend_of_a_time(running: Running) -> None:
    await ask(running)
    request = admin_service_pb2.GetSpendRequest()
    request.end_time.FromDatetime(datetime(2020, 1, 1, tzinfo=UTC))
    (total,) = (await running.admin.GetSpend(request)).spends
    assert total.calls == 0


async def test_a_budget_set_now_holds_now(running: Running) -> None:
    budget = admin_service_pb2.Budget(name="bob", scope="category:weather", limit_nano_usd=CENT)
    made = await running.admin.SetBudget(admin_service_pb2.SetBudgetRequest(budget=budget))
    assert made.budget.budget == budget
    assert not made.budget.HasField("window_start_time")
    prediction = (await ask(running)).prediction
    assert prediction.cost.nano_usd <= CENT
    status = await running.admin.GetStatus(admin_service_pb2.GetStatusRequest())
    assert [one.budget.name for one in status.budgets] == ["bob", "day"]
    removal = admin_service_pb2.SetBudgetRequest(budget=admin_service_pb2.Budget(name="bob"), remove=True)
    assert not (await running.admin.SetBudget(removal)).HasField("budget")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.admin.SetBudget(removal)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert (await ask(running)).prediction.cost.nano_usd == 3 * CENT // 2


BAD = [
    ("budget.name", {"scope": "all"}),
    ("budget.scope", {"name": "b", "scope": "everybody"}),
    ("budget.scope", {"name": "b", "scope": "caller:"}),
    ("budget.limit_nano_usd", {"name": "b", "scope": "all", "limit_nano_usd": -1}),
    ("budget.limit_nano_usd", {"name": "b", "scope": "all", "limit_nano_usd": 10**16}),
    ("budget.window", {"name": "b", "scope": "all", "window": Duration()}),
    ("budget.window", {"name": "b", "scope": "all", "window": Duration(nanos=5)}),
]


async def test_bad_budgets_are_refused(running: Running) -> None:
    for field, budget in BAD:
        message = admin_service_pb2.Budget(**budget)  # type: ignore[arg-type]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.admin.SetBudget(admin_service_pb2.SetBudgetRequest(budget=message))
        assert list(details(caught.value)[0]) == [field], budget


async def test_an_unknown_group_is_refused(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.admin.GetSpend(admin_service_pb2.GetSpendRequest(group_by="colour"))
    assert list(details(caught.value)[0]) == ["group_by"]


async def test_a_ledger_that_is_closed_says_so(running: Running) -> None:
    await running.office.ledger.close()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.admin.GetSpend(admin_service_pb2.GetSpendRequest())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert details(caught.value)[1].reason == "RECORD_FAILED"


async def test_an_estimate_asks_nobody(running: Running) -> None:
    request = predict_service_pb2.EstimateCostRequest(question=QUESTION)
    made = await running.predict.EstimateCost(request)
    assert made.upper_bound.nano_usd == 2 * CENT
    assert made.upper_bound.source == money_pb2.COST_SOURCE_ESTIMATE
    assert {m.member: (m.upper_bound.nano_usd, m.max_calls) for m in made.members} == {
        "a": (CENT, 1),
        "b": (CENT, 1),
        "free": (0, 0),
    }
    assert (await running.office.total()).calls == 0
    await ask(running)
    after = await running.predict.EstimateCost(request)
    assert after.expected.nano_usd == 3 * CENT // 2, "from past use"
    low = prediction_pb2.PredictOptions(max_cost_nano_usd=7)
    request = predict_service_pb2.EstimateCostRequest(question=QUESTION, options=low)
    assert (await running.predict.EstimateCost(request)).upper_bound.nano_usd == 7


async def test_a_request_may_cost_no_more_than_it_says(running: Running) -> None:
    prediction = (await ask(running, max_cost_nano_usd=CENT)).prediction
    assert prediction.cost.nano_usd <= CENT
    batch = predict_service_pb2.BatchPredictRequest(
        questions=[QUESTION] * 4, options=prediction_pb2.PredictOptions(max_cost_nano_usd=2 * CENT)
    )
    results = (await running.predict.BatchPredict(batch)).results
    assert sum(result.prediction.cost.nano_usd for result in results) <= 2 * CENT
