# SPDX-License-Identifier: Apache-2.0
import inspect
import json
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from consilience import (
    Absent,
    AbsentReason,
    Admin,
    AsyncAdmin,
    AsyncClient,
    BookDelta,
    BookSnapshot,
    Client,
    CostSource,
    DecisionAction,
    Durability,
    MarketControl,
    MarketEvent,
    MarketFeatures,
    MarketNotice,
    MarketNoticeKind,
    MarketSignal,
    MarketTrade,
    MemberArrived,
    Prediction,
    PredictionFailure,
    PredictionStarted,
    PredictionState,
    Question,
    ReplayVerdict,
)
from tests.sdk.conftest import Ask, Served


async def test_predict_reads_every_part_of_the_answer(ask: Ask) -> None:
    prediction = await ask("predict", Question(id="q1"))
    assert str(prediction) == "71.4% YES (proceed, 1 of 2 answered)"
    assert prediction.by_outcome() == {"YES": 0.714, "NO": 0.286}
    assert (prediction.probability, prediction.probability_of("NO")) == (0.714, 0.286)
    assert prediction.decision.action is DecisionAction.PROCEED
    assert prediction.create_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert prediction.elapsed_s == pytest.approx(0.012)
    assert prediction.tags == {"run": "7"}
    assert prediction.message.question_id == prediction.question_id == "q1"


async def test_members_are_present_or_absent(ask: Ask) -> None:
    prediction = await ask("predict", "Will it rain?")
    early, late = prediction.member("early"), prediction.member("late")
    assert early.probability == 0.7
    assert early.forecast.usage.output == 12
    assert (early.latency_s, early.cost.usd) == (0.25, 1.5e-06)
    assert early.cost.source is CostSource.PROVIDER
    assert late.absent == Absent(AbsentReason.DEADLINE_EXCEEDED, "too late")
    assert (late.forecast, late.probability, late.latency_s, late.cost) == (None, None, None, None)


async def test_options_reach_the_server(ask: Ask, served: Served) -> None:
    await ask(
        "predict",
        "Will it?",
        ensemble="e",
        members=["a", "b"],
        pooling="linear",
        min_responses=0,
        min_agreement=0.5,
        max_cost_usd=Decimal("0.1"),
        durability=Durability.DEADLINE_FIRST,
        weights={"a": 2.0},
        tags={"run": "7"},
        member_timeout_s=0.25,
        request_id="mine",
    )
    request = served.answering.calls[0].request
    options = request.options  # type: ignore[attr-defined]
    assert (options.ensemble, list(options.members), options.pooling) == ("e", ["a", "b"], "linear")
    assert options.HasField("min_responses")
    assert options.max_cost_nano_usd == 100_000_000
    assert options.durability == 2
    assert (dict(options.weights), dict(options.tags)) == ({"a": 2.0}, {"run": "7"})
    assert options.member_timeout.ToMilliseconds() == 250
    assert not options.HasField("high_agreement")
    assert request.request_id == "mine"  # type: ignore[attr-defined]


async def test_an_unknown_option_is_named(ask: Ask) -> None:
    with pytest.raises(TypeError, match="unknown option 'pool'"):
        await ask("predict", "Will it?", pool="linear")


async def test_batch_keeps_the_order_and_the_failures(ask: Ask) -> None:
    first, second = await ask("batch_predict", ["Will it?", Question(id="unknown")])
    assert isinstance(first, Prediction)
    assert second == PredictionFailure("NOT_FOUND", "question 'unknown' is not known", "NOT_FOUND")


async def test_stream_ends_with_the_prediction(ask: Ask) -> None:
    started, arrived, missing, prediction = await ask("stream", "Will it?")
    assert started == PredictionStarted("p1", ("early", "late"), ("YES", "NO"))
    assert isinstance(arrived, MemberArrived)
    assert arrived.consensus.settled  # type: ignore[union-attr]
    assert missing.consensus is None
    assert isinstance(prediction, Prediction)


async def test_market_sends_events_singly_or_in_batches(ask: Ask, served: Served) -> None:
    book = BookSnapshot(np.array([101, 102]), np.array([5, 6]), [100], [7], tick_size=0.1, lot_size=0.01)
    signal, features, notice = await ask(
        "market",
        [
            MarketEvent("BTC", 1, book),
            [MarketEvent("BTC", 2, MarketControl()), MarketEvent("BTC", 3, MarketTrade(100, 2, True))],
        ],
    )
    assert isinstance(signal, MarketSignal)
    assert (signal.direction, signal.mid_ticks, signal.latency_s) == ("UP", 101.5, pytest.approx(8e-5))
    assert isinstance(features, MarketFeatures)
    np.testing.assert_array_equal(features.features.numpy(), np.array([1, 2], np.float32))  # type: ignore[union-attr]
    assert notice == MarketNotice("BTC", MarketNoticeKind.NO_SNAPSHOT, "", 0)
    sent = [len(call.request.events) for call in served.answering.calls]  # type: ignore[attr-defined]
    assert sent == [1, 2]
    levels = served.answering.calls[0].request.events[0].snapshot  # type: ignore[attr-defined]
    assert (list(levels.ask_ticks), list(levels.bid_lots)) == ([101, 102], [7])


