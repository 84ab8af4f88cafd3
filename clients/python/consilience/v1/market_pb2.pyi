import datetime

from consilience.v1 import forecast_pb2 as _forecast_pb2
from consilience.v1 import prediction_pb2 as _prediction_pb2
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

class MarketNoticeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARKET_NOTICE_KIND_UNSPECIFIED: _ClassVar[MarketNoticeKind]
    MARKET_NOTICE_KIND_SEQUENCE_GAP: _ClassVar[MarketNoticeKind]
    MARKET_NOTICE_KIND_CROSSED_BOOK: _ClassVar[MarketNoticeKind]
    MARKET_NOTICE_KIND_NO_SNAPSHOT: _ClassVar[MarketNoticeKind]
    MARKET_NOTICE_KIND_INVALID_EVENT: _ClassVar[MarketNoticeKind]
    MARKET_NOTICE_KIND_OVERLOADED: _ClassVar[MarketNoticeKind]
    MARKET_NOTICE_KIND_OUT_OF_ORDER: _ClassVar[MarketNoticeKind]
MARKET_NOTICE_KIND_UNSPECIFIED: MarketNoticeKind
MARKET_NOTICE_KIND_SEQUENCE_GAP: MarketNoticeKind
MARKET_NOTICE_KIND_CROSSED_BOOK: MarketNoticeKind
MARKET_NOTICE_KIND_NO_SNAPSHOT: MarketNoticeKind
MARKET_NOTICE_KIND_INVALID_EVENT: MarketNoticeKind
MARKET_NOTICE_KIND_OVERLOADED: MarketNoticeKind
MARKET_NOTICE_KIND_OUT_OF_ORDER: MarketNoticeKind

class MarketEvent(_message.Message):
    __slots__ = ("symbol", "event_time_us", "snapshot", "delta", "trade", "history", "control")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_US_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    TRADE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    event_time_us: int
    snapshot: BookSnapshot
    delta: BookDelta
    trade: MarketTrade
    history: MarketHistory
    control: MarketControl
    def __init__(self, symbol: _Optional[str] = ..., event_time_us: _Optional[int] = ..., snapshot: _Optional[_Union[BookSnapshot, _Mapping]] = ..., delta: _Optional[_Union[BookDelta, _Mapping]] = ..., trade: _Optional[_Union[MarketTrade, _Mapping]] = ..., history: _Optional[_Union[MarketHistory, _Mapping]] = ..., control: _Optional[_Union[MarketControl, _Mapping]] = ...) -> None: ...

class BookSnapshot(_message.Message):
    __slots__ = ("tick_size", "lot_size", "update_id", "ask_ticks", "ask_lots", "bid_ticks", "bid_lots", "is_update")
    TICK_SIZE_FIELD_NUMBER: _ClassVar[int]
    LOT_SIZE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_ID_FIELD_NUMBER: _ClassVar[int]
    ASK_TICKS_FIELD_NUMBER: _ClassVar[int]
    ASK_LOTS_FIELD_NUMBER: _ClassVar[int]
    BID_TICKS_FIELD_NUMBER: _ClassVar[int]
    BID_LOTS_FIELD_NUMBER: _ClassVar[int]
    IS_UPDATE_FIELD_NUMBER: _ClassVar[int]
    tick_size: float
    lot_size: float
    update_id: int
    ask_ticks: _containers.RepeatedScalarFieldContainer[int]
    ask_lots: _containers.RepeatedScalarFieldContainer[int]
    bid_ticks: _containers.RepeatedScalarFieldContainer[int]
    bid_lots: _containers.RepeatedScalarFieldContainer[int]
    is_update: bool
    def __init__(self, tick_size: _Optional[float] = ..., lot_size: _Optional[float] = ..., update_id: _Optional[int] = ..., ask_ticks: _Optional[_Iterable[int]] = ..., ask_lots: _Optional[_Iterable[int]] = ..., bid_ticks: _Optional[_Iterable[int]] = ..., bid_lots: _Optional[_Iterable[int]] = ..., is_update: bool = ...) -> None: ...

