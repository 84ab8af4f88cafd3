# SPDX-License-Identifier: Apache-2.0
"""A small server over a real port: it notes what reaches it and answers from the contract's messages."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2

from consilience.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    forecast_pb2,
    market_pb2,
    predict_service_pb2,
    predict_service_pb2_grpc,
    prediction_pb2,
    question_pb2,
    stream_service_pb2,
    stream_service_pb2_grpc,
    tensor_pb2,
)


@dataclass
class Heard:
    """One call as it reached the server."""

    request: Message
    metadata: dict[str, Any]
    time_remaining_s: float | None
    heard_s: float = field(default_factory=time.monotonic)


@dataclass
class Answering:
    """What the server has heard, and how it shall behave."""

    calls: list[Heard] = field(default_factory=list)
    failures: list[status_pb2.Status] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    hang: bool = False
    catalogue: int = 120

    async def hear(self, request: Message, context: Any) -> None:
        """Note the call; fail if that is what comes next."""
        metadata = dict(context.invocation_metadata())
        self.calls.append(Heard(request, metadata, context.time_remaining()))
        if self.failures:
            status = self.failures.pop(0)
            code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
            details = (("grpc-status-details-bin", status.SerializeToString()),) if status.details else ()
            await context.abort(code, status.message, details)
        if self.hang:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()


def prediction(question: question_pb2.Question, request_id: str) -> prediction_pb2.Prediction:
    """An answer with every field set."""
    message = prediction_pb2.Prediction(
        id="p1",
        request_id=request_id,
        question_id=question.id or "made-" + question.text,
        ensemble="quickstart",
        outcomes=["YES", "NO"],
        probabilities=[0.714, 0.286],
        raw_probabilities=[0.7, 0.3],
        outcome="YES",
        confidence=0.714,
        meta_confidence=0.6,
        agreement=prediction_pb2.Agreement(
            vote_share=1.0, dispersion=0.01, effective_members=1.5, entropy=0.6, answered=1, asked=2
        ),
        interval=prediction_pb2.Interval(low=0.6, high=0.8, level=0.9, method="dispersion"),
        decision=prediction_pb2.Decision(
            action=prediction_pb2.DECISION_ACTION_PROCEED, size_multiplier=1.0, reason="they agree"
        ),
        durable=True,
        warnings=["late is missing"],
        explanation="early said so",
        votes=[1, 0],
        tags={"run": "7"},
        members=[early(), late()],
    )
    message.cost.nano_usd = 1_500
    message.create_time.FromJsonString("2026-01-02T03:04:05Z")
    message.elapsed.FromMilliseconds(12)
    message.method.pooling = "log_odds"
    message.method.parameters["exponent"] = 1.0
    return message


def early() -> forecast_pb2.MemberAnswer:
    """A member that answered."""
    answer = forecast_pb2.MemberAnswer(member="early", weight=1.0, contribution=0.2, attempts=1)
    answer.forecast.probabilities.extend([0.7, 0.3])
    answer.forecast.self_confidence = 0.9
    answer.forecast.usage.output = 12
    answer.latency.FromMilliseconds(250)
    answer.cost.nano_usd = 1_500
    answer.cost.source = 1
    return answer


def late() -> forecast_pb2.MemberAnswer:
    """A member that did not."""
    absent = forecast_pb2.Absent(reason=forecast_pb2.ABSENT_REASON_DEADLINE_EXCEEDED, detail="too late")
    return forecast_pb2.MemberAnswer(member="late", absent=absent)


class Predictions(predict_service_pb2_grpc.PredictServiceServicer):
    def __init__(self, answering: Answering) -> None:
        self.answering = answering

    async def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        answer = prediction(request.question, request.request_id)
        return predict_service_pb2.PredictResponse(prediction=answer)

    async def BatchPredict(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        results = []
        for question in request.questions:
            result = predict_service_pb2.BatchPredictResult()
            if question.id == "unknown":
                result.failure.code = 5
                result.failure.message = "question 'unknown' is not known"
                result.failure.reason = "NOT_FOUND"
            else:
                result.prediction.CopyFrom(prediction(question, request.request_id))
            results.append(result)
        return predict_service_pb2.BatchPredictResponse(results=results)

    async def Aggregate(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        return predict_service_pb2.AggregateResponse(
            probabilities=[0.7, 0.3], confidence=0.7, weights=[0.5, 0.5], contributions=[0.1, -0.1]
        )

    async def GetPrediction(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        question = question_pb2.Question(id="q1", text="Will it?")
        return predict_service_pb2.GetPredictionResponse(
            state=predict_service_pb2.PREDICTION_STATE_DONE,
            prediction=prediction(question, "r1"),
            question=question,
            late_answers=[late()],
        )

    async def ListQuestions(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        start = int(request.page_token or 0)
        end = min(start + (request.page_size or 50), self.answering.catalogue)
        return predict_service_pb2.ListQuestionsResponse(
            questions=[question_pb2.Question(id=f"q{i}", text=f"Will {i}?") for i in range(start, end)],
            next_page_token=str(end) if end < self.answering.catalogue else "",
            total_size=self.answering.catalogue,
        )

    async def GetQuestion(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        question = question_pb2.Question(id=request.question_id, text="Will it?")
        question.resolution.outcome = "YES"
        return predict_service_pb2.GetQuestionResponse(question=question)


class Streams(stream_service_pb2_grpc.StreamServiceServicer):
    def __init__(self, answering: Answering) -> None:
        self.answering = answering

    async def StreamPredictions(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        event = stream_service_pb2.StreamPredictionsResponse
        if self.answering.failures:
            await self.answering.hear(request, context)
        started = stream_service_pb2.PredictionStarted(
            prediction_id="p1", members=["early", "late"], outcomes=["YES", "NO"]
        )
        yield event(started=started)
        await self.answering.hear(request, context)
        consensus = stream_service_pb2.RunningConsensus(probabilities=[0.7, 0.3], outcome="YES", settled=True)
        yield event(arrived=stream_service_pb2.MemberArrived(answer=early(), consensus=consensus))
        yield event(arrived=stream_service_pb2.MemberArrived(answer=late()))
        yield event(prediction=prediction(request.question, request.request_id))

    async def StreamMarket(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        sequence = 0
        async for request in requests:
            await self.answering.hear(request, context)
            for event in request.events:
                sequence += 1
                yield market_answer(event, sequence)


def market_answer(event: market_pb2.MarketEvent, sequence: int) -> stream_service_pb2.StreamMarketResponse:
    """A signal for a book, features for a wish, a notice for the rest."""
    response = stream_service_pb2.StreamMarketResponse()
    match event.WhichOneof("event"):
        case "snapshot" | "delta":
            response.signal.symbol = event.symbol
            response.signal.sequence = sequence
            response.signal.direction = "UP"
            response.signal.best_bid_ticks, response.signal.best_ask_ticks = 100, 103
            response.signal.latency.FromMicroseconds(80)
        case "control":
            response.features.features.CopyFrom(
                tensor_pb2.Tensor(
                    data_type=tensor_pb2.DATA_TYPE_FP32, shape=[2], data=b"\0\0\x80\x3f\0\0\0\x40"
                )
            )
        case _:
            response.notice.symbol = event.symbol
            response.notice.kind = market_pb2.MARKET_NOTICE_KIND_NO_SNAPSHOT
    return response


class Administration(admin_service_pb2_grpc.AdminServiceServicer):
    def __init__(self, answering: Answering) -> None:
        self.answering = answering

    async def GetStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        ensemble = admin_service_pb2.EnsembleStatus(name="quickstart", is_default=True, member_count=2)
        return admin_service_pb2.GetStatusResponse(
            version="0.1.0", mode=admin_service_pb2.OPERATING_MODE_NORMAL, ensembles=[ensemble]
        )

    async def ListMembers(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        if request.page_token:
            last = admin_service_pb2.Member(name="late", kind="chat", enabled=False)
            return admin_service_pb2.ListMembersResponse(members=[last])
        first = admin_service_pb2.Member(name="early", kind="recorded", enabled=True, accuracy=0.5)
        return admin_service_pb2.ListMembersResponse(members=[first], next_page_token="2")

    async def AddMember(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        return admin_service_pb2.AddMemberResponse(member=request.member)

    async def RemoveMember(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        return admin_service_pb2.RemoveMemberResponse()

    async def ReplayPrediction(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        stored = prediction(question_pb2.Question(id="q1"), "")
        return admin_service_pb2.ReplayPredictionResponse(
            stored=stored,
            replayed=stored,
            verdict=admin_service_pb2.REPLAY_VERDICT_EQUIVALENT,
            stored_build="one",
            build="another",
        )

    async def ErasePredictions(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self.answering.hear(request, context)
        return admin_service_pb2.ErasePredictionsResponse(erased=3)


def add_to(server: grpc.aio.Server, answering: Answering) -> None:
    """Serve all three services."""
    register: Any = predict_service_pb2_grpc.add_PredictServiceServicer_to_server
    register(Predictions(answering), server)
    register = stream_service_pb2_grpc.add_StreamServiceServicer_to_server
    register(Streams(answering), server)
    register = admin_service_pb2_grpc.add_AdminServiceServicer_to_server
    register(Administration(answering), server)
