# SPDX-License-Identifier: Apache-2.0
"""The answer of an ensemble."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import nan

from consilience._enums import Numbers
from consilience._times import to_datetime, to_seconds
from consilience.forecast import Cost, MemberAnswer
from consilience.v1 import prediction_pb2

__all__ = [
    "Agreement",
    "Decision",
    "DecisionAction",
    "Interval",
    "Method",
    "NumericForecast",
    "Prediction",
]


class DecisionAction(StrEnum):
    """What may be done with an answer."""

    UNSPECIFIED = "unspecified"
    PROCEED = "proceed"
    REDUCE = "reduce"
    ABSTAIN = "abstain"


_ACTIONS = Numbers(DecisionAction, prediction_pb2.DecisionAction, "DECISION_ACTION_")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much the members agree.

    ``vote_share`` counts heads: the share of answering members whose most
    probable outcome is the ensemble's. ``dispersion`` (nats) measures how far
    apart their probabilities are. ``effective_members`` is how many weigh, by the
    weights alone; ``independent_members`` how many they are worth once those whose
    errors go together share a vote (None: too few outcomes are known).
    """

    vote_share: float
    dispersion: float
    effective_members: float
    entropy: float
    answered: int
    asked: int
    independent_members: float | None

    @classmethod
    def from_message(cls, message: prediction_pb2.Agreement) -> "Agreement":
        """From the contract's message."""
        return cls(
            message.vote_share,
            message.dispersion,
            message.effective_members,
            message.entropy,
            message.answered,
            message.asked,
            message.independent_members if message.HasField("independent_members") else None,
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the probability of the first outcome (or a number) may lie, and how that was made."""

    low: float
    high: float
    level: float
    method: str

    @classmethod
    def from_message(cls, message: prediction_pb2.Interval) -> "Interval":
        """From the contract's message."""
        return cls(message.low, message.high, message.level, message.method)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Outcomes, most probable first, that hold the truth with the coverage ``level``."""

    outcomes: tuple[str, ...]
    level: float
    method: str

    @classmethod
    def from_message(cls, message: prediction_pb2.LabelSet) -> "LabelSet":
        """From the contract's message."""
        return cls(tuple(message.outcomes), message.level, message.method)


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict: multiply the size of a position by ``size_multiplier`` (0..1)."""

    action: DecisionAction
    size_multiplier: float
    reason: str

    @classmethod
    def from_message(cls, message: prediction_pb2.Decision) -> "Decision":
        """From the contract's message."""
        return cls(_ACTIONS[message.action], message.size_multiplier, message.reason)


@dataclass(frozen=True, slots=True)
class Method:
    """The named choices behind an answer."""

    pooling: str
    weighting: str
    calibration: str
    execution: str
    selection: str
    weights_version: str
    calibrator_version: str
    code_version: str
    prompt_hash: str
    parameters: dict[str, float]
    curve: str
    curve_parameters: tuple[float, ...]

    @classmethod
    def from_message(cls, message: prediction_pb2.Method) -> "Method":
        """From the contract's message."""
        return cls(
            message.pooling,
            message.weighting,
            message.calibration,
            message.execution,
            message.selection,
            message.weights_version,
            message.calibrator_version,
            message.code_version,
            message.prompt_hash,
            dict(message.parameters),
            message.curve,
            tuple(message.curve_parameters),
        )


@dataclass(frozen=True, slots=True)
class NumericForecast:
    """A number as a distribution: cumulative probabilities at the grid points."""

    grid: tuple[float, ...]
    cumulative: tuple[float, ...]
    median: float
    unit: str
    interval: Interval | None

    @classmethod
    def from_message(cls, message: prediction_pb2.NumericForecast) -> "NumericForecast":
        """From the contract's message."""
        interval = Interval.from_message(message.interval) if message.HasField("interval") else None
        return cls(tuple(message.grid), tuple(message.cumulative), message.median, message.unit, interval)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One ensemble answer; ``prediction.proto`` explains each field.

    ``message`` is the contract's own message, for fields that are newer than
    this package.
    """

    id: str
    request_id: str
    question_id: str
    ensemble: str
    outcomes: tuple[str, ...]
    probabilities: tuple[float, ...]
    raw_probabilities: tuple[float, ...]
    outcome: str
    confidence: float
    meta_confidence: float
    agreement: Agreement
    interval: Interval | None
    decision: Decision
    members: tuple[MemberAnswer, ...]
    cost: Cost | None
    create_time: datetime
    elapsed_s: float
    durable: bool
    cached: bool
    warnings: tuple[str, ...]
    explanation: str
    method: Method
    numeric: NumericForecast | None
    votes: tuple[int, ...]
    tags: dict[str, str]
    label_set: LabelSet | None
    doubt: float | None
    experiment: str
    arm: str
    message: prediction_pb2.Prediction = field(repr=False, compare=False)

    @property
    def probability(self) -> float:
        """Probability of the first outcome (binary: YES); NaN where there is none."""
        return self.probabilities[0] if self.probabilities else nan

    def probability_of(self, outcome: str) -> float:
        """Probability of the outcome with that name.

        Raises:
            KeyError: there is no such outcome.
        """
        return self.by_outcome()[outcome]

    def by_outcome(self) -> dict[str, float]:
        """Probabilities by the names of their outcomes."""
        return dict(zip(self.outcomes, self.probabilities, strict=False))

    def member(self, name: str) -> MemberAnswer:
        """The part of the member with that name.

        Raises:
            KeyError: there is no such member.
        """
        for answer in self.members:
            if answer.member == name:
                return answer
        raise KeyError(name)

    def __str__(self) -> str:
        answered = f"{self.agreement.answered} of {self.agreement.asked} answered"
        return f"{self.confidence:.1%} {self.outcome} ({self.decision.action}, {answered})"

    @classmethod
    def from_message(cls, message: prediction_pb2.Prediction) -> "Prediction":
        """From the contract's message."""
        return cls(
            id=message.id,
            request_id=message.request_id,
            question_id=message.question_id,
            ensemble=message.ensemble,
            outcomes=tuple(message.outcomes),
            probabilities=tuple(message.probabilities),
            raw_probabilities=tuple(message.raw_probabilities),
            outcome=message.outcome,
            confidence=message.confidence,
            meta_confidence=message.meta_confidence,
            agreement=Agreement.from_message(message.agreement),
            interval=Interval.from_message(message.interval) if message.HasField("interval") else None,
            decision=Decision.from_message(message.decision),
            members=tuple(map(MemberAnswer.from_message, message.members)),
            cost=Cost.from_message(message.cost) if message.HasField("cost") else None,
            create_time=to_datetime(message.create_time),
            elapsed_s=to_seconds(message.elapsed),
            durable=message.durable,
            cached=message.cached,
            warnings=tuple(message.warnings),
            explanation=message.explanation,
            method=Method.from_message(message.method),
            numeric=NumericForecast.from_message(message.numeric) if message.HasField("numeric") else None,
            votes=tuple(message.votes),
            tags=dict(message.tags),
            label_set=LabelSet.from_message(message.label_set) if message.HasField("label_set") else None,
            doubt=message.doubt if message.HasField("doubt") else None,
            experiment=message.experiment,
            arm=message.arm,
            message=message,
        )
