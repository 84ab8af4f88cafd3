# SPDX-License-Identifier: Apache-2.0
"""One market event, whole: book, window, candles and all 112 features in one call.

Streams and recordings run the same kernels in the same order, so their
features are equal to the last bit. State: an ``OrderBook``'s two arrays, then the
four arrays of ``layout``.
"""

import numpy as np
from numpy.typing import NDArray

from kernels import book, book_errors, windows
from kernels._jit import kernel, part
from kernels.features import bars, candles, flow, vpin
from kernels.features import layout as at
from kernels.features.book_features import book_features
from kernels.features.candle_features import candle_features
from kernels.features.indicators.step import indicators_step, scale_indicators
from kernels.features.names import BOOK_COUNT, CANDLE_COUNT, FEATURE_COUNT, SLOW_COUNT
from kernels.recording import QUOTE, ROW, SNAPSHOT, TRADE, UPDATE
from kernels.rows import copy_row

#: The message was applied, but a side of the book is empty: no mid, no row.
ONE_SIDED = 2
#: Nothing was applied: candles must close first.
CANDLES_DUE = 3

#: Columns of a table of messages.
KIND = 0
START = 1
STOP = 2
TIME_US = 3
FIRST_ID = 4
LAST_ID = 5
PREVIOUS_ID = 6
MESSAGE_FIELDS = 7

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Flags = NDArray[np.uint8]

STATE = "f8[:,::1], i8[:,::1], f4[:,::1]"


@part()
def close_candle(
    reals: Reals, integers: Integers, singles: Singles, tick_size: float, lot_size: float
) -> None:
    """Close the open candle, carry candle features and indicators over it, and begin the next."""
    table = at.bars_of(reals)
    candle = reals[at.OPEN_BAR]
    clock = integers[at.CLOCK]
    t = int(clock[candles.CLOSED])
    raw = reals[at.RAW]
    slow = singles[at.SLOW]
    bars.add_bar(table, t, candle)
    vpin.add_candle(at.vpin_of(reals), candle[bars.VOLUME])
    indicators_step(reals[at.INDICATORS], table, t, raw)
    candle_features(table, t, tick_size, lot_size, slow[:CANDLE_COUNT])
    scale_indicators(raw, table, t, slow[CANDLE_COUNT:])
    candles.next_bar(clock, candle)


@kernel(f"i8({STATE}, f8[:,::1], i8, f8, f8, f4[:,::1], f8[:,::1])", brief=True)
def advance_candles(
    reals: Reals,
    integers: Integers,
    singles: Singles,
    history: Reals,
    until_us: int,
    tick_size: float,
    lot_size: float,
    slow: Singles,
    raw: Reals,
) -> int:
    """Carry a history of closed candles (N, 8), then close what ends at or before ``until_us``.

    The history's traded volume also fills VPIN's buckets, each candle's two
    sides pro rata. slow (N, 62), raw (N, 37): overwritten with columns 50-111 and the indicators before
    scaling after each of its candles; no rows where they are not wanted. Returns APPLIED, or
    CLOCK_JUMP (nothing closed) where more than a week would close.
    """
    clock = integers[at.CLOCK]
    open_bar = reals[at.OPEN_BAR]
    for i in range(len(history)):
        taken = history[i, bars.TAKER]
        vpin.add_traded(at.vpin_of(reals), taken, history[i, bars.VOLUME] - taken)
        for field in range(bars.GIVEN):
            open_bar[field] = history[i, field]
        close_candle(reals, integers, singles, tick_size, lot_size)
        if len(slow) > 0:
            copy_row(singles[at.SLOW], slow[i])
            copy_row(reals[at.RAW], raw[i])
    if candles.silence(clock, until_us) > candles.LONGEST_SILENCE:
        return book_errors.CLOCK_JUMP
    while candles.is_due(clock, until_us):
        close_candle(reals, integers, singles, tick_size, lot_size)
    return book_errors.APPLIED


@part()
def take_trade(reals: Reals, integers: Integers, price: int, qty: int, bought: bool, time_us: int) -> int:
    """Enter one trade into the open candle, VPIN and the flow since the last row; returns a code."""
    if price <= 0:
        return book_errors.INVALID_PRICE
    if qty < 0:
        return book_errors.NEGATIVE_SIZE
    sums = integers[at.SUMS]
    sums[flow.NEW_BOUGHT if bought else flow.NEW_SOLD] += qty
    if candles.add_trade(integers[at.CLOCK], reals[at.OPEN_BAR], price, qty, bought, time_us):
        vpin.add_traded(at.vpin_of(reals), float(qty) if bought else 0.0, 0.0 if bought else float(qty))
    return book_errors.APPLIED


