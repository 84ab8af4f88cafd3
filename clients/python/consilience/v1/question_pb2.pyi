import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NumericScale(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NUMERIC_SCALE_UNSPECIFIED: _ClassVar[NumericScale]
    NUMERIC_SCALE_LINEAR: _ClassVar[NumericScale]
    NUMERIC_SCALE_LOG: _ClassVar[NumericScale]

class Normalization(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NORMALIZATION_UNSPECIFIED: _ClassVar[Normalization]
    NORMALIZATION_LOWERCASE_TRIM: _ClassVar[Normalization]
    NORMALIZATION_NUMERIC: _ClassVar[Normalization]
    NORMALIZATION_BOOLEAN: _ClassVar[Normalization]
    NORMALIZATION_JSON: _ClassVar[Normalization]
    NORMALIZATION_EMBEDDING: _ClassVar[Normalization]
NUMERIC_SCALE_UNSPECIFIED: NumericScale
NUMERIC_SCALE_LINEAR: NumericScale
NUMERIC_SCALE_LOG: NumericScale
NORMALIZATION_UNSPECIFIED: Normalization
NORMALIZATION_LOWERCASE_TRIM: Normalization
NORMALIZATION_NUMERIC: Normalization
NORMALIZATION_BOOLEAN: Normalization
NORMALIZATION_JSON: Normalization
NORMALIZATION_EMBEDDING: Normalization

class Question(_message.Message):
    __slots__ = ("id", "text", "background", "resolution_criteria", "binary", "exclusive", "numeric", "free_text", "category", "as_of_time", "resolve_time", "stake_usd", "market_probability", "market_time", "source", "url", "resolution", "origin", "regime")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_CRITERIA_FIELD_NUMBER: _ClassVar[int]
    BINARY_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    NUMERIC_FIELD_NUMBER: _ClassVar[int]
    FREE_TEXT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    AS_OF_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_TIME_FIELD_NUMBER: _ClassVar[int]
    STAKE_USD_FIELD_NUMBER: _ClassVar[int]
    MARKET_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MARKET_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    REGIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    background: str
    resolution_criteria: str
    binary: BinaryQuestion
    exclusive: ExclusiveQuestion
    numeric: NumericQuestion
    free_text: FreeTextQuestion
    category: str
    as_of_time: _timestamp_pb2.Timestamp
    resolve_time: _timestamp_pb2.Timestamp
    stake_usd: float
    market_probability: float
    market_time: _timestamp_pb2.Timestamp
    source: str
    url: str
    resolution: Resolution
    origin: str
    regime: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., background: _Optional[str] = ..., resolution_criteria: _Optional[str] = ..., binary: _Optional[_Union[BinaryQuestion, _Mapping]] = ..., exclusive: _Optional[_Union[ExclusiveQuestion, _Mapping]] = ..., numeric: _Optional[_Union[NumericQuestion, _Mapping]] = ..., free_text: _Optional[_Union[FreeTextQuestion, _Mapping]] = ..., category: _Optional[str] = ..., as_of_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stake_usd: _Optional[float] = ..., market_probability: _Optional[float] = ..., market_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., url: _Optional[str] = ..., resolution: _Optional[_Union[Resolution, _Mapping]] = ..., origin: _Optional[str] = ..., regime: _Optional[str] = ...) -> None: ...

class BinaryQuestion(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExclusiveQuestion(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, outcomes: _Optional[_Iterable[str]] = ...) -> None: ...

class NumericQuestion(_message.Message):
    __slots__ = ("grid", "unit", "scale")
    GRID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    grid: _containers.RepeatedScalarFieldContainer[float]
    unit: str
    scale: NumericScale
    def __init__(self, grid: _Optional[_Iterable[float]] = ..., unit: _Optional[str] = ..., scale: _Optional[_Union[NumericScale, str]] = ...) -> None: ...

class FreeTextQuestion(_message.Message):
    __slots__ = ("normalization", "max_characters")
    NORMALIZATION_FIELD_NUMBER: _ClassVar[int]
    MAX_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    normalization: Normalization
    max_characters: int
    def __init__(self, normalization: _Optional[_Union[Normalization, str]] = ..., max_characters: _Optional[int] = ...) -> None: ...

class Resolution(_message.Message):
    __slots__ = ("question_id", "outcome", "fraction", "value", "annulled", "retracted", "event_time", "known_time", "version")
    QUESTION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ANNULLED_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    KNOWN_TIME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    question_id: str
    outcome: str
    fraction: float
    value: float
    annulled: bool
    retracted: bool
    event_time: _timestamp_pb2.Timestamp
    known_time: _timestamp_pb2.Timestamp
    version: int
    def __init__(self, question_id: _Optional[str] = ..., outcome: _Optional[str] = ..., fraction: _Optional[float] = ..., value: _Optional[float] = ..., annulled: bool = ..., retracted: bool = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., known_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...
