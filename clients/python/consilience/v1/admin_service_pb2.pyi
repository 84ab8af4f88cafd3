import datetime

from consilience.v1 import prediction_pb2 as _prediction_pb2
from consilience.v1 import question_pb2 as _question_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OperatingMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATING_MODE_UNSPECIFIED: _ClassVar[OperatingMode]
    OPERATING_MODE_NORMAL: _ClassVar[OperatingMode]
    OPERATING_MODE_REDUCED: _ClassVar[OperatingMode]
    OPERATING_MODE_CACHED_ONLY: _ClassVar[OperatingMode]
    OPERATING_MODE_MARKET_ONLY: _ClassVar[OperatingMode]
    OPERATING_MODE_HALT: _ClassVar[OperatingMode]

class SpendingControl(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPENDING_CONTROL_UNSPECIFIED: _ClassVar[SpendingControl]
    SPENDING_CONTROL_NONE: _ClassVar[SpendingControl]
    SPENDING_CONTROL_CHEAPER: _ClassVar[SpendingControl]
    SPENDING_CONTROL_CASCADE: _ClassVar[SpendingControl]
    SPENDING_CONTROL_STOP: _ClassVar[SpendingControl]

class TrainingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_STATE_UNSPECIFIED: _ClassVar[TrainingState]
    TRAINING_STATE_PENDING: _ClassVar[TrainingState]
    TRAINING_STATE_RUNNING: _ClassVar[TrainingState]
    TRAINING_STATE_DONE: _ClassVar[TrainingState]
    TRAINING_STATE_FAILED: _ClassVar[TrainingState]
    TRAINING_STATE_CANCELLED: _ClassVar[TrainingState]

class ReplayVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPLAY_VERDICT_UNSPECIFIED: _ClassVar[ReplayVerdict]
    REPLAY_VERDICT_IDENTICAL: _ClassVar[ReplayVerdict]
    REPLAY_VERDICT_EQUIVALENT: _ClassVar[ReplayVerdict]
    REPLAY_VERDICT_DIFFERENT: _ClassVar[ReplayVerdict]

class ExperimentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPERIMENT_STATE_UNSPECIFIED: _ClassVar[ExperimentState]
    EXPERIMENT_STATE_RUNNING: _ClassVar[ExperimentState]
    EXPERIMENT_STATE_PROMOTED: _ClassVar[ExperimentState]
    EXPERIMENT_STATE_ROLLED_BACK: _ClassVar[ExperimentState]
OPERATING_MODE_UNSPECIFIED: OperatingMode
OPERATING_MODE_NORMAL: OperatingMode
OPERATING_MODE_REDUCED: OperatingMode
OPERATING_MODE_CACHED_ONLY: OperatingMode
OPERATING_MODE_MARKET_ONLY: OperatingMode
OPERATING_MODE_HALT: OperatingMode
SPENDING_CONTROL_UNSPECIFIED: SpendingControl
SPENDING_CONTROL_NONE: SpendingControl
SPENDING_CONTROL_CHEAPER: SpendingControl
SPENDING_CONTROL_CASCADE: SpendingControl
SPENDING_CONTROL_STOP: SpendingControl
TRAINING_STATE_UNSPECIFIED: TrainingState
TRAINING_STATE_PENDING: TrainingState
TRAINING_STATE_RUNNING: TrainingState
TRAINING_STATE_DONE: TrainingState
TRAINING_STATE_FAILED: TrainingState
TRAINING_STATE_CANCELLED: TrainingState
REPLAY_VERDICT_UNSPECIFIED: ReplayVerdict
REPLAY_VERDICT_IDENTICAL: ReplayVerdict
REPLAY_VERDICT_EQUIVALENT: ReplayVerdict
REPLAY_VERDICT_DIFFERENT: ReplayVerdict
EXPERIMENT_STATE_UNSPECIFIED: ExperimentState
EXPERIMENT_STATE_RUNNING: ExperimentState
EXPERIMENT_STATE_PROMOTED: ExperimentState
EXPERIMENT_STATE_ROLLED_BACK: ExperimentState

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "start_time", "ensembles", "mode", "poolings", "executions", "selections", "calibrations", "predictions_in_flight", "predictions_answered", "storage", "last_prediction", "weightings", "learning", "mode_status", "cache", "budgets")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    ENSEMBLES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    POOLINGS_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    SELECTIONS_FIELD_NUMBER: _ClassVar[int]
    CALIBRATIONS_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_ANSWERED_FIELD_NUMBER: _ClassVar[int]
    STORAGE_FIELD_NUMBER: _ClassVar[int]
    LAST_PREDICTION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    LEARNING_FIELD_NUMBER: _ClassVar[int]
    MODE_STATUS_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    version: str
    start_time: _timestamp_pb2.Timestamp
    ensembles: _containers.RepeatedCompositeFieldContainer[EnsembleStatus]
    mode: OperatingMode
    poolings: _containers.RepeatedScalarFieldContainer[str]
    executions: _containers.RepeatedScalarFieldContainer[str]
    selections: _containers.RepeatedScalarFieldContainer[str]
    calibrations: _containers.RepeatedScalarFieldContainer[str]
    predictions_in_flight: int
    predictions_answered: int
    storage: str
    last_prediction: _prediction_pb2.Prediction
    weightings: _containers.RepeatedScalarFieldContainer[str]
    learning: LearningStatus
    mode_status: ModeStatus
    cache: CacheStatus
    budgets: _containers.RepeatedCompositeFieldContainer[BudgetStatus]
    def __init__(self, version: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ensembles: _Optional[_Iterable[_Union[EnsembleStatus, _Mapping]]] = ..., mode: _Optional[_Union[OperatingMode, str]] = ..., poolings: _Optional[_Iterable[str]] = ..., executions: _Optional[_Iterable[str]] = ..., selections: _Optional[_Iterable[str]] = ..., calibrations: _Optional[_Iterable[str]] = ..., predictions_in_flight: _Optional[int] = ..., predictions_answered: _Optional[int] = ..., storage: _Optional[str] = ..., last_prediction: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ..., weightings: _Optional[_Iterable[str]] = ..., learning: _Optional[_Union[LearningStatus, _Mapping]] = ..., mode_status: _Optional[_Union[ModeStatus, _Mapping]] = ..., cache: _Optional[_Union[CacheStatus, _Mapping]] = ..., budgets: _Optional[_Iterable[_Union[BudgetStatus, _Mapping]]] = ...) -> None: ...

