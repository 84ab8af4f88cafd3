import datetime

from consilience.v1 import money_pb2 as _money_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AbsentReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ABSENT_REASON_UNSPECIFIED: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_CONNECTION_FAILED: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_TIMEOUT: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_SERVER_ERROR: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_OVERLOADED: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_RATE_LIMITED: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_BILLING: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_AUTH_FAILED: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_REFUSED: _ClassVar[AbsentReason]
    ABSENT_REASON_PROVIDER_BAD_OUTPUT: _ClassVar[AbsentReason]
    ABSENT_REASON_CALLER_MODEL_UNKNOWN: _ClassVar[AbsentReason]
    ABSENT_REASON_CALLER_INVALID_REQUEST: _ClassVar[AbsentReason]
    ABSENT_REASON_CALLER_CANCELLED: _ClassVar[AbsentReason]
    ABSENT_REASON_POLICY_BUDGET_EXCEEDED: _ClassVar[AbsentReason]
    ABSENT_REASON_POLICY_RATE_LIMITED: _ClassVar[AbsentReason]
    ABSENT_REASON_POLICY_CIRCUIT_OPEN: _ClassVar[AbsentReason]
    ABSENT_REASON_DEADLINE_EXCEEDED: _ClassVar[AbsentReason]
    ABSENT_REASON_NOT_APPLICABLE: _ClassVar[AbsentReason]
    ABSENT_REASON_NOT_NEEDED: _ClassVar[AbsentReason]
    ABSENT_REASON_NOT_SELECTED: _ClassVar[AbsentReason]
    ABSENT_REASON_DISABLED: _ClassVar[AbsentReason]
    ABSENT_REASON_INTERNAL: _ClassVar[AbsentReason]
ABSENT_REASON_UNSPECIFIED: AbsentReason
ABSENT_REASON_PROVIDER_CONNECTION_FAILED: AbsentReason
ABSENT_REASON_PROVIDER_TIMEOUT: AbsentReason
ABSENT_REASON_PROVIDER_SERVER_ERROR: AbsentReason
ABSENT_REASON_PROVIDER_OVERLOADED: AbsentReason
ABSENT_REASON_PROVIDER_RATE_LIMITED: AbsentReason
ABSENT_REASON_PROVIDER_BILLING: AbsentReason
ABSENT_REASON_PROVIDER_AUTH_FAILED: AbsentReason
ABSENT_REASON_PROVIDER_REFUSED: AbsentReason
ABSENT_REASON_PROVIDER_BAD_OUTPUT: AbsentReason
ABSENT_REASON_CALLER_MODEL_UNKNOWN: AbsentReason
ABSENT_REASON_CALLER_INVALID_REQUEST: AbsentReason
ABSENT_REASON_CALLER_CANCELLED: AbsentReason
ABSENT_REASON_POLICY_BUDGET_EXCEEDED: AbsentReason
ABSENT_REASON_POLICY_RATE_LIMITED: AbsentReason
ABSENT_REASON_POLICY_CIRCUIT_OPEN: AbsentReason
ABSENT_REASON_DEADLINE_EXCEEDED: AbsentReason
ABSENT_REASON_NOT_APPLICABLE: AbsentReason
ABSENT_REASON_NOT_NEEDED: AbsentReason
ABSENT_REASON_NOT_SELECTED: AbsentReason
ABSENT_REASON_DISABLED: AbsentReason
ABSENT_REASON_INTERNAL: AbsentReason

class MemberAnswer(_message.Message):
    __slots__ = ("member", "forecast", "absent", "weight", "contribution", "latency", "cost", "attempts")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    FORECAST_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    member: str
    forecast: Forecast
    absent: Absent
    weight: float
    contribution: float
    latency: _duration_pb2.Duration
    cost: _money_pb2.Cost
    attempts: int
    def __init__(self, member: _Optional[str] = ..., forecast: _Optional[_Union[Forecast, _Mapping]] = ..., absent: _Optional[_Union[Absent, _Mapping]] = ..., weight: _Optional[float] = ..., contribution: _Optional[float] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cost: _Optional[_Union[_money_pb2.Cost, _Mapping]] = ..., attempts: _Optional[int] = ...) -> None: ...

class Forecast(_message.Message):
    __slots__ = ("probabilities", "self_confidence", "rationale", "model", "text", "usage", "cached", "recorded", "expected_return_bps", "fallback")
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    SELF_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RATIONALE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURN_BPS_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    self_confidence: float
    rationale: str
    model: str
    text: str
    usage: TokenUsage
    cached: bool
    recorded: bool
    expected_return_bps: float
    fallback: str
    def __init__(self, probabilities: _Optional[_Iterable[float]] = ..., self_confidence: _Optional[float] = ..., rationale: _Optional[str] = ..., model: _Optional[str] = ..., text: _Optional[str] = ..., usage: _Optional[_Union[TokenUsage, _Mapping]] = ..., cached: bool = ..., recorded: bool = ..., expected_return_bps: _Optional[float] = ..., fallback: _Optional[str] = ...) -> None: ...

class Absent(_message.Message):
    __slots__ = ("reason", "detail")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    reason: AbsentReason
    detail: str
    def __init__(self, reason: _Optional[_Union[AbsentReason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class TokenUsage(_message.Message):
    __slots__ = ("input_uncached", "cache_read", "cache_write", "output", "reasoning", "estimated")
    INPUT_UNCACHED_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    input_uncached: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int
    estimated: bool
    def __init__(self, input_uncached: _Optional[int] = ..., cache_read: _Optional[int] = ..., cache_write: _Optional[int] = ..., output: _Optional[int] = ..., reasoning: _Optional[int] = ..., estimated: bool = ...) -> None: ...
