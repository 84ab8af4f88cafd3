# SPDX-License-Identifier: Apache-2.0
"""Every rule of every field: a violation names that field, and the server stays up."""

import math

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from consilience.v1 import admin_service_pb2 as admin
from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import prediction_pb2 as options_pb
from consilience.v1 import question_pb2 as q
from consilience.v1 import tensor_pb2
from tests.rpc.conftest import Running
from tests.rpc.errors import details

BAD_INSTANT = Timestamp(seconds=10**12)
QUESTIONS = [
    ("question", q.Question()),
    ("question.id", q.Question(id="x" * 257)),
    ("question.id", q.Question(id="a\nb")),
    ("question.text", q.Question(text="x" * 8_193)),
    ("question.background", q.Question(text="?", background="x" * 65_537)),
    ("question.resolution_criteria", q.Question(text="?", resolution_criteria="x" * 16_385)),
    ("question.category", q.Question(text="?", category="x" * 257)),
    ("question.category", q.Question(text="?", category="a\tb")),
    ("question.as_of_time", q.Question(text="?", as_of_time=BAD_INSTANT)),
    ("question.as_of_time", q.Question(text="?", as_of_time=Timestamp(nanos=-1))),
    ("question.resolve_time", q.Question(text="?", resolve_time=BAD_INSTANT)),
    ("question.stake_usd", q.Question(text="?", stake_usd=-1)),
    ("question.stake_usd", q.Question(text="?", stake_usd=math.inf)),
    ("question.stake_usd", q.Question(text="?", stake_usd=math.nan)),
    ("question.market_probability", q.Question(text="?", market_probability=1.01)),
    ("question.market_probability", q.Question(text="?", market_probability=math.nan)),
    ("question.market_time", q.Question(text="?", market_time=BAD_INSTANT)),
    ("question.source", q.Question(text="?", source="x" * 257)),
    ("question.url", q.Question(text="?", url="x" * 2_049)),
    ("question.exclusive.outcomes", q.Question(text="?", exclusive=q.ExclusiveQuestion(outcomes=["a"]))),
    ("question.exclusive.outcomes", q.Question(text="?", exclusive=q.ExclusiveQuestion(outcomes=["a", "a"]))),
    (
        "question.exclusive.outcomes",
        q.Question(text="?", exclusive=q.ExclusiveQuestion(outcomes=[str(i) for i in range(65)])),
    ),
    (
        "question.exclusive.outcomes[1]",
        q.Question(text="?", exclusive=q.ExclusiveQuestion(outcomes=["a", ""])),
    ),
    ("question.numeric.grid", q.Question(text="?", numeric=q.NumericQuestion(grid=[1]))),
    ("question.numeric.grid", q.Question(text="?", numeric=q.NumericQuestion(grid=[1, 1]))),
    ("question.numeric.grid", q.Question(text="?", numeric=q.NumericQuestion(grid=[1, math.nan]))),
    ("question.numeric.grid", q.Question(text="?", numeric=q.NumericQuestion(grid=[0, 1], scale=2))),
    ("question.numeric.scale", q.Question(text="?", numeric=q.NumericQuestion(grid=[1, 2], scale=9))),
    ("question.numeric.unit", q.Question(text="?", numeric=q.NumericQuestion(grid=[1, 2], unit="x" * 65))),
    ("question.free_text.normalization", q.Question(text="?", free_text=q.FreeTextQuestion(normalization=9))),
    (
        "question.free_text.max_characters",
        q.Question(text="?", free_text=q.FreeTextQuestion(max_characters=4_097)),
    ),
]
Wishes = options_pb.PredictOptions
OPTIONS = [
    ("options.ensemble", Wishes(ensemble="x" * 129)),
    ("options.members", Wishes(members=["a", "a"])),
    ("options.members", Wishes(members=[str(i) for i in range(257)])),
    ("options.members[0]", Wishes(members=[""])),
    ("options.pooling", Wishes(pooling="nope")),
    ("options.execution", Wishes(execution="nope")),
    ("options.selection", Wishes(selection="nope")),
    ("options.calibration", Wishes(calibration="nope")),
    ("options.deadline", Wishes(deadline=Duration(seconds=0))),
    ("options.deadline", Wishes(deadline=Duration(seconds=-1))),
    ("options.deadline", Wishes(deadline=Duration(seconds=301))),
    ("options.deadline", Wishes(deadline=Duration(nanos=2_000_000_000))),
    ("options.member_timeout", Wishes(member_timeout=Duration())),
    ("options.min_responses", Wishes(min_responses=0)),
    ("options.min_responses", Wishes(min_responses=4)),
    ("options.min_agreement", Wishes(min_agreement=1.1)),
    ("options.high_agreement", Wishes(high_agreement=-0.1)),
    ("options.high_agreement", Wishes(high_agreement=0.5)),
    ("options.early_stop_threshold", Wishes(early_stop_threshold=math.nan)),
    ("options.durability", Wishes(durability=9)),
    ("options.weights[a]", Wishes(weights={"a": -1})),
    ("options.weights[a]", Wishes(weights={"a": math.nan})),
    ("options.weights[a]", Wishes(weights={"a": 1e51})),
    ("options.weights[a]", Wishes(weights={"a": 5e-324})),
    ("options.weights", Wishes(weights={str(i): 1 for i in range(257)})),
    ("options.tags", Wishes(tags={str(i): "x" for i in range(33)})),
    ("options.tags[]", Wishes(tags={"": "x"})),
    ("options.tags[k]", Wishes(tags={"k": "x" * 257})),
    ("options.max_cost_nano_usd", Wishes(max_cost_nano_usd=-1)),
    ("options.max_age", Wishes(max_age=Duration(seconds=-1))),
    ("options.max_age", Wishes(max_age=Duration(seconds=31 * 86_400))),
    ("options.hedge_delay", Wishes(hedge_delay=Duration())),
    ("options.min_consensus", Wishes(min_consensus=2)),
    ("options.confidence_threshold", Wishes(confidence_threshold=-1)),
]


