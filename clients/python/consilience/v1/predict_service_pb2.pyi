import datetime

from consilience.v1 import forecast_pb2 as _forecast_pb2
from consilience.v1 import money_pb2 as _money_pb2
from consilience.v1 import prediction_pb2 as _prediction_pb2
from consilience.v1 import question_pb2 as _question_pb2
from consilience.v1 import tensor_pb2 as _tensor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PredictionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PREDICTION_STATE_UNSPECIFIED: _ClassVar[PredictionState]
    PREDICTION_STATE_RUNNING: _ClassVar[PredictionState]
    PREDICTION_STATE_DONE: _ClassVar[PredictionState]
    PREDICTION_STATE_FAILED: _ClassVar[PredictionState]
PREDICTION_STATE_UNSPECIFIED: PredictionState
PREDICTION_STATE_RUNNING: PredictionState
PREDICTION_STATE_DONE: PredictionState
PREDICTION_STATE_FAILED: PredictionState

class PredictRequest(_message.Message):
    __slots__ = ("question", "options", "request_id")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    question: _question_pb2.Question
    options: _prediction_pb2.PredictOptions
    request_id: str
    def __init__(self, question: _Optional[_Union[_question_pb2.Question, _Mapping]] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("prediction",)
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    prediction: _prediction_pb2.Prediction
    def __init__(self, prediction: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ...) -> None: ...

class BatchPredictRequest(_message.Message):
    __slots__ = ("questions", "options", "request_id")
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    questions: _containers.RepeatedCompositeFieldContainer[_question_pb2.Question]
    options: _prediction_pb2.PredictOptions
    request_id: str
    def __init__(self, questions: _Optional[_Iterable[_Union[_question_pb2.Question, _Mapping]]] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class BatchPredictResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchPredictResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchPredictResult, _Mapping]]] = ...) -> None: ...

class BatchPredictResult(_message.Message):
    __slots__ = ("prediction", "failure")
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    prediction: _prediction_pb2.Prediction
    failure: BatchPredictFailure
    def __init__(self, prediction: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ..., failure: _Optional[_Union[BatchPredictFailure, _Mapping]] = ...) -> None: ...

class BatchPredictFailure(_message.Message):
    __slots__ = ("code", "message", "reason")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    reason: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class AggregateRequest(_message.Message):
    __slots__ = ("probabilities", "outcome_count", "matrix", "weights", "pooling", "parameters", "min_agreement", "high_agreement")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_COUNT_FIELD_NUMBER: _ClassVar[int]
    MATRIX_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    POOLING_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    MIN_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    HIGH_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    outcome_count: int
    matrix: _tensor_pb2.Tensor
    weights: _containers.RepeatedScalarFieldContainer[float]
    pooling: str
    parameters: _containers.ScalarMap[str, float]
    min_agreement: float
    high_agreement: float
    def __init__(self, probabilities: _Optional[_Iterable[float]] = ..., outcome_count: _Optional[int] = ..., matrix: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., weights: _Optional[_Iterable[float]] = ..., pooling: _Optional[str] = ..., parameters: _Optional[_Mapping[str, float]] = ..., min_agreement: _Optional[float] = ..., high_agreement: _Optional[float] = ...) -> None: ...

class AggregateResponse(_message.Message):
    __slots__ = ("probabilities", "outcome_index", "confidence", "meta_confidence", "agreement", "interval", "decision", "weights", "contributions")
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_INDEX_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    META_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    outcome_index: int
    confidence: float
    meta_confidence: float
    agreement: _prediction_pb2.Agreement
    interval: _prediction_pb2.Interval
    decision: _prediction_pb2.Decision
    weights: _containers.RepeatedScalarFieldContainer[float]
    contributions: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, probabilities: _Optional[_Iterable[float]] = ..., outcome_index: _Optional[int] = ..., confidence: _Optional[float] = ..., meta_confidence: _Optional[float] = ..., agreement: _Optional[_Union[_prediction_pb2.Agreement, _Mapping]] = ..., interval: _Optional[_Union[_prediction_pb2.Interval, _Mapping]] = ..., decision: _Optional[_Union[_prediction_pb2.Decision, _Mapping]] = ..., weights: _Optional[_Iterable[float]] = ..., contributions: _Optional[_Iterable[float]] = ...) -> None: ...

class EstimateCostRequest(_message.Message):
    __slots__ = ("question", "options")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    question: _question_pb2.Question
    options: _prediction_pb2.PredictOptions
    def __init__(self, question: _Optional[_Union[_question_pb2.Question, _Mapping]] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ...) -> None: ...

class EstimateCostResponse(_message.Message):
    __slots__ = ("upper_bound", "expected", "members")
    UPPER_BOUND_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    upper_bound: _money_pb2.Cost
    expected: _money_pb2.Cost
    members: _containers.RepeatedCompositeFieldContainer[MemberCostEstimate]
    def __init__(self, upper_bound: _Optional[_Union[_money_pb2.Cost, _Mapping]] = ..., expected: _Optional[_Union[_money_pb2.Cost, _Mapping]] = ..., members: _Optional[_Iterable[_Union[MemberCostEstimate, _Mapping]]] = ...) -> None: ...

