# SPDX-License-Identifier: Apache-2.0
"""Market events from the wire."""

import math

import numpy as np

from consilience.v1 import market_pb2
from kernels.features.candles import BAR_US, Candles
from server.engine.market_events import Control, Delta, History, Levels, MarketEvent, Snapshot, Trade
from server.forecasting.errors import InvalidRequestError
from server.rpc.rules import Rules

MAX_EVENTS = 1_000
MAX_LEVELS = 10_000
MAX_CANDLES = 10_000
UNKNOWN_ID = -1

#: Events that carry a time of the market.
_TIMED = frozenset({"snapshot", "delta", "trade"})
_CANDLE = (
    "open_ticks",
    "high_ticks",
    "low_ticks",
    "close_ticks",
    "lots",
    "quote",
    "trade_count",
    "taker_buy_lots",
)


def event_from(message: market_pb2.MarketEvent) -> MarketEvent:
    """The event.

    Raises:
        InvalidRequestError: a field breaks a rule.
    """
    rules = Rules()
    symbol = rules.text("symbol", message.symbol, 64, least=1, printable=True)
    kind = message.WhichOneof("event")
    body: Snapshot | Delta | Trade | History | Control
    if kind in _TIMED and message.event_time_us <= 0:
        rules.broken(
            "event_time_us", f"must be > 0, microseconds since the Unix epoch, got {message.event_time_us}"
        )
    if kind == "delta":
        body = _delta(message.delta, rules)
    elif kind == "snapshot":
        body = _snapshot(message.snapshot, rules)
    elif kind == "trade":
        body = _trade(message.trade, rules)
    elif kind == "history":
        body = _history(message.history, rules)
    else:
        body = _control(message.control, rules)
        if kind is None:
            rules.broken("event", "one of its fields must be set")
    rules.check()
    return MarketEvent(symbol, message.event_time_us, body)


def _history(message: market_pb2.MarketHistory, rules: Rules) -> History:
    rules.count("history.candles", message.candles, MAX_CANDLES, least=1)
    rules.check()
    starts = np.array([candle.open_time_us for candle in message.candles], dtype=np.int64)
    table = np.array(
        [[getattr(candle, name) for name in _CANDLE] for candle in message.candles], dtype=np.float64
    )
    try:
        return History(Candles(starts, table, message.length_us or BAR_US))
    except ValueError as error:
        raise InvalidRequestError.of("history.candles", str(error)) from error


def _snapshot(message: market_pb2.BookSnapshot, rules: Rules) -> Snapshot:
    for name in ("tick_size", "lot_size"):
        value = getattr(message, name)
        if not (math.isfinite(value) and value >= 0.0):
            rules.broken(
                f"snapshot.{name}", f"must be a finite number > 0, or left out after the first, got {value:g}"
            )
    return Snapshot(
        _levels(message, rules, "snapshot"),
        message.update_id or UNKNOWN_ID,
        message.tick_size,
        message.lot_size,
        message.is_update,
    )


def _delta(message: market_pb2.BookDelta, rules: Rules) -> Delta:
    return Delta(
        _levels(message, rules, "delta"),
        message.first_update_id or UNKNOWN_ID,
        message.last_update_id or UNKNOWN_ID,
        message.previous_update_id or UNKNOWN_ID,
    )


def _levels(message: market_pb2.BookSnapshot | market_pb2.BookDelta, rules: Rules, at: str) -> Levels:
    for side in ("ask", "bid"):
        ticks, lots = len(getattr(message, f"{side}_ticks")), len(getattr(message, f"{side}_lots"))
        if ticks != lots:
            rules.broken(f"{at}.{side}_lots", f"{ticks} sizes are wanted, one a price, got {lots}")
        if ticks > MAX_LEVELS:
            rules.broken(f"{at}.{side}_ticks", f"at most {MAX_LEVELS:,} levels are taken, got {ticks:,}")
    asks = len(message.ask_ticks)
    side_of = np.zeros(asks + len(message.bid_ticks), dtype=np.int64)
    side_of[asks:] = 1
    prices = np.array([*message.ask_ticks, *message.bid_ticks], dtype=np.int64)
    return Levels(side_of, prices, np.array([*message.ask_lots, *message.bid_lots], dtype=np.int64))


def _trade(message: market_pb2.MarketTrade, rules: Rules) -> Trade:
    if message.lots <= 0:
        rules.broken("trade.lots", f"must be > 0, got {message.lots}")
    return Trade(message.price_ticks, message.lots, message.buyer_is_aggressor)


def _control(message: market_pb2.MarketControl, rules: Rules) -> Control:
    if message.record_signals:
        rules.broken("control.record_signals", "this server does not serve it yet; leave it out")
    interval_s = 0.0
    if message.HasField("min_signal_interval"):
        interval_s = rules.seconds("control.min_signal_interval", message.min_signal_interval, 3_600.0)
    return Control(
        ensemble=rules.text("control.ensemble", message.ensemble, 128, printable=True),
        signal_every_updates=message.signal_every_updates,
        min_signal_interval_s=interval_s,
        send_features=message.send_features,
        send_window=message.send_window,
    )
