import datetime

from consilience.v1 import forecast_pb2 as _forecast_pb2
from consilience.v1 import money_pb2 as _money_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Durability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DURABILITY_UNSPECIFIED: _ClassVar[Durability]
    DURABILITY_DURABLE: _ClassVar[Durability]
    DURABILITY_DEADLINE_FIRST: _ClassVar[Durability]
    DURABILITY_NONE: _ClassVar[Durability]

class CacheHitKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CACHE_HIT_KIND_UNSPECIFIED: _ClassVar[CacheHitKind]
    CACHE_HIT_KIND_EXACT: _ClassVar[CacheHitKind]
    CACHE_HIT_KIND_SHARED: _ClassVar[CacheHitKind]
    CACHE_HIT_KIND_SIMILAR: _ClassVar[CacheHitKind]

class DecisionAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_ACTION_UNSPECIFIED: _ClassVar[DecisionAction]
    DECISION_ACTION_PROCEED: _ClassVar[DecisionAction]
    DECISION_ACTION_REDUCE: _ClassVar[DecisionAction]
    DECISION_ACTION_ABSTAIN: _ClassVar[DecisionAction]
DURABILITY_UNSPECIFIED: Durability
DURABILITY_DURABLE: Durability
DURABILITY_DEADLINE_FIRST: Durability
DURABILITY_NONE: Durability
CACHE_HIT_KIND_UNSPECIFIED: CacheHitKind
CACHE_HIT_KIND_EXACT: CacheHitKind
CACHE_HIT_KIND_SHARED: CacheHitKind
CACHE_HIT_KIND_SIMILAR: CacheHitKind
DECISION_ACTION_UNSPECIFIED: DecisionAction
DECISION_ACTION_PROCEED: DecisionAction
DECISION_ACTION_REDUCE: DecisionAction
DECISION_ACTION_ABSTAIN: DecisionAction

