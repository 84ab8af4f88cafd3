# SPDX-License-Identifier: Apache-2.0
"""The events by which a prediction forms."""

from dataclasses import dataclass

from consilience.forecast import MemberAnswer
from consilience.prediction import Agreement, Prediction
from consilience.v1 import stream_service_pb2

__all__ = ["MemberArrived", "PredictionEvent", "PredictionStarted", "RunningConsensus"]


@dataclass(frozen=True, slots=True)
class PredictionStarted:
    """First event of a stream: who is asked."""

    prediction_id: str
    members: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunningConsensus:
    """What those who have answered so far agree on.

    ``settled``: the members still out cannot change ``outcome`` any more.
    """

    probabilities: tuple[float, ...]
    agreement: Agreement
    outcome: str
    settled: bool

    @classmethod
    def from_message(cls, message: stream_service_pb2.RunningConsensus) -> "RunningConsensus":
        """From the contract's message."""
        agreement = Agreement.from_message(message.agreement)
        return cls(tuple(message.probabilities), agreement, message.outcome, message.settled)


@dataclass(frozen=True, slots=True)
class MemberArrived:
    """A member has answered, or will not; ``consensus`` is None while there is none."""

    answer: MemberAnswer
    consensus: RunningConsensus | None


PredictionEvent = PredictionStarted | MemberArrived | Prediction


def prediction_event(message: stream_service_pb2.StreamPredictionsResponse) -> PredictionEvent:
    """One event of ``StreamPredictions``."""
    match message.WhichOneof("event"):
        case "started":
            started = message.started
            return PredictionStarted(started.prediction_id, tuple(started.members), tuple(started.outcomes))
        case "arrived":
            arrived = message.arrived
            running = arrived.HasField("consensus")
            consensus = RunningConsensus.from_message(arrived.consensus) if running else None
            return MemberArrived(MemberAnswer.from_message(arrived.answer), consensus)
    return Prediction.from_message(message.prediction)