async def test_a_fault_of_the_callers_own_events_comes_back(ask: Ask) -> None:
    def events() -> object:
        yield MarketEvent("BTC", 1, BookDelta([101], [6]))
        raise KeyError("tape is torn")

    with pytest.raises(KeyError, match="tape is torn"):
        await ask("market", events())


async def test_get_prediction_waits_on_top_of_the_deadline(ask: Ask, served: Served) -> None:
    stored = await ask("get_prediction", "p1", wait_s=10)
    assert stored.state is PredictionState.DONE
    assert stored.question.text == "Will it?"
    assert [answer.member for answer in stored.late_answers] == ["late"]
    assert 12 < (served.answering.calls[0].time_remaining_s or 0) < 12.8


async def test_questions_come_page_by_page(ask: Ask, served: Served) -> None:
    page = await ask("list_questions", page_size=7, category="c", contains="x")
    assert (len(page), page.next_page_token, page.total_size) == (7, "7", 120)
    every = await ask("questions")
    assert [question.id for question in every] == [f"q{i}" for i in range(120)]
    assert len(served.answering.calls) == 1 + 3


async def test_a_known_question_shows_what_happened(ask: Ask) -> None:
    question = await ask("get_question", "q7")
    assert question.resolution.outcome == "YES"
    assert question.resolution.fraction is None


async def test_admin(ask: Ask) -> None:
    status = await ask("admin.status")
    assert (status.version, status.mode, status.last_prediction) == ("0.1.0", "normal", None)
    assert status.ensembles[0].name == "quickstart"
    early, late = await ask("admin.members", "quickstart")
    assert (early.name, early.accuracy, early.mean_latency_s) == ("early", 0.5, None)
    assert not late.enabled


@pytest.mark.parametrize(("plain", "asynchronous"), [(Client, AsyncClient), (Admin, AsyncAdmin)])
def test_both_clients_have_the_same_methods(plain: type, asynchronous: type) -> None:
    def shape(kind: type) -> dict[str, list[str]]:
        return {
            name: [
                f"{p.name}:{p.kind.name}:{p.default}" for p in inspect.signature(method).parameters.values()
            ]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }

    assert shape(plain) == shape(asynchronous)


async def test_members_come_and_go(ask: Ask, served: Served) -> None:
    definition = {"kind": "chat", "provider": "own", "model": "new"}
    wishes = {"definition": definition, "weight": 2.0, "member_timeout_s": 1.5, "etag": "e1"}
    added = await ask("admin.add_member", "late", ensemble="quickstart", **wishes)
    assert (added.name, added.weight, added.timeout_s) == ("late", 2.0, 1.5)
    sent = served.answering.calls[-1].request
    assert (sent.ensemble, sent.etag, json.loads(sent.definition)) == ("quickstart", "e1", definition)
    await ask("admin.add_member", "known")
    assert served.answering.calls[-1].request.definition == ""
    assert not served.answering.calls[-1].request.member.HasField("timeout")
    with pytest.raises(ValueError, match="weight must be above 0"):
        await ask("admin.add_member", "known", weight=0.0)
    assert await ask("admin.remove_member", "late", ensemble="quickstart", etag="e2") is None
    sent = served.answering.calls[-1].request
    assert (sent.ensemble, sent.member, sent.etag) == ("quickstart", "late", "e2")


async def test_the_record(ask: Ask, served: Served) -> None:
    again = await ask("admin.replay", "p1")
    assert again.verdict is ReplayVerdict.EQUIVALENT
    assert (again.stored.question_id, again.differences) == ("q1", ())
    assert (again.stored_build, again.build) == ("one", "another")
    before = datetime(2026, 1, 2, tzinfo=UTC)
    assert await ask("admin.erase", "q1", before=before, reason="asked for") == 3
    sent = served.answering.calls[-1].request
    assert (sent.question_id, sent.reason) == ("q1", "asked for")
    assert sent.before_time.ToDatetime(tzinfo=UTC) == before
