# SPDX-License-Identifier: Apache-2.0
import math

import grpc
import numpy as np
import pytest

from consilience.v1 import admin_service_pb2 as admin
from consilience.v1 import forecast_pb2, prediction_pb2, tensor_pb2
from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import question_pb2 as q
from consilience.v1 import stream_service_pb2 as stream
from server.forecasting.forecast import Absent, AbsentReason, Forecast
from tests.fakes import Hanging, Saying
from tests.rpc.conftest import Running
from tests.rpc.errors import details


async def test_predict_stores_what_get_prediction_returns(running: Running) -> None:
    request = pb.PredictRequest(
        question=q.Question(id="known-1"),
        options=prediction_pb2.PredictOptions(tags={"desk": "fx"}),
        request_id="r-1",
    )
    prediction = (await running.predict.Predict(request)).prediction
    assert prediction.durable
    assert prediction.outcomes == ["YES", "NO"]
    assert math.fsum(prediction.probabilities) == pytest.approx(1)
    assert prediction.method.pooling == "log_odds"
    assert prediction.interval.low <= prediction.probabilities[0] <= prediction.interval.high
    assert dict(prediction.tags) == {"desk": "fx"}
    assert prediction.decision.action == prediction_pb2.DECISION_ACTION_PROCEED
    stored = await running.predict.GetPrediction(pb.GetPredictionRequest(prediction_id=prediction.id))
    assert stored.prediction == prediction
    assert stored.question.id == "known-1"
    assert stored.state == pb.PREDICTION_STATE_DONE
    assert (await running.predict.Predict(request)).prediction == prediction