@part()
def take_row(
    reals: Reals,
    integers: Integers,
    singles: Singles,
    ring: Singles,
    px: Integers,
    qty: Integers,
    lot_size: float,
    time_us: int,
    out: Singles,
) -> int:
    """Enter one book row, px and qty (2, 20), into window, flow and features: out (112,) float32."""
    if qty[book.ASK, 0] <= 0 or qty[book.BID, 0] <= 0:
        return ONE_SIDED
    windows.push_row(
        ring, at.ring_meta_of(integers), px[book.ASK], qty[book.ASK], px[book.BID], qty[book.BID], lot_size
    )
    rows, sums, pairs = at.flow_of(integers), integers[at.SUMS], at.pairs_of(reals)
    n = flow.push_flow(rows, sums, at.before_of(integers), pairs, px, qty, time_us)
    book_features(px, qty, lot_size, out)
    flow.flow_features(rows, sums, pairs, n, px, qty, lot_size, out)
    out[47] = vpin.vpin_of(at.vpin_of(reals))
    slow = singles[at.SLOW]
    for k in range(SLOW_COUNT):
        out[BOOK_COUNT + k] = slow[k]
    keep_row(integers, singles, out)
    return book_errors.APPLIED


@part()
def keep_row(integers: Integers, singles: Singles, out: Singles) -> None:
    """Add a feature row (112,) to the last 60, written twice so that they always lie side by side."""
    places = integers[at.PLACES]
    place = at.HISTORY + places[at.PUSHED] % at.FEATURE_ROWS
    row, twin = singles[place], singles[place + at.FEATURE_ROWS]
    for k in range(FEATURE_COUNT):
        row[k] = out[k]
        twin[k] = out[k]
    places[at.PUSHED] += 1


@part()
def take_message(
    levels: Integers,
    shown: Integers,
    reals: Reals,
    integers: Integers,
    side: Flags,
    price: Integers,
    qty: Integers,
    message: Integers,
) -> int:
    """Apply one message (7,), see ``apply_messages``, to the book or the trades; returns a code."""
    kind, start, stop = message[KIND], message[START], message[STOP]
    code = book_errors.APPLIED
    if kind == UPDATE:
        code = book.apply_update(
            levels, shown, side, price, qty, start, stop,
            message[FIRST_ID], message[LAST_ID], message[PREVIOUS_ID],
        )  # fmt: skip
    elif kind == TRADE:
        for i in range(start, stop):
            bought = side[i] == book.BID
            code = min(code, take_trade(reals, integers, price[i], qty[i], bought, message[TIME_US]))
    elif kind != QUOTE:
        code = book.apply_snapshot(levels, shown, side, price, qty, start, stop, message[LAST_ID])
        if kind == SNAPSHOT:
            at.restart_rows(integers)
    return code


@kernel(
    f"i8(i8[:,::1], i8[:,::1], {STATE}, f4[:,::1], u1[::1], i8[::1], i8[::1], i8[:,::1], f8, f4[:,::1])",
    brief=True,
)
def apply_messages(
    levels: Integers,
    shown: Integers,
    reals: Reals,
    integers: Integers,
    singles: Singles,
    ring: Singles,
    side: Flags,
    price: Integers,
    qty: Integers,
    messages: Integers,
    lot_size: float,
    out: Singles,
) -> int:
    """Apply M messages in receive order; a feature row for each update or whole row, out (N, 112).

    side, price, qty (E,) as in ``recording.Events``; messages (M, 7): kind, first row, row after the
    last, event time, first, last and previous update id, -1 where unknown. Goes on from, and moves,
    the places ``layout.MESSAGE`` and ``layout.ROW``. A snapshot that is no row begins a
    new run of book rows: what lies between it and the row before is not known.

    Returns the last message's code: APPLIED, or STALE (ignored) or ONE_SIDED (applied), whose rows stay
    as they were. Stops before a message with CANDLES_DUE, to be resumed after ``advance_candles``, or
    at one with a negative code of ``book_errors``.
    """
    clock = integers[at.CLOCK]
    px, sizes = shown[book.PRICES : book.SIZES], shown[book.SIZES : book.SHOWN]
    places = integers[at.PLACES]
    code = book_errors.APPLIED
    for m in range(places[at.MESSAGE], len(messages)):
        places[at.MESSAGE] = m
        kind = messages[m, KIND]
        time_us = messages[m, TIME_US]
        if kind != SNAPSHOT and kind != QUOTE and candles.is_due(clock, time_us):
            return CANDLES_DUE
        code = take_message(levels, shown, reals, integers, side, price, qty, messages[m])
        if code < 0:
            return code
        if kind == UPDATE or kind == ROW:
            row = places[at.ROW]
            if code == book_errors.APPLIED:
                code = take_row(reals, integers, singles, ring, px, sizes, lot_size, time_us, out[row])
            places[at.ROW] = row + 1
    places[at.MESSAGE] = len(messages)
    return code
