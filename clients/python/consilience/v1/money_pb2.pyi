from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CostSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COST_SOURCE_UNSPECIFIED: _ClassVar[CostSource]
    COST_SOURCE_PROVIDER: _ClassVar[CostSource]
    COST_SOURCE_PRICE_TABLE: _ClassVar[CostSource]
    COST_SOURCE_ESTIMATE: _ClassVar[CostSource]
    COST_SOURCE_SIMULATED: _ClassVar[CostSource]
COST_SOURCE_UNSPECIFIED: CostSource
COST_SOURCE_PROVIDER: CostSource
COST_SOURCE_PRICE_TABLE: CostSource
COST_SOURCE_ESTIMATE: CostSource
COST_SOURCE_SIMULATED: CostSource

class Cost(_message.Message):
    __slots__ = ("nano_usd", "source")
    NANO_USD_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    nano_usd: int
    source: CostSource
    def __init__(self, nano_usd: _Optional[int] = ..., source: _Optional[_Union[CostSource, str]] = ...) -> None: ...
