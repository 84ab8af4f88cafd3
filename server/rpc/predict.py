# SPDX-License-Identifier: Apache-2.0
"""``PredictService``: convert, call the engine, convert."""

import base64
from collections.abc import Sequence
from dataclasses import replace

from consilience.v1 import predict_service_pb2 as pb
from server.engine.batch import predict_all
from server.engine.predict import PredictionEngine
from server.engine.purse import Allowance
from server.engine.request import PredictionRequest
from server.forecasting.errors import NotFoundError
from server.forecasting.ports import PredictionStore, QuestionCatalogue
from server.forecasting.prediction import Prediction
from server.forecasting.question import Question
from server.rpc.aggregate import aggregate_answer
from server.rpc.bind import pure
from server.rpc.call import Call
from server.rpc.options_in import options_from
from server.rpc.prediction_out import member_message, prediction_message
from server.rpc.question_in import question_from
from server.rpc.question_out import question_message
from server.rpc.rules import Rules
from server.rpc.status import status_of

MAX_REQUEST_ID = 128
MAX_BATCH = 1_000


def request_from(
    request: "pb.PredictRequest | pb.BatchPredictRequest",
    questions: Sequence[Question],
    call: Call,
    rules: Rules,
) -> list[PredictionRequest]:
    """One engine request for each question, sharing the caller's wishes."""
    options = options_from(request.options, rules)
    request_id = rules.text("request_id", request.request_id, MAX_REQUEST_ID, printable=True)
    rules.check()
    ids = (
        [request_id]
        if len(questions) == 1
        else [request_id and f"{request_id}/{i}" for i in range(len(questions))]
    )
    trace = call.trace
    return [
        PredictionRequest(question, options, one_id, call.caller, call.deadline, call.keys, trace=trace)
        for question, one_id in zip(questions, ids, strict=True)
    ]


def sharing(requests: list[PredictionRequest]) -> list[PredictionRequest]:
    """The requests of a batch, under the one limit on cost that its caller has set."""
    limit = requests[0].options.max_cost_nano_usd
    if limit is None:
        return requests
    shared = Allowance(limit)
    return [replace(request, shared=shared) for request in requests]


class PredictHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(
        self, engine: PredictionEngine, store: PredictionStore, catalogue: QuestionCatalogue
    ) -> None:
        self._engine = engine
        self._store = store
        self._catalogue = catalogue
        self.aggregate = pure(aggregate_answer)

    async def predict(self, request: pb.PredictRequest, call: Call) -> pb.PredictResponse:
        """One question, one answer."""
        rules = Rules()
        question = question_from(request.question, rules)
        (asked,) = request_from(request, [question], call, rules)
        prediction = await self._engine.predict(asked)
        return pb.PredictResponse(prediction=prediction_message(prediction))

    async def batch_predict(self, request: pb.BatchPredictRequest, call: Call) -> pb.BatchPredictResponse:
        """Several questions as one request; one that fails does not harm the others."""
        rules = Rules()
        rules.count("questions", request.questions, MAX_BATCH, least=1)
        questions = [question_from(q, rules, f"questions[{i}]") for i, q in enumerate(request.questions)]
        asked = sharing(request_from(request, questions, call, rules))
        results = await predict_all(self._engine, asked)
        return pb.BatchPredictResponse(results=[_result(result) for result in results])

    async def get_prediction(self, request: pb.GetPredictionRequest, call: Call) -> pb.GetPredictionResponse:
        """A stored prediction."""
        del call
        rules = Rules()
        prediction_id = rules.text("prediction_id", request.prediction_id, 64, least=1, printable=True)
        if request.HasField("wait"):
            rules.seconds("wait", request.wait, 30.0)
        rules.check()
        record = await self._store.get(prediction_id)
        if record is None:
            raise NotFoundError("prediction", prediction_id)
        return pb.GetPredictionResponse(
            state=pb.PREDICTION_STATE_DONE,
            prediction=prediction_message(record.prediction),
            question=question_message(record.question),
            late_answers=[member_message(member) for member in record.late],
        )

    async def list_questions(self, request: pb.ListQuestionsRequest, call: Call) -> pb.ListQuestionsResponse:
        """A page of the catalogue; the token is the last id of the page before."""
        del call
        rules = Rules()
        size = rules.page_size(request.page_size, 1_000, 50)
        after = _decoded(request.page_token, rules)
        rules.text("category", request.category, 256, printable=True)
        rules.text("contains", request.contains, 256)
        rules.check()
        matching = self._catalogue.list(category=request.category, contains=request.contains)
        following = [question for question in matching if question.id > after]
        page = following[:size]
        return pb.ListQuestionsResponse(
            questions=[question_message(question) for question in page],
            next_page_token=_encoded(page[-1].id) if len(following) > size else "",
            total_size=len(matching),
        )

    async def get_question(self, request: pb.GetQuestionRequest, call: Call) -> pb.GetQuestionResponse:
        """One question of the catalogue."""
        del call
        rules = Rules()
        question_id = rules.text("question_id", request.question_id, 256, least=1, printable=True)
        rules.check()
        question = self._catalogue.get(question_id)
        if question is None:
            raise NotFoundError("question", question_id, "ListQuestions lists the known ones")
        return pb.GetQuestionResponse(question=question_message(question))


def _result(result: Prediction | Exception) -> pb.BatchPredictResult:
    if isinstance(result, Prediction):
        return pb.BatchPredictResult(prediction=prediction_message(result))
    status = status_of(result)
    reason = getattr(result, "reason", "internal").upper()
    return pb.BatchPredictResult(
        failure=pb.BatchPredictFailure(code=status.code, message=status.message, reason=reason)
    )


def _encoded(last_id: str) -> str:
    return base64.urlsafe_b64encode(last_id.encode()).decode()


def _decoded(token: str, rules: Rules) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        rules.broken("page_token", "use the token of the previous page as it was given")
        return ""