class ModeStatus(_message.Message):
    __slots__ = ("mode", "reason", "since_time", "manual", "until_time", "measured")
    class MeasuredEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    MANUAL_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    mode: OperatingMode
    reason: str
    since_time: _timestamp_pb2.Timestamp
    manual: bool
    until_time: _timestamp_pb2.Timestamp
    measured: _containers.ScalarMap[str, float]
    def __init__(self, mode: _Optional[_Union[OperatingMode, str]] = ..., reason: _Optional[str] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., manual: bool = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., measured: _Optional[_Mapping[str, float]] = ...) -> None: ...

class CacheStatus(_message.Message):
    __slots__ = ("entries", "capacity", "exact_hits", "shared_hits", "similar_hits", "misses", "saved_nano_usd")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    EXACT_HITS_FIELD_NUMBER: _ClassVar[int]
    SHARED_HITS_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_HITS_FIELD_NUMBER: _ClassVar[int]
    MISSES_FIELD_NUMBER: _ClassVar[int]
    SAVED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    entries: int
    capacity: int
    exact_hits: int
    shared_hits: int
    similar_hits: int
    misses: int
    saved_nano_usd: int
    def __init__(self, entries: _Optional[int] = ..., capacity: _Optional[int] = ..., exact_hits: _Optional[int] = ..., shared_hits: _Optional[int] = ..., similar_hits: _Optional[int] = ..., misses: _Optional[int] = ..., saved_nano_usd: _Optional[int] = ...) -> None: ...