class MemberCostEstimate(_message.Message):
    __slots__ = ("member", "upper_bound", "expected", "max_calls")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    UPPER_BOUND_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_FIELD_NUMBER: _ClassVar[int]
    member: str
    upper_bound: _money_pb2.Cost
    expected: _money_pb2.Cost
    max_calls: int
    def __init__(self, member: _Optional[str] = ..., upper_bound: _Optional[_Union[_money_pb2.Cost, _Mapping]] = ..., expected: _Optional[_Union[_money_pb2.Cost, _Mapping]] = ..., max_calls: _Optional[int] = ...) -> None: ...

class SubmitPredictionRequest(_message.Message):
    __slots__ = ("question", "options", "request_id")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    question: _question_pb2.Question
    options: _prediction_pb2.PredictOptions
    request_id: str
    def __init__(self, question: _Optional[_Union[_question_pb2.Question, _Mapping]] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class SubmitPredictionResponse(_message.Message):
    __slots__ = ("prediction_id",)
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    prediction_id: str
    def __init__(self, prediction_id: _Optional[str] = ...) -> None: ...

class GetPredictionRequest(_message.Message):
    __slots__ = ("prediction_id", "wait")
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    prediction_id: str
    wait: _duration_pb2.Duration
    def __init__(self, prediction_id: _Optional[str] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetPredictionResponse(_message.Message):
    __slots__ = ("state", "prediction", "question", "late_answers", "failure")
    STATE_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    LATE_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    state: PredictionState
    prediction: _prediction_pb2.Prediction
    question: _question_pb2.Question
    late_answers: _containers.RepeatedCompositeFieldContainer[_forecast_pb2.MemberAnswer]
    failure: str
    def __init__(self, state: _Optional[_Union[PredictionState, str]] = ..., prediction: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ..., question: _Optional[_Union[_question_pb2.Question, _Mapping]] = ..., late_answers: _Optional[_Iterable[_Union[_forecast_pb2.MemberAnswer, _Mapping]]] = ..., failure: _Optional[str] = ...) -> None: ...

class ListQuestionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "category", "contains")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    CONTAINS_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    category: str
    contains: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., category: _Optional[str] = ..., contains: _Optional[str] = ...) -> None: ...