class BookDelta(_message.Message):
    __slots__ = ("first_update_id", "last_update_id", "previous_update_id", "ask_ticks", "ask_lots", "bid_ticks", "bid_lots")
    FIRST_UPDATE_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATE_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_UPDATE_ID_FIELD_NUMBER: _ClassVar[int]
    ASK_TICKS_FIELD_NUMBER: _ClassVar[int]
    ASK_LOTS_FIELD_NUMBER: _ClassVar[int]
    BID_TICKS_FIELD_NUMBER: _ClassVar[int]
    BID_LOTS_FIELD_NUMBER: _ClassVar[int]
    first_update_id: int
    last_update_id: int
    previous_update_id: int
    ask_ticks: _containers.RepeatedScalarFieldContainer[int]
    ask_lots: _containers.RepeatedScalarFieldContainer[int]
    bid_ticks: _containers.RepeatedScalarFieldContainer[int]
    bid_lots: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, first_update_id: _Optional[int] = ..., last_update_id: _Optional[int] = ..., previous_update_id: _Optional[int] = ..., ask_ticks: _Optional[_Iterable[int]] = ..., ask_lots: _Optional[_Iterable[int]] = ..., bid_ticks: _Optional[_Iterable[int]] = ..., bid_lots: _Optional[_Iterable[int]] = ...) -> None: ...

class MarketTrade(_message.Message):
    __slots__ = ("price_ticks", "lots", "buyer_is_aggressor")
    PRICE_TICKS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    BUYER_IS_AGGRESSOR_FIELD_NUMBER: _ClassVar[int]
    price_ticks: int
    lots: int
    buyer_is_aggressor: bool
    def __init__(self, price_ticks: _Optional[int] = ..., lots: _Optional[int] = ..., buyer_is_aggressor: bool = ...) -> None: ...

class MarketCandle(_message.Message):
    __slots__ = ("open_time_us", "open_ticks", "high_ticks", "low_ticks", "close_ticks", "lots", "quote", "trade_count", "taker_buy_lots")
    OPEN_TIME_US_FIELD_NUMBER: _ClassVar[int]
    OPEN_TICKS_FIELD_NUMBER: _ClassVar[int]
    HIGH_TICKS_FIELD_NUMBER: _ClassVar[int]
    LOW_TICKS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TICKS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    TRADE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TAKER_BUY_LOTS_FIELD_NUMBER: _ClassVar[int]
    open_time_us: int
    open_ticks: float
    high_ticks: float
    low_ticks: float
    close_ticks: float
    lots: float
    quote: float
    trade_count: int
    taker_buy_lots: float
    def __init__(self, open_time_us: _Optional[int] = ..., open_ticks: _Optional[float] = ..., high_ticks: _Optional[float] = ..., low_ticks: _Optional[float] = ..., close_ticks: _Optional[float] = ..., lots: _Optional[float] = ..., quote: _Optional[float] = ..., trade_count: _Optional[int] = ..., taker_buy_lots: _Optional[float] = ...) -> None: ...

class MarketHistory(_message.Message):
    __slots__ = ("candles", "length_us")
    CANDLES_FIELD_NUMBER: _ClassVar[int]
    LENGTH_US_FIELD_NUMBER: _ClassVar[int]
    candles: _containers.RepeatedCompositeFieldContainer[MarketCandle]
    length_us: int
    def __init__(self, candles: _Optional[_Iterable[_Union[MarketCandle, _Mapping]]] = ..., length_us: _Optional[int] = ...) -> None: ...