class PredictOptions(_message.Message):
    __slots__ = ("ensemble", "members", "pooling", "execution", "selection", "calibration", "deadline", "member_timeout", "min_responses", "min_agreement", "high_agreement", "early_stop_threshold", "max_cost_nano_usd", "share_market_price", "durability", "weights", "tags", "max_age", "min_consensus", "hedge_delay", "confidence_threshold", "weighting", "similar")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    POOLING_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MIN_RESPONSES_FIELD_NUMBER: _ClassVar[int]
    MIN_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    HIGH_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOP_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    SHARE_MARKET_PRICE_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    MIN_CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    HEDGE_DELAY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    WEIGHTING_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    members: _containers.RepeatedScalarFieldContainer[str]
    pooling: str
    execution: str
    selection: str
    calibration: str
    deadline: _duration_pb2.Duration
    member_timeout: _duration_pb2.Duration
    min_responses: int
    min_agreement: float
    high_agreement: float
    early_stop_threshold: float
    max_cost_nano_usd: int
    share_market_price: bool
    durability: Durability
    weights: _containers.ScalarMap[str, float]
    tags: _containers.ScalarMap[str, str]
    max_age: _duration_pb2.Duration
    min_consensus: float
    hedge_delay: _duration_pb2.Duration
    confidence_threshold: float
    weighting: str
    similar: bool
    def __init__(self, ensemble: _Optional[str] = ..., members: _Optional[_Iterable[str]] = ..., pooling: _Optional[str] = ..., execution: _Optional[str] = ..., selection: _Optional[str] = ..., calibration: _Optional[str] = ..., deadline: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., member_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., min_responses: _Optional[int] = ..., min_agreement: _Optional[float] = ..., high_agreement: _Optional[float] = ..., early_stop_threshold: _Optional[float] = ..., max_cost_nano_usd: _Optional[int] = ..., share_market_price: bool = ..., durability: _Optional[_Union[Durability, str]] = ..., weights: _Optional[_Mapping[str, float]] = ..., tags: _Optional[_Mapping[str, str]] = ..., max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., min_consensus: _Optional[float] = ..., hedge_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., confidence_threshold: _Optional[float] = ..., weighting: _Optional[str] = ..., similar: bool = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("id", "request_id", "question_id", "ensemble", "outcomes", "probabilities", "outcome", "confidence", "meta_confidence", "agreement", "interval", "decision", "members", "cost", "create_time", "elapsed", "durable", "cached", "warnings", "explanation", "method", "numeric", "votes", "tags", "raw_probabilities", "label_set", "doubt", "cache_hit", "experiment", "arm")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    QUESTION_ID_FIELD_NUMBER: _ClassVar[int]
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    META_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NUMERIC_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    RAW_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    LABEL_SET_FIELD_NUMBER: _ClassVar[int]
    DOUBT_FIELD_NUMBER: _ClassVar[int]
    CACHE_HIT_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    id: str
    request_id: str
    question_id: str
    ensemble: str
    outcomes: _containers.RepeatedScalarFieldContainer[str]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    outcome: str
    confidence: float
    meta_confidence: float
    agreement: Agreement
    interval: Interval
    decision: Decision
    members: _containers.RepeatedCompositeFieldContainer[_forecast_pb2.MemberAnswer]
    cost: _money_pb2.Cost
    create_time: _timestamp_pb2.Timestamp
    elapsed: _duration_pb2.Duration
    durable: bool
    cached: bool
    warnings: _containers.RepeatedScalarFieldContainer[str]
    explanation: str
    method: Method
    numeric: NumericForecast
    votes: _containers.RepeatedScalarFieldContainer[int]
    tags: _containers.ScalarMap[str, str]
    raw_probabilities: _containers.RepeatedScalarFieldContainer[float]
    label_set: LabelSet
    doubt: float
    cache_hit: CacheHit
    experiment: str
    arm: str
    def __init__(self, id: _Optional[str] = ..., request_id: _Optional[str] = ..., question_id: _Optional[str] = ..., ensemble: _Optional[str] = ..., outcomes: _Optional[_Iterable[str]] = ..., probabilities: _Optional[_Iterable[float]] = ..., outcome: _Optional[str] = ..., confidence: _Optional[float] = ..., meta_confidence: _Optional[float] = ..., agreement: _Optional[_Union[Agreement, _Mapping]] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., members: _Optional[_Iterable[_Union[_forecast_pb2.MemberAnswer, _Mapping]]] = ..., cost: _Optional[_Union[_money_pb2.Cost, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., durable: bool = ..., cached: bool = ..., warnings: _Optional[_Iterable[str]] = ..., explanation: _Optional[str] = ..., method: _Optional[_Union[Method, _Mapping]] = ..., numeric: _Optional[_Union[NumericForecast, _Mapping]] = ..., votes: _Optional[_Iterable[int]] = ..., tags: _Optional[_Mapping[str, str]] = ..., raw_probabilities: _Optional[_Iterable[float]] = ..., label_set: _Optional[_Union[LabelSet, _Mapping]] = ..., doubt: _Optional[float] = ..., cache_hit: _Optional[_Union[CacheHit, _Mapping]] = ..., experiment: _Optional[str] = ..., arm: _Optional[str] = ...) -> None: ...

class CacheHit(_message.Message):
    __slots__ = ("kind", "age", "prediction_id", "question_id", "similarity", "saved_nano_usd")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    QUESTION_ID_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    SAVED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    kind: CacheHitKind
    age: _duration_pb2.Duration
    prediction_id: str
    question_id: str
    similarity: float
    saved_nano_usd: int
    def __init__(self, kind: _Optional[_Union[CacheHitKind, str]] = ..., age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., prediction_id: _Optional[str] = ..., question_id: _Optional[str] = ..., similarity: _Optional[float] = ..., saved_nano_usd: _Optional[int] = ...) -> None: ...

class Agreement(_message.Message):
    __slots__ = ("vote_share", "dispersion", "effective_members", "entropy", "answered", "asked", "independent_members")
    VOTE_SHARE_FIELD_NUMBER: _ClassVar[int]
    DISPERSION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    ENTROPY_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    INDEPENDENT_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    vote_share: float
    dispersion: float
    effective_members: float
    entropy: float
    answered: int
    asked: int
    independent_members: float
    def __init__(self, vote_share: _Optional[float] = ..., dispersion: _Optional[float] = ..., effective_members: _Optional[float] = ..., entropy: _Optional[float] = ..., answered: _Optional[int] = ..., asked: _Optional[int] = ..., independent_members: _Optional[float] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("low", "high", "level", "method")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    level: float
    method: str
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ..., level: _Optional[float] = ..., method: _Optional[str] = ...) -> None: ...

class LabelSet(_message.Message):
    __slots__ = ("outcomes", "level", "method")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedScalarFieldContainer[str]
    level: float
    method: str
    def __init__(self, outcomes: _Optional[_Iterable[str]] = ..., level: _Optional[float] = ..., method: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("action", "size_multiplier", "reason")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SIZE_MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    action: DecisionAction
    size_multiplier: float
    reason: str
    def __init__(self, action: _Optional[_Union[DecisionAction, str]] = ..., size_multiplier: _Optional[float] = ..., reason: _Optional[str] = ...) -> None: ...

class Method(_message.Message):
    __slots__ = ("pooling", "weighting", "calibration", "execution", "selection", "weights_version", "calibrator_version", "code_version", "prompt_hash", "parameters", "curve", "curve_parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    POOLING_FIELD_NUMBER: _ClassVar[int]
    WEIGHTING_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_VERSION_FIELD_NUMBER: _ClassVar[int]
    CALIBRATOR_VERSION_FIELD_NUMBER: _ClassVar[int]
    CODE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_HASH_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CURVE_FIELD_NUMBER: _ClassVar[int]
    CURVE_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    pooling: str
    weighting: str
    calibration: str
    execution: str
    selection: str
    weights_version: str
    calibrator_version: str
    code_version: str
    prompt_hash: str
    parameters: _containers.ScalarMap[str, float]
    curve: str
    curve_parameters: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, pooling: _Optional[str] = ..., weighting: _Optional[str] = ..., calibration: _Optional[str] = ..., execution: _Optional[str] = ..., selection: _Optional[str] = ..., weights_version: _Optional[str] = ..., calibrator_version: _Optional[str] = ..., code_version: _Optional[str] = ..., prompt_hash: _Optional[str] = ..., parameters: _Optional[_Mapping[str, float]] = ..., curve: _Optional[str] = ..., curve_parameters: _Optional[_Iterable[float]] = ...) -> None: ...

class NumericForecast(_message.Message):
    __slots__ = ("grid", "cumulative", "median", "unit", "interval")
    GRID_FIELD_NUMBER: _ClassVar[int]
    CUMULATIVE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    grid: _containers.RepeatedScalarFieldContainer[float]
    cumulative: _containers.RepeatedScalarFieldContainer[float]
    median: float
    unit: str
    interval: Interval
    def __init__(self, grid: _Optional[_Iterable[float]] = ..., cumulative: _Optional[_Iterable[float]] = ..., median: _Optional[float] = ..., unit: _Optional[str] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...