class ListQuestionsResponse(_message.Message):
    __slots__ = ("questions", "next_page_token", "total_size")
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    questions: _containers.RepeatedCompositeFieldContainer[_question_pb2.Question]
    next_page_token: str
    total_size: int
    def __init__(self, questions: _Optional[_Iterable[_Union[_question_pb2.Question, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class GetQuestionRequest(_message.Message):
    __slots__ = ("question_id",)
    QUESTION_ID_FIELD_NUMBER: _ClassVar[int]
    question_id: str
    def __init__(self, question_id: _Optional[str] = ...) -> None: ...

class GetQuestionResponse(_message.Message):
    __slots__ = ("question",)
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    question: _question_pb2.Question
    def __init__(self, question: _Optional[_Union[_question_pb2.Question, _Mapping]] = ...) -> None: ...

class AnalyzeRequest(_message.Message):
    __slots__ = ("market", "positions", "options", "reduced", "request_id")
    MARKET_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    REDUCED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    market: MarketState
    positions: _containers.RepeatedCompositeFieldContainer[Position]
    options: _prediction_pb2.PredictOptions
    reduced: bool
    request_id: str
    def __init__(self, market: _Optional[_Union[MarketState, _Mapping]] = ..., positions: _Optional[_Iterable[_Union[Position, _Mapping]]] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ..., reduced: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("prediction", "reports", "plan", "risk", "contradictions")
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    CONTRADICTIONS_FIELD_NUMBER: _ClassVar[int]
    prediction: _prediction_pb2.Prediction
    reports: _containers.RepeatedCompositeFieldContainer[RoleReport]
    plan: TradePlan
    risk: RiskAssessment
    contradictions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, prediction: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ..., reports: _Optional[_Iterable[_Union[RoleReport, _Mapping]]] = ..., plan: _Optional[_Union[TradePlan, _Mapping]] = ..., risk: _Optional[_Union[RiskAssessment, _Mapping]] = ..., contradictions: _Optional[_Iterable[str]] = ...) -> None: ...

class MarketState(_message.Message):
    __slots__ = ("symbol", "time", "candles", "book", "texts", "indicators", "price")
    class IndicatorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CANDLES_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    INDICATORS_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    time: _timestamp_pb2.Timestamp
    candles: _containers.RepeatedCompositeFieldContainer[Candle]
    book: _tensor_pb2.Tensor
    texts: _containers.RepeatedCompositeFieldContainer[TextItem]
    indicators: _containers.ScalarMap[str, float]
    price: float
    def __init__(self, symbol: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., candles: _Optional[_Iterable[_Union[Candle, _Mapping]]] = ..., book: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., texts: _Optional[_Iterable[_Union[TextItem, _Mapping]]] = ..., indicators: _Optional[_Mapping[str, float]] = ..., price: _Optional[float] = ...) -> None: ...

class Candle(_message.Message):
    __slots__ = ("open_time", "interval", "open", "high", "low", "close", "volume", "quote_volume", "trade_count", "taker_buy_volume")
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    QUOTE_VOLUME_FIELD_NUMBER: _ClassVar[int]
    TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TAKER_BUY_VOLUME_FIELD_NUMBER: _ClassVar[int]
    open_time: _timestamp_pb2.Timestamp
    interval: _duration_pb2.Duration
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trade_count: int
    taker_buy_volume: float
    def __init__(self, open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., open: _Optional[float] = ..., high: _Optional[float] = ..., low: _Optional[float] = ..., close: _Optional[float] = ..., volume: _Optional[float] = ..., quote_volume: _Optional[float] = ..., trade_count: _Optional[int] = ..., taker_buy_volume: _Optional[float] = ...) -> None: ...

class TextItem(_message.Message):
    __slots__ = ("source", "time", "text")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    source: str
    time: _timestamp_pb2.Timestamp
    text: str
    def __init__(self, source: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("symbol", "size", "entry_price", "mark_price")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    MARK_PRICE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    size: float
    entry_price: float
    mark_price: float
    def __init__(self, symbol: _Optional[str] = ..., size: _Optional[float] = ..., entry_price: _Optional[float] = ..., mark_price: _Optional[float] = ...) -> None: ...

class RoleReport(_message.Message):
    __slots__ = ("role", "answers", "summary", "figures")
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    role: str
    answers: _containers.RepeatedCompositeFieldContainer[_forecast_pb2.MemberAnswer]
    summary: str
    figures: _containers.ScalarMap[str, float]
    def __init__(self, role: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[_forecast_pb2.MemberAnswer, _Mapping]]] = ..., summary: _Optional[str] = ..., figures: _Optional[_Mapping[str, float]] = ...) -> None: ...

class TradePlan(_message.Message):
    __slots__ = ("decision", "direction", "size_fraction", "entry_price", "stop_price", "target_price", "max_holding_time", "strategy", "confidence", "rationale")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    SIZE_FRACTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_PRICE_FIELD_NUMBER: _ClassVar[int]
    STOP_PRICE_FIELD_NUMBER: _ClassVar[int]
    TARGET_PRICE_FIELD_NUMBER: _ClassVar[int]
    MAX_HOLDING_TIME_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RATIONALE_FIELD_NUMBER: _ClassVar[int]
    decision: _prediction_pb2.Decision
    direction: int
    size_fraction: float
    entry_price: float
    stop_price: float
    target_price: float
    max_holding_time: _duration_pb2.Duration
    strategy: str
    confidence: float
    rationale: str
    def __init__(self, decision: _Optional[_Union[_prediction_pb2.Decision, _Mapping]] = ..., direction: _Optional[int] = ..., size_fraction: _Optional[float] = ..., entry_price: _Optional[float] = ..., stop_price: _Optional[float] = ..., target_price: _Optional[float] = ..., max_holding_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., strategy: _Optional[str] = ..., confidence: _Optional[float] = ..., rationale: _Optional[str] = ...) -> None: ...

class AssessRiskRequest(_message.Message):
    __slots__ = ("signal", "market", "positions", "options")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    signal: TradePlan
    market: MarketState
    positions: _containers.RepeatedCompositeFieldContainer[Position]
    options: _prediction_pb2.PredictOptions
    def __init__(self, signal: _Optional[_Union[TradePlan, _Mapping]] = ..., market: _Optional[_Union[MarketState, _Mapping]] = ..., positions: _Optional[_Iterable[_Union[Position, _Mapping]]] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ...) -> None: ...

class AssessRiskResponse(_message.Message):
    __slots__ = ("risk",)
    RISK_FIELD_NUMBER: _ClassVar[int]
    risk: RiskAssessment
    def __init__(self, risk: _Optional[_Union[RiskAssessment, _Mapping]] = ...) -> None: ...

class RiskAssessment(_message.Message):
    __slots__ = ("score", "acceptable", "threshold", "max_size_fraction", "metrics", "rationale")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    SCORE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTABLE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_SIZE_FRACTION_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    RATIONALE_FIELD_NUMBER: _ClassVar[int]
    score: float
    acceptable: bool
    threshold: float
    max_size_fraction: float
    metrics: _containers.ScalarMap[str, float]
    rationale: str
    def __init__(self, score: _Optional[float] = ..., acceptable: bool = ..., threshold: _Optional[float] = ..., max_size_fraction: _Optional[float] = ..., metrics: _Optional[_Mapping[str, float]] = ..., rationale: _Optional[str] = ...) -> None: ...