class MarketControl(_message.Message):
    __slots__ = ("ensemble", "signal_every_updates", "min_signal_interval", "send_features", "send_window", "record_signals")
    ENSEMBLE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_EVERY_UPDATES_FIELD_NUMBER: _ClassVar[int]
    MIN_SIGNAL_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SEND_FEATURES_FIELD_NUMBER: _ClassVar[int]
    SEND_WINDOW_FIELD_NUMBER: _ClassVar[int]
    RECORD_SIGNALS_FIELD_NUMBER: _ClassVar[int]
    ensemble: str
    signal_every_updates: int
    min_signal_interval: _duration_pb2.Duration
    send_features: bool
    send_window: bool
    record_signals: bool
    def __init__(self, ensemble: _Optional[str] = ..., signal_every_updates: _Optional[int] = ..., min_signal_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., send_features: bool = ..., send_window: bool = ..., record_signals: bool = ...) -> None: ...

class MarketSignal(_message.Message):
    __slots__ = ("symbol", "event_time_us", "sequence", "warm", "horizon_updates", "outcomes", "probabilities", "direction", "confidence", "meta_confidence", "agreement", "decision", "members", "best_bid_ticks", "best_ask_ticks", "latency", "valid_until", "should_trade", "not_traded_reason")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_US_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WARM_FIELD_NUMBER: _ClassVar[int]
    HORIZON_UPDATES_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    META_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    BEST_BID_TICKS_FIELD_NUMBER: _ClassVar[int]
    BEST_ASK_TICKS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SHOULD_TRADE_FIELD_NUMBER: _ClassVar[int]
    NOT_TRADED_REASON_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    event_time_us: int
    sequence: int
    warm: bool
    horizon_updates: int
    outcomes: _containers.RepeatedScalarFieldContainer[str]
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    direction: str
    confidence: float
    meta_confidence: float
    agreement: _prediction_pb2.Agreement
    decision: _prediction_pb2.Decision
    members: _containers.RepeatedCompositeFieldContainer[_forecast_pb2.MemberAnswer]
    best_bid_ticks: int
    best_ask_ticks: int
    latency: _duration_pb2.Duration
    valid_until: _timestamp_pb2.Timestamp
    should_trade: bool
    not_traded_reason: str
    def __init__(self, symbol: _Optional[str] = ..., event_time_us: _Optional[int] = ..., sequence: _Optional[int] = ..., warm: bool = ..., horizon_updates: _Optional[int] = ..., outcomes: _Optional[_Iterable[str]] = ..., probabilities: _Optional[_Iterable[float]] = ..., direction: _Optional[str] = ..., confidence: _Optional[float] = ..., meta_confidence: _Optional[float] = ..., agreement: _Optional[_Union[_prediction_pb2.Agreement, _Mapping]] = ..., decision: _Optional[_Union[_prediction_pb2.Decision, _Mapping]] = ..., members: _Optional[_Iterable[_Union[_forecast_pb2.MemberAnswer, _Mapping]]] = ..., best_bid_ticks: _Optional[int] = ..., best_ask_ticks: _Optional[int] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., should_trade: bool = ..., not_traded_reason: _Optional[str] = ...) -> None: ...

class MarketFeatures(_message.Message):
    __slots__ = ("symbol", "event_time_us", "sequence", "warm", "features", "window")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_US_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WARM_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    event_time_us: int
    sequence: int
    warm: bool
    features: _tensor_pb2.Tensor
    window: _tensor_pb2.Tensor
    def __init__(self, symbol: _Optional[str] = ..., event_time_us: _Optional[int] = ..., sequence: _Optional[int] = ..., warm: bool = ..., features: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., window: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ...) -> None: ...

class MarketNotice(_message.Message):
    __slots__ = ("symbol", "kind", "detail", "event_time_us")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_US_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    kind: MarketNoticeKind
    detail: str
    event_time_us: int
    def __init__(self, symbol: _Optional[str] = ..., kind: _Optional[_Union[MarketNoticeKind, str]] = ..., detail: _Optional[str] = ..., event_time_us: _Optional[int] = ...) -> None: ...
