# SPDX-License-Identifier: Apache-2.0
"""Features of whole recordings and of candle histories, by the streams' own kernels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels._arrays import as_integers
from kernels.book import LEVELS
from kernels.features import layout, tick
from kernels.features.candles import START_US, Candles
from kernels.features.market import Instrument, MarketFeatures
from kernels.features.names import INDICATOR_COUNT, SLOW_COUNT
from kernels.recording import ROW, TRADE, Events

Singles = NDArray[np.float32]


def feature_table(events: Events, instrument: Instrument, *, history: Candles | None = None) -> Singles:
    """The 112 features after each update of a recording: (N, 112) float32, NaN where undefined.

    history: closed candles that end before the recording, so that a short one is not all NaN. The
    first 100 rows warm the book's own windows.

    Raises:
        ValueError: where the history does not fit.
        BookError: at the first fault of the recording.
    """
    market = MarketFeatures(instrument)
    if history is not None:
        market.seed(history)
    return market.apply(events)


def book_row_events(
    *,
    ask_px: Any,
    ask_qty: Any,
    bid_px: Any,
    bid_qty: Any,
    time_us: Any,
    buy_qty: Any,
    sell_qty: Any,
    trade_px: Any,
) -> Events:
    """Events of a recording that holds only book rows, (N, 20) each, and sums of trades between them.

    buy_qty, sell_qty (N,): lots bought and sold by aggressors since the row before. They become one
    trade each, at trade_px (N,) and at the row's time: candles then know neither the trades' number
    nor the prices between rows.

    Raises:
        ValueError: where an array does not fit.
    """
    times = as_integers("time_us", time_us, None)
    rows = len(times)
    levels = [
        as_integers(name, table, rows, LEVELS)
        for name, table in (
            ("ask_px", ask_px),
            ("bid_px", bid_px),
            ("ask_qty", ask_qty),
            ("bid_qty", bid_qty),
        )
    ]
    flows = [as_integers(name, flow, rows) for name, flow in (("sell_qty", sell_qty), ("buy_qty", buy_qty))]
    last = as_integers("trade_px", trade_px, rows)
    width = 2 * LEVELS + 2
    one = np.repeat(np.array([0, 1], np.int64), LEVELS)
    side = np.tile(np.concatenate([[0, 1], one]), rows)
    kind = np.tile(np.concatenate([[TRADE, TRADE], np.full(len(one), ROW)]), rows)
    price = np.column_stack([last, last, levels[0], levels[1]]).ravel()
    qty = np.column_stack([flows[0], flows[1], levels[2], levels[3]]).ravel()
    msg = (3 * np.arange(rows)[:, None] + np.concatenate([[0, 1], np.full(len(one), 2)])).ravel()
    kept = (kind == ROW) | (qty > 0)
    columns = {"kind": kind, "side": side, "price": price, "qty": qty, "msg": msg}
    times = np.repeat(times, width)
    return Events.from_columns(**{key: value[kept] for key, value in columns.items()}, time_us=times[kept])


def candle_table(candles: Candles, instrument: Instrument) -> tuple[Singles, NDArray[np.float64]]:
    """What each closed candle says: columns 50-111 (N, 62) float32, and TA-Lib's own values (N, 37) float64.

    The second holds each indicator of columns 75-111 before it is scaled, with the upper and
    lower Bollinger band in place of columns 103 and 104. Prices count in ticks, sizes in lots. NaN
    where undefined.
    """
    slow = np.empty((len(candles), SLOW_COUNT), np.float32)
    raw = np.empty((len(candles), INDICATOR_COUNT))
    if len(candles):
        reals, integers, singles, _ = layout.new_state(candles.length_us)
        integers[layout.CLOCK, START_US] = candles.start_us[0]
        sizes = (instrument.tick_size, instrument.lot_size)
        until_us = int(candles.start_us[-1])
        tick.advance_candles(reals, integers, singles, candles.table, until_us, *sizes, slow, raw)
    return slow, raw