def packed(shape: list[int], values: int, kind: int = tensor_pb2.DATA_TYPE_FP64) -> tensor_pb2.Tensor:
    return tensor_pb2.Tensor(data_type=kind, shape=shape, data=bytes(8 * values))  # type: ignore[arg-type]


A = pb.AggregateRequest
AGGREGATES = [
    ("probabilities", A()),
    ("probabilities[1]", A(probabilities=[0.5, 1.5])),
    ("probabilities[0]", A(probabilities=[-0.1, 0.5])),
    ("probabilities", A(probabilities=[math.nan, math.nan])),
    ("probabilities", A(probabilities=[0.5] * 5, outcome_count=2)),
    ("probabilities[2]", A(probabilities=[0.5, 0.5, 0.4, 0.5], outcome_count=2)),
    ("probabilities[0]", A(probabilities=[0.5, math.nan, 0.5, 0.5], outcome_count=2)),
    ("probabilities", A(probabilities=[0.5] * 4_097)),
    ("outcome_count", A(probabilities=[0.5], outcome_count=1)),
    ("outcome_count", A(probabilities=[0.5], outcome_count=65)),
    ("weights", A(probabilities=[0.5, 0.5], weights=[1])),
    ("weights[1]", A(probabilities=[0.5, 0.5], weights=[1, -1])),
    ("weights[0]", A(probabilities=[0.5, 0.5], weights=[math.nan, 1])),
    ("weights[0]", A(probabilities=[0.5, 0.5], weights=[1e308, 1e308])),
    ("weights[1]", A(probabilities=[0.5, 0.5], weights=[1, 5e-324])),
    ("pooling", A(probabilities=[0.5], pooling="nope")),
    ("parameters[nope]", A(probabilities=[0.5], parameters={"nope": 1})),
    ("parameters[exponent]", A(probabilities=[0.5], pooling="extremised", parameters={"exponent": -1})),
    ("parameters[exponent]", A(probabilities=[0.5], pooling="extremised", parameters={"exponent": math.nan})),
    ("min_agreement", A(probabilities=[0.5], min_agreement=2)),
    ("high_agreement", A(probabilities=[0.5], high_agreement=0.1)),
    ("matrix", A(probabilities=[0.5], matrix=packed([1], 1))),
    ("matrix.data_type", A(matrix=packed([1], 1, tensor_pb2.DATA_TYPE_FP32))),
    ("matrix.shape", A(matrix=packed([1, 1, 1], 1))),
    ("matrix.shape", A(matrix=packed([-1], 1))),
    ("matrix.shape", A(matrix=packed([1, 0], 0))),
    ("matrix.shape", A(matrix=packed([2, 1], 2))),
    ("matrix.data", A(matrix=packed([2], 1))),
]
PREDICTS = [
    *((field, "Predict", pb.PredictRequest(question=question)) for field, question in QUESTIONS),
    *(
        (field, "Predict", pb.PredictRequest(question=q.Question(text="?"), options=options))
        for field, options in OPTIONS
    ),
    ("request_id", "Predict", pb.PredictRequest(question=q.Question(text="?"), request_id="x" * 129)),
    ("questions", "BatchPredict", pb.BatchPredictRequest()),
    (
        "questions[1].text",
        "BatchPredict",
        pb.BatchPredictRequest(questions=[q.Question(text="?"), q.Question(text="x" * 9_000)]),
    ),
    *((field, "Aggregate", request) for field, request in AGGREGATES),
    ("prediction_id", "GetPrediction", pb.GetPredictionRequest()),
    ("prediction_id", "GetPrediction", pb.GetPredictionRequest(prediction_id="x" * 65)),
    ("wait", "GetPrediction", pb.GetPredictionRequest(prediction_id="x", wait=Duration(seconds=31))),
    ("page_size", "ListQuestions", pb.ListQuestionsRequest(page_size=-1)),
    ("page_size", "ListQuestions", pb.ListQuestionsRequest(page_size=1_001)),
    ("page_token", "ListQuestions", pb.ListQuestionsRequest(page_token="\x00")),
    ("category", "ListQuestions", pb.ListQuestionsRequest(category="x" * 257)),
    ("contains", "ListQuestions", pb.ListQuestionsRequest(contains="x" * 257)),
    ("question_id", "GetQuestion", pb.GetQuestionRequest()),
]
ADMINS = [
    ("page_size", "ListMembers", admin.ListMembersRequest(page_size=-1)),
    ("page_token", "ListMembers", admin.ListMembersRequest(page_token="x")),
    ("ensemble", "ListMembers", admin.ListMembersRequest(ensemble="x" * 129)),
    ("member", "UpdateMember", admin.UpdateMemberRequest()),
    ("weight", "UpdateMember", admin.UpdateMemberRequest(member="a", weight=-1)),
    ("weight", "UpdateMember", admin.UpdateMemberRequest(member="a", weight=1e308)),
    ("timeout", "UpdateMember", admin.UpdateMemberRequest(member="a", timeout=Duration())),
    ("min_confidence", "UpdateMember", admin.UpdateMemberRequest(member="a", min_confidence=2)),
    ("accuracy", "UpdateMember", admin.UpdateMemberRequest(member="a", accuracy=2)),
    ("profit_factor", "UpdateMember", admin.UpdateMemberRequest(member="a", profit_factor=-1)),
    ("pooling", "SetStrategy", admin.SetStrategyRequest(pooling="nope")),
    ("weighting", "SetStrategy", admin.SetStrategyRequest(weighting="nope")),
    ("execution", "SetStrategy", admin.SetStrategyRequest(execution="nope")),
    ("parameters[x]", "SetStrategy", admin.SetStrategyRequest(parameters={"x": 1})),
    ("page_size", "ListPredictions", admin.ListPredictionsRequest(page_size=1_001)),
    ("page_token", "ListPredictions", admin.ListPredictionsRequest(page_token="x")),
    ("start_time", "ListPredictions", admin.ListPredictionsRequest(start_time=BAD_INSTANT)),
]


@pytest.mark.parametrize(("field", "method", "request_"), PREDICTS)
async def test_a_violation_names_its_field(
    running: Running, field: str, method: str, request_: object
) -> None:
    await refused(running, running.predict, field, method, request_)


@pytest.mark.parametrize(("field", "method", "request_"), ADMINS)
async def test_an_administrators_violation_names_its_field(
    running: Running, field: str, method: str, request_: object
) -> None:
    await refused(running, running.admin, field, method, request_)


async def refused(running: Running, stub: object, field: str, method: str, request: object) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(stub, method)(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    violations, info = details(caught.value)
    assert field in violations
    assert violations[field]
    assert (info.domain, info.reason) == ("consilience", "INVALID_REQUEST")
    assert (await running.predict.Aggregate(A(probabilities=[0.7]))).outcome_index == 0


async def test_all_broken_rules_are_named_at_once(running: Running) -> None:
    request = pb.PredictRequest(question=q.Question(id="x" * 300, stake_usd=-1), request_id="x" * 200)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.predict.Predict(request)
    assert set(details(caught.value)[0]) == {"question.id", "question.stake_usd", "request_id"}
