# SPDX-License-Identifier: Apache-2.0
"""Every call as a value, free of how it is carried; both clients carry the same ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import uuid4

from google.protobuf.message import Message

from consilience import options as asking
from consilience._settings import Metadata, Settings
from consilience._times import to_duration
from consilience.aggregation import Aggregation, Probabilities, set_probabilities
from consilience.events import PredictionEvent, prediction_event
from consilience.options import Options
from consilience.outcomes import ErrorCorrelation, OutcomeResult, Performance, PerformanceReport
from consilience.pages import Page
from consilience.prediction import Prediction
from consilience.question import Question, Resolution, to_message, to_messages
from consilience.record import PredictionFailure, StoredPrediction, batch_result
from consilience.signals import MarketReply, market_reply
from consilience.status import Member, ServerStatus
from consilience.v1 import admin_service_pb2 as admin
from consilience.v1 import predict_service_pb2 as predicting
from consilience.v1 import stream_service_pb2 as streaming

_PREDICT = "/consilience.v1.PredictService/"
_STREAM = "/consilience.v1.StreamService/"
_ADMIN = "/consilience.v1.AdminService/"

Response = TypeVar("Response", bound=Message)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Call(Generic[Response, Result]):
    """A method, what to send, how long to wait and how to read the answer."""

    path: str
    request: Message
    response: type[Response]
    result: Callable[[Response], Result]
    timeout_s: float | None
    metadata: Metadata


def predict(
    settings: Settings, question: Question | str, request_id: str | None, options: Options
) -> Call[predicting.PredictResponse, Prediction]:
    """``PredictService.Predict``."""
    deadline_s = _deadline_s(settings, options)
    request = predicting.PredictRequest(
        question=to_message(question),
        options=asking.to_message({**options, "deadline_s": deadline_s}),
        request_id=request_id or _new_id(),
    )
    return Call(
        _PREDICT + "Predict",
        request,
        predicting.PredictResponse,
        lambda response: Prediction.from_message(response.prediction),
        settings.rpc_timeout_s(deadline_s),
        settings.call_metadata(options.get("provider_keys")),
    )


def batch_predict(
    settings: Settings, questions: Sequence[Question | str], request_id: str | None, options: Options
) -> Call[predicting.BatchPredictResponse, tuple[Prediction | PredictionFailure, ...]]:
    """``PredictService.BatchPredict``."""
    deadline_s = _deadline_s(settings, options)
    request = predicting.BatchPredictRequest(
        questions=to_messages(questions),
        options=asking.to_message({**options, "deadline_s": deadline_s}),
        request_id=request_id or _new_id(),
    )
    return Call(
        _PREDICT + "BatchPredict",
        request,
        predicting.BatchPredictResponse,
        lambda response: tuple(map(batch_result, response.results)),
        settings.rpc_timeout_s(deadline_s),
        settings.call_metadata(options.get("provider_keys")),
    )


def stream(
    settings: Settings, question: Question | str, request_id: str | None, options: Options
) -> Call[streaming.StreamPredictionsResponse, PredictionEvent]:
    """``StreamService.StreamPredictions``."""
    deadline_s = _deadline_s(settings, options)
    request = streaming.StreamPredictionsRequest(
        question=to_message(question),
        options=asking.to_message({**options, "deadline_s": deadline_s}),
        request_id=request_id or _new_id(),
    )
    return Call(
        _STREAM + "StreamPredictions",
        request,
        streaming.StreamPredictionsResponse,
        prediction_event,
        settings.rpc_timeout_s(deadline_s),
        settings.call_metadata(options.get("provider_keys")),
    )


def market(settings: Settings) -> Call[streaming.StreamMarketResponse, MarketReply]:
    """``StreamService.StreamMarket``; the requests follow, and no deadline ends it."""
    return Call(
        _STREAM + "StreamMarket",
        streaming.StreamMarketRequest(),
        streaming.StreamMarketResponse,
        market_reply,
        None,
        settings.call_metadata(),
    )


def aggregate(
    settings: Settings,
    probabilities: Probabilities,
    weights: Sequence[float] | None,
    pooling: str,
    parameters: Mapping[str, float] | None,
    min_agreement: float | None,
    high_agreement: float | None,
    timeout_s: float | None,
) -> Call[predicting.AggregateResponse, Aggregation]:
    """``PredictService.Aggregate``."""
    request = predicting.AggregateRequest(
        weights=() if weights is None else weights,
        pooling=pooling,
        parameters=parameters or {},
        min_agreement=min_agreement,
        high_agreement=high_agreement,
    )
    set_probabilities(request, probabilities)
    return Call(
        _PREDICT + "Aggregate",
        request,
        predicting.AggregateResponse,
        Aggregation.from_message,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def get_prediction(
    settings: Settings, prediction_id: str, wait_s: float, timeout_s: float | None
) -> Call[predicting.GetPredictionResponse, StoredPrediction]:
    """``PredictService.GetPrediction``; the wait comes on top of the time-out."""
    request = predicting.GetPredictionRequest(prediction_id=prediction_id)
    if wait_s:
        request.wait.CopyFrom(to_duration("wait_s", wait_s))
    return Call(
        _PREDICT + "GetPrediction",
        request,
        predicting.GetPredictionResponse,
        StoredPrediction.from_message,
        settings.rpc_timeout_s(timeout_s) + wait_s,
        settings.call_metadata(),
    )


def list_questions(
    settings: Settings, category: str, contains: str, page_size: int, page_token: str, timeout_s: float | None
) -> Call[predicting.ListQuestionsResponse, Page[Question]]:
    """``PredictService.ListQuestions``."""
    return Call(
        _PREDICT + "ListQuestions",
        predicting.ListQuestionsRequest(
            category=category, contains=contains, page_size=page_size, page_token=page_token
        ),
        predicting.ListQuestionsResponse,
        lambda response: Page(
            tuple(map(Question.from_message, response.questions)),
            response.next_page_token,
            response.total_size,
        ),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def get_question(
    settings: Settings, question_id: str, timeout_s: float | None
) -> Call[predicting.GetQuestionResponse, Question]:
    """``PredictService.GetQuestion``."""
    return Call(
        _PREDICT + "GetQuestion",
        predicting.GetQuestionRequest(question_id=question_id),
        predicting.GetQuestionResponse,
        lambda response: Question.from_message(response.question),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def status(settings: Settings, timeout_s: float | None) -> Call[admin.GetStatusResponse, ServerStatus]:
    """``AdminService.GetStatus``."""
    return Call(
        _ADMIN + "GetStatus",
        admin.GetStatusRequest(),
        admin.GetStatusResponse,
        ServerStatus.from_message,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def members(
    settings: Settings, ensemble: str, page_size: int, page_token: str, timeout_s: float | None
) -> Call[admin.ListMembersResponse, Page[Member]]:
    """``AdminService.ListMembers``."""
    return Call(
        _ADMIN + "ListMembers",
        admin.ListMembersRequest(ensemble=ensemble, page_size=page_size, page_token=page_token),
        admin.ListMembersResponse,
        lambda response: Page(
            tuple(map(Member.from_message, response.members)), response.next_page_token, None
        ),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def record_outcomes(
    settings: Settings, resolutions: Sequence[Resolution], timeout_s: float | None
) -> Call[admin.RecordOutcomeResponse, tuple[OutcomeResult, ...]]:
    """``AdminService.RecordOutcome``."""
    return Call(
        _ADMIN + "RecordOutcome",
        admin.RecordOutcomeRequest(resolutions=[each.to_message() for each in resolutions]),
        admin.RecordOutcomeResponse,
        lambda response: tuple(map(OutcomeResult.from_message, response.results)),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def performance(
    settings: Settings, cell: Mapping[str, str], page_token: str, timeout_s: float | None
) -> Call[admin.ListPerformanceResponse, tuple[PerformanceReport, str]]:
    """``AdminService.ListPerformance``; one page, and the token of the next."""
    return Call(
        _ADMIN + "ListPerformance",
        admin.ListPerformanceRequest(page_size=10_000, page_token=page_token, **cell),
        admin.ListPerformanceResponse,
        lambda response: (
            PerformanceReport(
                tuple(map(Performance.from_message, response.performances)),
                ErrorCorrelation.from_message(response.correlation)
                if response.HasField("correlation")
                else None,
            ),
            response.next_page_token,
        ),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def list_predictions(
    settings: Settings, question_id: str, page_token: str, timeout_s: float | None
) -> Call[admin.ListPredictionsResponse, Page[Prediction]]:
    """``AdminService.ListPredictions``."""
    return Call(
        _ADMIN + "ListPredictions",
        admin.ListPredictionsRequest(page_size=500, page_token=page_token, question_id=question_id),
        admin.ListPredictionsResponse,
        lambda response: Page(
            tuple(map(Prediction.from_message, response.predictions)), response.next_page_token, None
        ),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def _deadline_s(settings: Settings, options: Options) -> float:
    deadline_s = options.get("deadline_s")
    return settings.deadline_s if deadline_s is None else deadline_s


def _new_id() -> str:
    """A request id, so that a repetition of the call is recognised and charged once."""
    return uuid4().hex
