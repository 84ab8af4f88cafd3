# SPDX-License-Identifier: Apache-2.0
"""What goes into a market stream: books, trades, history and wishes.

Prices are whole ticks, sizes whole lots; times are microseconds since the Unix
epoch. Level arrays may be lists or NumPy arrays of integers.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from consilience._times import to_duration
from consilience.v1 import market_pb2, stream_service_pb2

__all__ = [
    "BookDelta",
    "BookSnapshot",
    "MarketCandle",
    "MarketControl",
    "MarketEvent",
    "MarketHistory",
    "MarketTrade",
]


#: Levels of one side: a list, or a NumPy array, of integers.
Levels: TypeAlias = Collection[int]


def _integers(levels: Levels) -> Levels:
    # protobuf takes a list of Python integers several times faster than NumPy scalars.
    tolist = getattr(levels, "tolist", None)
    return levels if tolist is None else tolist()


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """The whole book, best level first. The first of a symbol needs tick and lot size.

    ``is_update``: the feed sends whole books and this is its next one. Else it
    starts a feed of deltas, or starts it again after a gap.
    """

    ask_ticks: Levels
    ask_lots: Levels
    bid_ticks: Levels
    bid_lots: Levels
    tick_size: float = 0.0
    lot_size: float = 0.0
    update_id: int = 0
    is_update: bool = False

    def put(self, message: market_pb2.MarketEvent) -> None:
        """Write this into an event's message."""
        book = message.snapshot
        book.tick_size = self.tick_size
        book.lot_size = self.lot_size
        book.update_id = self.update_id
        book.is_update = self.is_update
        _put_levels(book, self)


@dataclass(frozen=True, slots=True)
class BookDelta:
    """New total sizes at changed prices; a size of 0 removes the level."""

    ask_ticks: Levels = ()
    ask_lots: Levels = ()
    bid_ticks: Levels = ()
    bid_lots: Levels = ()
    first_update_id: int = 0
    last_update_id: int = 0
    previous_update_id: int = 0

    def put(self, message: market_pb2.MarketEvent) -> None:
        """Write this into an event's message."""
        delta = message.delta
        delta.first_update_id = self.first_update_id
        delta.last_update_id = self.last_update_id
        delta.previous_update_id = self.previous_update_id
        _put_levels(delta, self)


def _put_levels(
    message: market_pb2.BookSnapshot | market_pb2.BookDelta, book: BookSnapshot | BookDelta
) -> None:
    message.ask_ticks.extend(_integers(book.ask_ticks))
    message.ask_lots.extend(_integers(book.ask_lots))
    message.bid_ticks.extend(_integers(book.bid_ticks))
    message.bid_lots.extend(_integers(book.bid_lots))


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """A trade."""

    price_ticks: int
    lots: int
    buyer_is_aggressor: bool

    def put(self, message: market_pb2.MarketEvent) -> None:
        """Write this into an event's message."""
        message.trade.price_ticks = self.price_ticks
        message.trade.lots = self.lots
        message.trade.buyer_is_aggressor = self.buyer_is_aggressor


@dataclass(frozen=True, slots=True)
class MarketCandle:
    """A closed candle, in ticks and lots."""

    open_time_us: int
    open_ticks: float
    high_ticks: float
    low_ticks: float
    close_ticks: float
    lots: float
    quote: float = 0.0
    trade_count: int = 0
    taker_buy_lots: float = 0.0

    def to_message(self) -> market_pb2.MarketCandle:
        """As the contract's message."""
        return market_pb2.MarketCandle(**{name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class MarketHistory:
    """Closed candles of the past, before the first trade, so that indicators start warm.

    Oldest first, without holes, each ``length_us`` microseconds long (0: a minute).
    """

    candles: Sequence[MarketCandle]
    length_us: int = 0

    def put(self, message: market_pb2.MarketEvent) -> None:
        """Write this into an event's message."""
        message.history.length_us = self.length_us
        message.history.SetInParent()
        message.history.candles.extend(candle.to_message() for candle in self.candles)


@dataclass(frozen=True, slots=True)
class MarketControl:
    """What the stream should send for a symbol."""

    ensemble: str = ""
    signal_every_updates: int = 0
    min_signal_interval_s: float = 0.0
    send_features: bool = False
    send_window: bool = False
    record_signals: bool = False

    def put(self, message: market_pb2.MarketEvent) -> None:
        """Write this into an event's message."""
        control = message.control
        control.SetInParent()
        control.ensemble = self.ensemble
        control.signal_every_updates = self.signal_every_updates
        control.send_features = self.send_features
        control.send_window = self.send_window
        control.record_signals = self.record_signals
        if self.min_signal_interval_s:
            interval = to_duration("min_signal_interval_s", self.min_signal_interval_s)
            control.min_signal_interval.CopyFrom(interval)


@dataclass(frozen=True, slots=True)
class MarketEvent:
    """One event of one market; its time is 0 for a history and for a control."""

    symbol: str
    event_time_us: int
    event: BookSnapshot | BookDelta | MarketTrade | MarketHistory | MarketControl

    def to_message(self) -> market_pb2.MarketEvent:
        """As the contract's message."""
        message = market_pb2.MarketEvent(symbol=self.symbol, event_time_us=self.event_time_us)
        self.event.put(message)
        return message


def to_request(events: MarketEvent | Iterable[MarketEvent]) -> stream_service_pb2.StreamMarketRequest:
    """One event, or several in their order, as one request."""
    several = (events,) if isinstance(events, MarketEvent) else events
    return stream_service_pb2.StreamMarketRequest(events=[event.to_message() for event in several])