class SetModeRequest(_message.Message):
    __slots__ = ("mode", "reason", "duration")
    MODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    mode: OperatingMode
    reason: str
    duration: _duration_pb2.Duration
    def __init__(self, mode: _Optional[_Union[OperatingMode, str]] = ..., reason: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SetModeResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: ModeStatus
    def __init__(self, status: _Optional[_Union[ModeStatus, _Mapping]] = ...) -> None: ...

class LearningStatus(_message.Message):
    __slots__ = ("version", "answers", "outcomes", "belief", "ready")
    class BeliefEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    BELIEF_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    version: str
    answers: int
    outcomes: int
    belief: _containers.ScalarMap[str, float]
    ready: bool
    def __init__(self, version: _Optional[str] = ..., answers: _Optional[int] = ..., outcomes: _Optional[int] = ..., belief: _Optional[_Mapping[str, float]] = ..., ready: bool = ...) -> None: ...

class EnsembleStatus(_message.Message):
    __slots__ = ("name", "is_default", "method", "member_count", "enabled_count", "etag", "outcomes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    ENABLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    name: str
    is_default: bool
    method: _prediction_pb2.Method
    member_count: int
    enabled_count: int
    etag: str
    outcomes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., is_default: bool = ..., method: _Optional[_Union[_prediction_pb2.Method, _Mapping]] = ..., member_count: _Optional[int] = ..., enabled_count: _Optional[int] = ..., etag: _Optional[str] = ..., outcomes: _Optional[_Iterable[str]] = ...) -> None: ...

class ListMembersRequest(_message.Message):
    __slots__ = ("ensemble", "page_size", "page_token")
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    page_size: int
    page_token: str
    def __init__(self, ensemble: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMembersResponse(_message.Message):
    __slots__ = ("members", "next_page_token")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    next_page_token: str
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("name", "kind", "provider", "model", "enabled", "weight", "timeout", "min_confidence", "accuracy", "mean_cost_nano_usd", "mean_latency", "answers", "absences", "etag", "circuit", "selection_state", "selection_reason", "profit_factor")
    class AbsencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    MEAN_COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    MEAN_LATENCY_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    ABSENCES_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CIRCUIT_FIELD_NUMBER: _ClassVar[int]
    SELECTION_STATE_FIELD_NUMBER: _ClassVar[int]
    SELECTION_REASON_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    provider: str
    model: str
    enabled: bool
    weight: float
    timeout: _duration_pb2.Duration
    min_confidence: float
    accuracy: float
    mean_cost_nano_usd: int
    mean_latency: _duration_pb2.Duration
    answers: int
    absences: _containers.ScalarMap[str, int]
    etag: str
    circuit: str
    selection_state: str
    selection_reason: str
    profit_factor: float
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., provider: _Optional[str] = ..., model: _Optional[str] = ..., enabled: bool = ..., weight: _Optional[float] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., min_confidence: _Optional[float] = ..., accuracy: _Optional[float] = ..., mean_cost_nano_usd: _Optional[int] = ..., mean_latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., answers: _Optional[int] = ..., absences: _Optional[_Mapping[str, int]] = ..., etag: _Optional[str] = ..., circuit: _Optional[str] = ..., selection_state: _Optional[str] = ..., selection_reason: _Optional[str] = ..., profit_factor: _Optional[float] = ...) -> None: ...

class UpdateMemberRequest(_message.Message):
    __slots__ = ("ensemble", "member", "etag", "enabled", "weight", "timeout", "min_confidence", "accuracy", "profit_factor")
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FACTOR_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    member: str
    etag: str
    enabled: bool
    weight: float
    timeout: _duration_pb2.Duration
    min_confidence: float
    accuracy: float
    profit_factor: float
    def __init__(self, ensemble: _Optional[str] = ..., member: _Optional[str] = ..., etag: _Optional[str] = ..., enabled: bool = ..., weight: _Optional[float] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., min_confidence: _Optional[float] = ..., accuracy: _Optional[float] = ..., profit_factor: _Optional[float] = ...) -> None: ...

class UpdateMemberResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: Member
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ...) -> None: ...

