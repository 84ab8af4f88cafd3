# SPDX-License-Identifier: Apache-2.0
"""Predictions from the record, and the results of a batch."""

from dataclasses import dataclass
from enum import StrEnum

from google.rpc.code_pb2 import Code

from consilience._enums import Numbers
from consilience.forecast import MemberAnswer
from consilience.prediction import Prediction
from consilience.question import Question
from consilience.v1 import predict_service_pb2

__all__ = ["PredictionFailure", "PredictionState", "StoredPrediction"]


class PredictionState(StrEnum):
    """Where a stored prediction stands."""

    UNSPECIFIED = "unspecified"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_STATES = Numbers(PredictionState, predict_service_pb2.PredictionState, "PREDICTION_STATE_")


@dataclass(frozen=True, slots=True)
class PredictionFailure:
    """Why one question of a batch has no answer; ``code`` is a gRPC status name."""

    code: str
    message: str
    reason: str

    @classmethod
    def from_message(cls, message: predict_service_pb2.BatchPredictFailure) -> "PredictionFailure":
        """From the contract's message."""
        known = message.code in Code.values()
        return cls(Code.Name(message.code) if known else str(message.code), message.message, message.reason)


def batch_result(message: predict_service_pb2.BatchPredictResult) -> Prediction | PredictionFailure:
    """One result of a batch."""
    if message.WhichOneof("result") == "prediction":
        return Prediction.from_message(message.prediction)
    return PredictionFailure.from_message(message.failure)


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """A prediction from the record; ``prediction`` is set once ``state`` is DONE."""

    state: PredictionState
    prediction: Prediction | None
    question: Question
    late_answers: tuple[MemberAnswer, ...]
    failure: str

    @classmethod
    def from_message(cls, message: predict_service_pb2.GetPredictionResponse) -> "StoredPrediction":
        """From the contract's message."""
        done = message.HasField("prediction")
        return cls(
            state=_STATES[message.state],
            prediction=Prediction.from_message(message.prediction) if done else None,
            question=Question.from_message(message.question),
            late_answers=tuple(map(MemberAnswer.from_message, message.late_answers)),
            failure=message.failure,
        )
