from consilience.v1 import forecast_pb2 as _forecast_pb2
from consilience.v1 import market_pb2 as _market_pb2
from consilience.v1 import prediction_pb2 as _prediction_pb2
from consilience.v1 import question_pb2 as _question_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamPredictionsRequest(_message.Message):
    __slots__ = ("question", "options", "request_id")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    question: _question_pb2.Question
    options: _prediction_pb2.PredictOptions
    request_id: str
    def __init__(self, question: _Optional[_Union[_question_pb2.Question, _Mapping]] = ..., options: _Optional[_Union[_prediction_pb2.PredictOptions, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class StreamPredictionsResponse(_message.Message):
    __slots__ = ("started", "arrived", "prediction")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    started: PredictionStarted
    arrived: MemberArrived
    prediction: _prediction_pb2.Prediction
    def __init__(self, started: _Optional[_Union[PredictionStarted, _Mapping]] = ..., arrived: _Optional[_Union[MemberArrived, _Mapping]] = ..., prediction: _Optional[_Union[_prediction_pb2.Prediction, _Mapping]] = ...) -> None: ...

class PredictionStarted(_message.Message):
    __slots__ = ("prediction_id", "members", "outcomes")
    PREDICTION_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    prediction_id: str
    members: _containers.RepeatedScalarFieldContainer[str]
    outcomes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, prediction_id: _Optional[str] = ..., members: _Optional[_Iterable[str]] = ..., outcomes: _Optional[_Iterable[str]] = ...) -> None: ...

class MemberArrived(_message.Message):
    __slots__ = ("answer", "consensus")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    answer: _forecast_pb2.MemberAnswer
    consensus: RunningConsensus
    def __init__(self, answer: _Optional[_Union[_forecast_pb2.MemberAnswer, _Mapping]] = ..., consensus: _Optional[_Union[RunningConsensus, _Mapping]] = ...) -> None: ...

class RunningConsensus(_message.Message):
    __slots__ = ("probabilities", "agreement", "outcome", "settled")
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    agreement: _prediction_pb2.Agreement
    outcome: str
    settled: bool
    def __init__(self, probabilities: _Optional[_Iterable[float]] = ..., agreement: _Optional[_Union[_prediction_pb2.Agreement, _Mapping]] = ..., outcome: _Optional[str] = ..., settled: bool = ...) -> None: ...

class StreamMarketRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_market_pb2.MarketEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_market_pb2.MarketEvent, _Mapping]]] = ...) -> None: ...

class StreamMarketResponse(_message.Message):
    __slots__ = ("signal", "features", "notice")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    signal: _market_pb2.MarketSignal
    features: _market_pb2.MarketFeatures
    notice: _market_pb2.MarketNotice
    def __init__(self, signal: _Optional[_Union[_market_pb2.MarketSignal, _Mapping]] = ..., features: _Optional[_Union[_market_pb2.MarketFeatures, _Mapping]] = ..., notice: _Optional[_Union[_market_pb2.MarketNotice, _Mapping]] = ...) -> None: ...
