# SPDX-License-Identifier: Apache-2.0
"""One ensemble answer, and the record of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from server.forecasting.computation import Computation
from server.forecasting.forecast import Absent, Answer, Cost, Forecast
from server.forecasting.question import Question
from server.forecasting.transcript import Attempted, SentPrompt


class Action(StrEnum):
    """What may be done with an answer."""

    PROCEED = "proceed"
    REDUCE = "reduce"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict; ``size_multiplier`` is 1, the vote share, or 0."""

    action: Action
    size_multiplier: float
    reason: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much the members agree; see ``prediction.proto`` for the units."""

    vote_share: float
    dispersion: float
    effective_members: float
    entropy: float
    answered: int
    asked: int
    independent_members: float | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A range for the probability of the first outcome, or for a number in its unit."""

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Outcomes, most probable first, that hold the truth with the coverage ``level``."""

    outcomes: tuple[str, ...]
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class Method:
    """The named choices behind an answer, enough to compute it again.

    ``calibration`` is the choice, ``curve`` with ``curve_parameters`` what it came to for
    this answer: ``CalibrationMethod`` in lower case, and the kernels' parameter vector.
    """

    pooling: str
    weighting: str = "fixed"
    calibration: str = "none"
    execution: str = "parallel"
    selection: str = "all"
    weights_version: str = ""
    calibrator_version: str = ""
    code_version: str = ""
    prompt_hash: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    curve: str = "none"
    curve_parameters: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """One member's part in an answer.

    ``raw_weight`` is the weight as it went into the pool, configured or learned (an
    input of the replay), ``weight`` its share of the present members' sum.
    ``latency_s`` is None where it means nothing, as for a recorded answer. ``begun_s``
    is when it was asked, on this process's monotonic clock: for traces, never stored.
    """

    member: str
    answer: Answer
    raw_weight: float
    weight: float = 0.0
    contribution: float = 0.0
    latency_s: float | None = None
    begun_s: float | None = field(default=None, repr=False, compare=False)

    @property
    def forecast(self) -> Forecast | None:
        """The forecast, if there is one."""
        return self.answer if isinstance(self.answer, Forecast) else None

    @property
    def absent(self) -> Absent | None:
        """The absence, if it is one."""
        return self.answer if isinstance(self.answer, Absent) else None


@dataclass(frozen=True, slots=True)
class NumericResult:
    """A number as a distribution: cumulative probabilities at the grid points."""

    grid: tuple[float, ...]
    cumulative: tuple[float, ...]
    median: float
    unit: str
    interval: Interval | None = None


class CacheKind(StrEnum):
    """How a kept answer was found."""

    EXACT = "exact"
    SHARED = "shared"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class CacheHit:
    """Where a cached answer comes from; see ``prediction.proto`` for each field."""

    kind: CacheKind
    age_s: float
    prediction_id: str
    question_id: str
    similarity: float = 1.0
    saved_nano_usd: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """The caller's trace, as W3C Trace Context writes it: ``traceparent`` and ``tracestate``."""

    parent: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One ensemble answer; see ``prediction.proto`` for each field.

    ``computation`` is what a replay needs besides the members' answers; None in
    records that are older than it. ``attempts`` are the calls that were made for it,
    ``prompts`` what they sent, where that is kept. ``trace``: the caller's, if it has one.
    """

    id: str
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
    method: Method
    request_id: str = ""
    durable: bool = False
    cached: bool = False
    warnings: tuple[str, ...] = ()
    explanation: str = ""
    numeric: NumericResult | None = None
    votes: tuple[int, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    label_set: LabelSet | None = None
    doubt: float | None = None
    cache_hit: CacheHit | None = None
    experiment: str = ""
    arm: str = ""
    computation: Computation | None = None
    attempts: tuple[Attempted, ...] = ()
    prompts: tuple[SentPrompt, ...] = ()
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class FailedPrediction:
    """A prediction that ended in an error; ``members`` and ``attempts`` where any were asked.

    ``detail`` is the error's message, which may quote the caller.
    """

    ensemble: str
    reason: str
    elapsed_s: float
    members: tuple[MemberAnswer, ...] = ()
    detail: str = ""
    attempts: tuple[Attempted, ...] = ()
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """What is stored: the question as asked, the answer, and who asked."""

    prediction: Prediction
    question: Question
    caller: str = ""
    late: tuple[MemberAnswer, ...] = ()
