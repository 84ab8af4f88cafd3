# SPDX-License-Identifier: Apache-2.0
"""What comes out of a market stream: signals, features and notices."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from consilience._enums import Numbers
from consilience._times import to_datetime, to_seconds
from consilience.forecast import MemberAnswer
from consilience.prediction import Agreement, Decision
from consilience.v1 import market_pb2, stream_service_pb2, tensor_pb2

__all__ = [
    "MarketFeatures",
    "MarketNotice",
    "MarketNoticeKind",
    "MarketReply",
    "MarketSignal",
    "Tensor",
]


class MarketNoticeKind(StrEnum):
    """What is wrong with a symbol's stream."""

    UNSPECIFIED = "unspecified"
    SEQUENCE_GAP = "sequence_gap"
    CROSSED_BOOK = "crossed_book"
    NO_SNAPSHOT = "no_snapshot"
    INVALID_EVENT = "invalid_event"
    OVERLOADED = "overloaded"
    OUT_OF_ORDER = "out_of_order"


_KINDS = Numbers(MarketNoticeKind, market_pb2.MarketNoticeKind, "MARKET_NOTICE_KIND_")
_DTYPES = {
    tensor_pb2.DATA_TYPE_FP32: "<f4",
    tensor_pb2.DATA_TYPE_FP64: "<f8",
    tensor_pb2.DATA_TYPE_INT32: "<i4",
    tensor_pb2.DATA_TYPE_INT64: "<i8",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A dense array: NumPy's type string, shape, and little-endian elements."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    def numpy(self) -> Any:
        """As a read-only NumPy array over the same memory. Needs NumPy."""
        import numpy as np  # noqa: PLC0415  - the package works without it

        return np.frombuffer(self.data, self.dtype).reshape(self.shape)

    @classmethod
    def from_message(cls, message: tensor_pb2.Tensor) -> "Tensor":
        """From the contract's message."""
        return cls(_DTYPES[message.data_type], tuple(message.shape), message.data)


@dataclass(frozen=True, slots=True)
class MarketSignal:
    """Direction of the mid price over a horizon; ``market.proto`` explains each field."""

    symbol: str
    event_time_us: int
    sequence: int
    warm: bool
    horizon_updates: int
    outcomes: tuple[str, ...]
    probabilities: tuple[float, ...]
    direction: str
    confidence: float
    meta_confidence: float
    agreement: Agreement
    decision: Decision
    members: tuple[MemberAnswer, ...]
    best_bid_ticks: int
    best_ask_ticks: int
    latency_s: float
    valid_until: datetime | None
    should_trade: bool
    not_traded_reason: str

    @property
    def mid_ticks(self) -> float:
        """Half-way between the best bid and the best ask."""
        return (self.best_bid_ticks + self.best_ask_ticks) / 2

    @classmethod
    def from_message(cls, message: market_pb2.MarketSignal) -> "MarketSignal":
        """From the contract's message."""
        return cls(
            symbol=message.symbol,
            event_time_us=message.event_time_us,
            sequence=message.sequence,
            warm=message.warm,
            horizon_updates=message.horizon_updates,
            outcomes=tuple(message.outcomes),
            probabilities=tuple(message.probabilities),
            direction=message.direction,
            confidence=message.confidence,
            meta_confidence=message.meta_confidence,
            agreement=Agreement.from_message(message.agreement),
            decision=Decision.from_message(message.decision),
            members=tuple(map(MemberAnswer.from_message, message.members)),
            best_bid_ticks=message.best_bid_ticks,
            best_ask_ticks=message.best_ask_ticks,
            latency_s=to_seconds(message.latency),
            valid_until=to_datetime(message.valid_until) if message.HasField("valid_until") else None,
            should_trade=message.should_trade,
            not_traded_reason=message.not_traded_reason,
        )


@dataclass(frozen=True, slots=True)
class MarketFeatures:
    """Inputs of the networks at one book update, where the stream asked for them."""

    symbol: str
    event_time_us: int
    sequence: int
    warm: bool
    features: Tensor | None
    window: Tensor | None

    @classmethod
    def from_message(cls, message: market_pb2.MarketFeatures) -> "MarketFeatures":
        """From the contract's message."""
        return cls(
            symbol=message.symbol,
            event_time_us=message.event_time_us,
            sequence=message.sequence,
            warm=message.warm,
            features=Tensor.from_message(message.features) if message.HasField("features") else None,
            window=Tensor.from_message(message.window) if message.HasField("window") else None,
        )


@dataclass(frozen=True, slots=True)
class MarketNotice:
    """Something is wrong with one symbol; the stream goes on."""

    symbol: str
    kind: MarketNoticeKind
    detail: str
    event_time_us: int


MarketReply = MarketSignal | MarketFeatures | MarketNotice


def market_reply(message: stream_service_pb2.StreamMarketResponse) -> MarketReply:
    """One message of ``StreamMarket``."""
    match message.WhichOneof("event"):
        case "signal":
            return MarketSignal.from_message(message.signal)
        case "features":
            return MarketFeatures.from_message(message.features)
    notice = message.notice
    return MarketNotice(notice.symbol, _KINDS[notice.kind], notice.detail, notice.event_time_us)