async def test_get_prediction_of_nothing(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.predict.GetPrediction(pb.GetPredictionRequest(prediction_id="nope"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_nobody_answers(running: Running) -> None:
    for name in "abc":
        running.ensembles["quick"].forecasters[name] = Saying(
            Absent(AbsentReason.PROVIDER_OVERLOADED, "busy")
        )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.predict.Predict(pb.PredictRequest(question=q.Question(text="?")))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    info = details(caught.value)[1]
    assert info.reason == "NO_ANSWER"
    assert dict(info.metadata) == dict.fromkeys("abc", "provider_overloaded")


async def test_absent_members_carry_their_reason(running: Running) -> None:
    running.ensembles["quick"].forecasters["b"] = Hanging()
    options = prediction_pb2.PredictOptions(deadline={"nanos": 200_000_000})
    response = await running.predict.Predict(
        pb.PredictRequest(question=q.Question(text="?"), options=options)
    )
    member = response.prediction.members[1]
    assert member.absent.reason == forecast_pb2.ABSENT_REASON_DEADLINE_EXCEEDED


async def test_batch_keeps_order_and_isolates_failures(running: Running) -> None:
    questions = [q.Question(text="?"), q.Question(id="nowhere"), q.Question(id="known-1")]
    response = await running.predict.BatchPredict(pb.BatchPredictRequest(questions=questions))
    assert response.results[0].prediction.outcome == "YES"
    assert response.results[1].failure.reason == "NOT_FOUND"
    assert response.results[2].prediction.question_id == "known-1"


async def test_the_catalogue_is_paged(running: Running) -> None:
    seen, token = [], ""
    while True:
        page = await running.predict.ListQuestions(pb.ListQuestionsRequest(page_size=7, page_token=token))
        seen += [question.id for question in page.questions]
        token = page.next_page_token
        assert page.total_size == 31
        if not token:
            break
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 31
    weather = await running.predict.ListQuestions(pb.ListQuestionsRequest(category="weather"))
    assert [question.id for question in weather.questions] == ["known-1"]
    question = (await running.predict.GetQuestion(pb.GetQuestionRequest(question_id="known-1"))).question
    assert question.resolution.outcome == "YES"
    assert question.market_probability == 0.4


async def test_stream_predictions_ends_with_the_unary_answer(running: Running) -> None:
    request = stream.StreamPredictionsRequest(question=q.Question(id="known-1"))
    events = [event async for event in running.stream.StreamPredictions(request)]
    assert events[0].started.members == ["a", "b", "c"]
    assert sorted(event.arrived.answer.member for event in events[1:-1]) == ["a", "b", "c"]
    unary = (await running.predict.Predict(pb.PredictRequest(question=q.Question(id="known-1")))).prediction
    assert events[-1].prediction.probabilities == unary.probabilities
    assert events[-2].arrived.consensus.probabilities == unary.probabilities


async def test_leaving_a_stream_cancels_the_members(running: Running) -> None:
    hanging = Hanging()
    running.ensembles["quick"].forecasters["c"] = hanging
    call = running.stream.StreamPredictions(stream.StreamPredictionsRequest(question=q.Question(text="?")))
    await call.read()
    call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED


@pytest.mark.parametrize("pooling", ["", "linear", "WeightedAverage", "median", "majority"])
async def test_aggregate_takes_plain_and_packed_alike(running: Running, pooling: str) -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(4), size=9)
    rows[3] = np.nan
    weights = np.arange(9.0)
    plain = await running.predict.Aggregate(
        pb.AggregateRequest(probabilities=rows.ravel(), outcome_count=4, weights=weights, pooling=pooling)
    )
    tensor = tensor_pb2.Tensor(data_type=tensor_pb2.DATA_TYPE_FP64, shape=rows.shape, data=rows.tobytes())
    packed = await running.predict.Aggregate(
        pb.AggregateRequest(matrix=tensor, weights=weights, pooling=pooling)
    )
    assert plain == packed
    assert math.fsum(plain.probabilities) == pytest.approx(1)
    assert plain.agreement.answered == 8
    if pooling in {"linear", "WeightedAverage"}:
        present = ~np.isnan(rows[:, 0])
        expected = np.average(rows[present], axis=0, weights=weights[present])
        assert plain.probabilities == pytest.approx(expected)


async def test_aggregate_of_a_binary_question(running: Running) -> None:
    response = await running.predict.Aggregate(
        pb.AggregateRequest(probabilities=[0.9, 0.5, 0.2], pooling="linear")
    )
    assert response.probabilities == pytest.approx([1.6 / 3, 1.4 / 3])
    assert response.outcome_index == 0
    assert response.agreement.vote_share == pytest.approx(1 / 3)
    assert response.decision.action == prediction_pb2.DECISION_ACTION_ABSTAIN


async def test_members_and_strategies_change_at_run_time(running: Running) -> None:
    members = (await running.admin.ListMembers(admin.ListMembersRequest())).members
    assert [member.name for member in members] == ["a", "b", "c"]
    update = admin.UpdateMemberRequest(member="a", etag=members[0].etag, enabled=False, accuracy=0.8)
    update.profit_factor = 1.5
    changed = (await running.admin.UpdateMember(update)).member
    assert not changed.enabled
    assert (changed.accuracy, changed.profit_factor) == (0.8, 1.5)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.admin.UpdateMember(update)
    assert caught.value.code() is grpc.StatusCode.ABORTED
    prediction = (await running.predict.Predict(pb.PredictRequest(question=q.Question(text="?")))).prediction
    assert prediction.members[0].absent.reason == forecast_pb2.ABSENT_REASON_DISABLED
    assert prediction.agreement.asked == 2
    ensemble = (await running.admin.SetStrategy(admin.SetStrategyRequest(pooling=":weighted"))).ensemble
    assert ensemble.method.pooling == "weighted_vote"
    status = await running.admin.GetStatus(admin.GetStatusRequest())
    assert status.predictions_answered == 1
    assert status.last_prediction == prediction
    assert "log_odds" in status.poolings
    assert {e.name for e in status.ensembles} == {"quick", "market"}


async def test_predictions_are_listed_newest_first(running: Running) -> None:
    made = [
        (await running.predict.Predict(pb.PredictRequest(question=q.Question(text=f"{i}?")))).prediction.id
        for i in range(5)
    ]
    first = await running.admin.ListPredictions(admin.ListPredictionsRequest(page_size=3))
    rest = await running.admin.ListPredictions(
        admin.ListPredictionsRequest(page_size=3, page_token=first.next_page_token)
    )
    assert [p.id for p in (*first.predictions, *rest.predictions)] == made[::-1]
    assert not rest.next_page_token


async def test_numbers_and_text_come_through(running: Running) -> None:
    for name in "abc":
        running.ensembles["quick"].forecasters[name] = Saying(Forecast((0.2, 0.6), text="Paris"))
    numeric = q.Question(text="How much?", numeric=q.NumericQuestion(grid=[1, 2], unit="USD"))
    prediction = (await running.predict.Predict(pb.PredictRequest(question=numeric))).prediction
    assert prediction.numeric.cumulative == pytest.approx([0.2, 0.6])
    assert prediction.numeric.median == pytest.approx(1.75)
    text = q.Question(text="Where?", free_text=q.FreeTextQuestion())
    options = prediction_pb2.PredictOptions(pooling="linear")
    prediction = (await running.predict.Predict(pb.PredictRequest(question=text, options=options))).prediction
    assert prediction.outcome == "paris"
    assert list(prediction.votes) == [3, 0]