class AddMemberRequest(_message.Message):
    __slots__ = ("ensemble", "member", "etag", "definition")
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    member: Member
    etag: str
    definition: str
    def __init__(self, ensemble: _Optional[str] = ..., member: _Optional[_Union[Member, _Mapping]] = ..., etag: _Optional[str] = ..., definition: _Optional[str] = ...) -> None: ...

class AddMemberResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: Member
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ...) -> None: ...

class RemoveMemberRequest(_message.Message):
    __slots__ = ("ensemble", "member", "etag")
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    member: str
    etag: str
    def __init__(self, ensemble: _Optional[str] = ..., member: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class RemoveMemberResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetStrategyRequest(_message.Message):
    __slots__ = ("ensemble", "etag", "pooling", "weighting", "calibration", "execution", "selection", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    POOLING_FIELD_NUMBER: _ClassVar[int]
    WEIGHTING_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    etag: str
    pooling: str
    weighting: str
    calibration: str
    execution: str
    selection: str
    parameters: _containers.ScalarMap[str, float]
    def __init__(self, ensemble: _Optional[str] = ..., etag: _Optional[str] = ..., pooling: _Optional[str] = ..., weighting: _Optional[str] = ..., calibration: _Optional[str] = ..., execution: _Optional[str] = ..., selection: _Optional[str] = ..., parameters: _Optional[_Mapping[str, float]] = ...) -> None: ...

class SetStrategyResponse(_message.Message):
    __slots__ = ("ensemble",)
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    ensemble: EnsembleStatus
    def __init__(self, ensemble: _Optional[_Union[EnsembleStatus, _Mapping]] = ...) -> None: ...

class RecordOutcomeRequest(_message.Message):
    __slots__ = ("resolutions",)
    RESOLUTIONS_FIELD_NUMBER: _ClassVar[int]
    resolutions: _containers.RepeatedCompositeFieldContainer[_question_pb2.Resolution]
    def __init__(self, resolutions: _Optional[_Iterable[_Union[_question_pb2.Resolution, _Mapping]]] = ...) -> None: ...

class RecordOutcomeResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RecordOutcomeResult]
    def __init__(self, results: _Optional[_Iterable[_Union[RecordOutcomeResult, _Mapping]]] = ...) -> None: ...

class RecordOutcomeResult(_message.Message):
    __slots__ = ("question_id", "version", "scored_forecasts", "error")
    QUESTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SCORED_FORECASTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    question_id: str
    version: int
    scored_forecasts: int
    error: str
    def __init__(self, question_id: _Optional[str] = ..., version: _Optional[int] = ..., scored_forecasts: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class ListPerformanceRequest(_message.Message):
    __slots__ = ("ensemble", "member", "category", "window", "regime", "page_size", "page_token", "horizon")
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    REGIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    member: str
    category: str
    window: str
    regime: str
    page_size: int
    page_token: str
    horizon: str
    def __init__(self, ensemble: _Optional[str] = ..., member: _Optional[str] = ..., category: _Optional[str] = ..., window: _Optional[str] = ..., regime: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., horizon: _Optional[str] = ...) -> None: ...

class ListPerformanceResponse(_message.Message):
    __slots__ = ("performances", "next_page_token", "correlation")
    PERFORMANCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    performances: _containers.RepeatedCompositeFieldContainer[Performance]
    next_page_token: str
    correlation: ErrorCorrelation
    def __init__(self, performances: _Optional[_Iterable[_Union[Performance, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., correlation: _Optional[_Union[ErrorCorrelation, _Mapping]] = ...) -> None: ...

class ErrorCorrelation(_message.Message):
    __slots__ = ("members", "values", "effective_members")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedScalarFieldContainer[str]
    values: _containers.RepeatedScalarFieldContainer[float]
    effective_members: float
    def __init__(self, members: _Optional[_Iterable[str]] = ..., values: _Optional[_Iterable[float]] = ..., effective_members: _Optional[float] = ...) -> None: ...

class Performance(_message.Message):
    __slots__ = ("member", "category", "regime", "horizon", "window", "count", "accuracy", "brier", "log_score", "calibration_error", "bias", "calibration_slope", "mean_latency", "mean_cost_nano_usd", "profit_factor", "contribution", "excess")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    REGIME_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    BRIER_FIELD_NUMBER: _ClassVar[int]
    LOG_SCORE_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_ERROR_FIELD_NUMBER: _ClassVar[int]
    BIAS_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_SLOPE_FIELD_NUMBER: _ClassVar[int]
    MEAN_LATENCY_FIELD_NUMBER: _ClassVar[int]
    MEAN_COST_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FACTOR_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    member: str
    category: str
    regime: str
    horizon: str
    window: str
    count: int
    accuracy: float
    brier: float
    log_score: float
    calibration_error: float
    bias: float
    calibration_slope: float
    mean_latency: _duration_pb2.Duration
    mean_cost_nano_usd: int
    profit_factor: float
    contribution: float
    excess: float
    def __init__(self, member: _Optional[str] = ..., category: _Optional[str] = ..., regime: _Optional[str] = ..., horizon: _Optional[str] = ..., window: _Optional[str] = ..., count: _Optional[int] = ..., accuracy: _Optional[float] = ..., brier: _Optional[float] = ..., log_score: _Optional[float] = ..., calibration_error: _Optional[float] = ..., bias: _Optional[float] = ..., calibration_slope: _Optional[float] = ..., mean_latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., mean_cost_nano_usd: _Optional[int] = ..., profit_factor: _Optional[float] = ..., contribution: _Optional[float] = ..., excess: _Optional[float] = ...) -> None: ...

class GetSpendRequest(_message.Message):
    __slots__ = ("start_time", "end_time", "group_by")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    group_by: str
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., group_by: _Optional[str] = ...) -> None: ...

class GetSpendResponse(_message.Message):
    __slots__ = ("spends", "budgets")
    SPENDS_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    spends: _containers.RepeatedCompositeFieldContainer[Spend]
    budgets: _containers.RepeatedCompositeFieldContainer[BudgetStatus]
    def __init__(self, spends: _Optional[_Iterable[_Union[Spend, _Mapping]]] = ..., budgets: _Optional[_Iterable[_Union[BudgetStatus, _Mapping]]] = ...) -> None: ...

class Spend(_message.Message):
    __slots__ = ("group", "settled_nano_usd", "estimated_nano_usd", "reserved_nano_usd", "calls", "unpriced_calls")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    SETTLED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    RESERVED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_CALLS_FIELD_NUMBER: _ClassVar[int]
    group: str
    settled_nano_usd: int
    estimated_nano_usd: int
    reserved_nano_usd: int
    calls: int
    unpriced_calls: int
    def __init__(self, group: _Optional[str] = ..., settled_nano_usd: _Optional[int] = ..., estimated_nano_usd: _Optional[int] = ..., reserved_nano_usd: _Optional[int] = ..., calls: _Optional[int] = ..., unpriced_calls: _Optional[int] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("name", "scope", "limit_nano_usd", "window")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    name: str
    scope: str
    limit_nano_usd: int
    window: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., scope: _Optional[str] = ..., limit_nano_usd: _Optional[int] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class BudgetStatus(_message.Message):
    __slots__ = ("budget", "settled_nano_usd", "reserved_nano_usd", "window_start_time", "used", "control")
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    SETTLED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    RESERVED_NANO_USD_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_TIME_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    budget: Budget
    settled_nano_usd: int
    reserved_nano_usd: int
    window_start_time: _timestamp_pb2.Timestamp
    used: float
    control: SpendingControl
    def __init__(self, budget: _Optional[_Union[Budget, _Mapping]] = ..., settled_nano_usd: _Optional[int] = ..., reserved_nano_usd: _Optional[int] = ..., window_start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., used: _Optional[float] = ..., control: _Optional[_Union[SpendingControl, str]] = ...) -> None: ...

class SetBudgetRequest(_message.Message):
    __slots__ = ("budget", "remove")
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    budget: Budget
    remove: bool
    def __init__(self, budget: _Optional[_Union[Budget, _Mapping]] = ..., remove: bool = ...) -> None: ...

class SetBudgetResponse(_message.Message):
    __slots__ = ("budget",)
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    budget: BudgetStatus
    def __init__(self, budget: _Optional[_Union[BudgetStatus, _Mapping]] = ...) -> None: ...

class StartTrainingRequest(_message.Message):
    __slots__ = ("architecture", "dataset", "epochs", "batch_size", "seed", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    architecture: str
    dataset: str
    epochs: int
    batch_size: int
    seed: int
    parameters: _containers.ScalarMap[str, float]
    def __init__(self, architecture: _Optional[str] = ..., dataset: _Optional[str] = ..., epochs: _Optional[int] = ..., batch_size: _Optional[int] = ..., seed: _Optional[int] = ..., parameters: _Optional[_Mapping[str, float]] = ...) -> None: ...

class StartTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: Training
    def __init__(self, training: _Optional[_Union[Training, _Mapping]] = ...) -> None: ...

class GetTrainingRequest(_message.Message):
    __slots__ = ("training_id",)
    TRAINING_ID_FIELD_NUMBER: _ClassVar[int]
    training_id: str
    def __init__(self, training_id: _Optional[str] = ...) -> None: ...

class GetTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: Training
    def __init__(self, training: _Optional[_Union[Training, _Mapping]] = ...) -> None: ...

class CancelTrainingRequest(_message.Message):
    __slots__ = ("training_id",)
    TRAINING_ID_FIELD_NUMBER: _ClassVar[int]
    training_id: str
    def __init__(self, training_id: _Optional[str] = ...) -> None: ...

class CancelTrainingResponse(_message.Message):
    __slots__ = ("training",)
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    training: Training
    def __init__(self, training: _Optional[_Union[Training, _Mapping]] = ...) -> None: ...

class Training(_message.Message):
    __slots__ = ("id", "architecture", "state", "epoch", "total_epochs", "loss", "best_loss", "progress_percent", "metrics", "error", "start_time", "artifact")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EPOCHS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    BEST_LOSS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_PERCENT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    id: str
    architecture: str
    state: TrainingState
    epoch: int
    total_epochs: int
    loss: float
    best_loss: float
    progress_percent: float
    metrics: _containers.ScalarMap[str, float]
    error: str
    start_time: _timestamp_pb2.Timestamp
    artifact: str
    def __init__(self, id: _Optional[str] = ..., architecture: _Optional[str] = ..., state: _Optional[_Union[TrainingState, str]] = ..., epoch: _Optional[int] = ..., total_epochs: _Optional[int] = ..., loss: _Optional[float] = ..., best_loss: _Optional[float] = ..., progress_percent: _Optional[float] = ..., metrics: _Optional[_Mapping[str, float]] = ..., error: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., artifact: _Optional[str] = ...) -> None: ...

class ListPredictionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "question_id", "start_time", "end_time")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    QUESTION_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    question_id: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., question_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPredictionsResponse(_message.Message):
    __slots__ = ("predictions", "next_page_token")
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[_prediction_pb2.Prediction]
    next_page_token: str
    def __init__(self, predictions: _Optional[_Iterable[_Union[_prediction_pb2.Prediction, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReplayPredictionRequest(_message.Message):
    __slots__ = ("prediction_id",)
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    prediction_id: str
    def __init__(self, prediction_id: _Optional[str] = ...) -> None: ...

class ReplayPredictionResponse(_message.Message):
    __slots__ = ("stored", "replayed", "verdict", "differences", "stored_build", "build")
    STORED_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    STORED_BUILD_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    stored: _prediction_pb2.Prediction
    replayed: _prediction_pb2.Prediction
    verdict: ReplayVerdict
    differences: _containers.RepeatedScalarFieldContainer[str]
    stored_build: str
    build: str
    def __init__(self, stored: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ..., replayed: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ..., verdict: _Optional[_Union[ReplayVerdict, str]] = ..., differences: _Optional[_Iterable[str]] = ..., stored_build: _Optional[str] = ..., build: _Optional[str] = ...) -> None: ...

class WatchEventsRequest(_message.Message):
    __slots__ = ("kinds",)
    KINDS_FIELD_NUMBER: _ClassVar[int]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kinds: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("time", "kind", "subject", "message", "prediction", "figures", "lost")
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    kind: str
    subject: str
    message: str
    prediction: _prediction_pb2.Prediction
    figures: _containers.ScalarMap[str, float]
    lost: int
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[str] = ..., subject: _Optional[str] = ..., message: _Optional[str] = ..., prediction: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ..., figures: _Optional[_Mapping[str, float]] = ..., lost: _Optional[int] = ...) -> None: ...

class ErasePredictionsRequest(_message.Message):
    __slots__ = ("question_id", "before_time", "reason")
    QUESTION_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    question_id: str
    before_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, question_id: _Optional[str] = ..., before_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class ErasePredictionsResponse(_message.Message):
    __slots__ = ("erased",)
    ERASED_FIELD_NUMBER: _ClassVar[int]
    erased: int
    def __init__(self, erased: _Optional[int] = ...) -> None: ...

class ListExperimentsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListExperimentsResponse(_message.Message):
    __slots__ = ("experiments",)
    EXPERIMENTS_FIELD_NUMBER: _ClassVar[int]
    experiments: _containers.RepeatedCompositeFieldContainer[Experiment]
    def __init__(self, experiments: _Optional[_Iterable[_Union[Experiment, _Mapping]]] = ...) -> None: ...

class GetExperimentRequest(_message.Message):
    __slots__ = ("experiment",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    def __init__(self, experiment: _Optional[str] = ...) -> None: ...

class GetExperimentResponse(_message.Message):
    __slots__ = ("experiment", "reports", "level")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    reports: _containers.RepeatedCompositeFieldContainer[ArmReport]
    level: float
    def __init__(self, experiment: _Optional[_Union[Experiment, _Mapping]] = ..., reports: _Optional[_Iterable[_Union[ArmReport, _Mapping]]] = ..., level: _Optional[float] = ...) -> None: ...

class UpdateExperimentRequest(_message.Message):
    __slots__ = ("experiment", "etag", "state", "arm")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    etag: str
    state: ExperimentState
    arm: str
    def __init__(self, experiment: _Optional[str] = ..., etag: _Optional[str] = ..., state: _Optional[_Union[ExperimentState, str]] = ..., arm: _Optional[str] = ...) -> None: ...

class UpdateExperimentResponse(_message.Message):
    __slots__ = ("experiment",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    def __init__(self, experiment: _Optional[_Union[Experiment, _Mapping]] = ...) -> None: ...

class Experiment(_message.Message):
    __slots__ = ("name", "ensemble", "unit", "arms", "state", "promoted", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    ensemble: str
    unit: str
    arms: _containers.RepeatedCompositeFieldContainer[ExperimentArm]
    state: ExperimentState
    promoted: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., ensemble: _Optional[str] = ..., unit: _Optional[str] = ..., arms: _Optional[_Iterable[_Union[ExperimentArm, _Mapping]]] = ..., state: _Optional[_Union[ExperimentState, str]] = ..., promoted: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ExperimentArm(_message.Message):
    __slots__ = ("name", "share", "options")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    share: float
    options: _prediction_pb2.PredictOptions
    def __init__(self, name: _Optional[str] = ..., share: _Optional[float] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ...) -> None: ...

class ArmReport(_message.Message):
    __slots__ = ("arm", "predictions", "resolved", "brier", "difference", "low", "high", "finding")
    ARM_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_FIELD_NUMBER: _ClassVar[int]
    BRIER_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    arm: str
    predictions: int
    resolved: int
    brier: float
    difference: float
    low: float
    high: float
    finding: str
    def __init__(self, arm: _Optional[str] = ..., predictions: _Optional[int] = ..., resolved: _Optional[int] = ..., brier: _Optional[float] = ..., difference: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., finding: _Optional[str] = ...) -> None: ...
