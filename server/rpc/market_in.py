# SPDX-License-Identifier: Apache-2.0
"""Market events from the wire."""

import math

import numpy as np

from consilience.v1 import market_pb2
from server.engine.market_events import Control, Delta, Levels, MarketEvent, Snapshot, Trade
from server.rpc.rules import Rules

MAX_EVENTS = 1_000
MAX_LEVELS = 10_000
UNKNOWN_ID = -1


def event_from(message: market_pb2.MarketEvent) -> MarketEvent:
    """The event.

    Raises:
        InvalidRequestError: a field breaks a rule.
    """
    rules = Rules()
    symbol = rules.text("symbol", message.symbol, 64, least=1, printable=True)
    kind = message.WhichOneof("event")
    body: Snapshot | Delta | Trade | Control
    if kind == "delta":
        body = _delta(message.delta, rules)
    elif kind == "snapshot":
        body = _snapshot(message.snapshot, rules)
    elif kind == "trade":
        body = _trade(message.trade, rules)
    elif kind == "control":
        body = _control(message.control, rules)
    else:
        body = Control()
        rules.broken(
            "event", f"{kind} is not served yet; leave it out" if kind else "one of its fields must be set"
        )
    rules.check()
    return MarketEvent(symbol, message.event_time_us, body)


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
    for name in ("send_features", "record_signals"):
        if getattr(message, name):
            rules.broken(f"control.{name}", "this server does not serve it yet; leave it out")
    interval_s = 0.0
    if message.HasField("min_signal_interval"):
        interval_s = rules.seconds("control.min_signal_interval", message.min_signal_interval, 3_600.0)
    return Control(
        ensemble=rules.text("control.ensemble", message.ensemble, 128, printable=True),
        signal_every_updates=message.signal_every_updates,
        min_signal_interval_s=interval_s,
        send_window=message.send_window,
    )
