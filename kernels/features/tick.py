# SPDX-License-Identifier: Apache-2.0
"""One market event, whole: book, window, candles and all 112 features in one call.

Streams and recordings run the same kernels in the same order, so their
features are equal to the last bit. State: an ``OrderBook``'s five arrays, then
the three arrays of ``layout``.
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

#: The message was applied, but a side of the book is empty: no mid, no row.
ONE_SIDED = 2
#: Nothing was applied: candles must close first.
CANDLES_DUE = 3

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Flags = NDArray[np.uint8]

STATE = "f8[::1], i8[::1], f4[::1]"
BOOK = "i8[:,::1], i8[:,::1], i8[::1], i8[:,::1], i8[:,::1]"


@part()
def close_candle(
    reals: Reals, integers: Integers, singles: Singles, tick_size: float, lot_size: float
) -> None:
    """Close the open candle, carry candle features and indicators over it, and begin the next."""
    table = at.bars_of(reals)
    candle = at.open_bar_of(reals)
    clock = at.clock_of(integers)
    t = int(clock[candles.CLOSED])
    raw = at.raw_of(reals)
    slow = at.slow_of(singles)
    bars.add_bar(table, t, candle)
    vpin.add_candle(at.vpin_of(reals), candle[bars.VOLUME])
    indicators_step(at.indicators_of(reals), table, t, raw)
    candle_features(table, t, tick_size, lot_size, slow[:CANDLE_COUNT])
    scale_indicators(raw, table, t, slow[CANDLE_COUNT:])
    candles.next_bar(clock, candle)


@kernel(f"i8({STATE}, f8[:,::1], i8, f8, f8)")
def advance_candles(
    reals: Reals,
    integers: Integers,
    singles: Singles,
    history: Reals,
    until_us: int,
    tick_size: float,
    lot_size: float,
) -> int:
    """Carry a history of closed candles (N, 8), then close what ends at or before ``until_us``.

    The history's traded volume also fills VPIN's buckets, each candle's two
    sides pro rata. Returns APPLIED, or CLOCK_JUMP (nothing done) where more than a week would close.
    """
    clock = at.clock_of(integers)
    open_bar = at.open_bar_of(reals)
    for i in range(len(history)):
        taken = history[i, bars.TAKER]
        vpin.add_traded(at.vpin_of(reals), taken, history[i, bars.VOLUME] - taken)
        for field in range(bars.GIVEN):
            open_bar[field] = history[i, field]
        close_candle(reals, integers, singles, tick_size, lot_size)
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
    sums = at.sums_of(integers)
    sums[flow.NEW_BOUGHT if bought else flow.NEW_SOLD] += qty
    if candles.add_trade(at.clock_of(integers), at.open_bar_of(reals), price, qty, bought, time_us):
        vpin.add_traded(at.vpin_of(reals), float(qty) if bought else 0.0, 0.0 if bought else float(qty))
    return book_errors.APPLIED


@part()
def take_row(
    reals: Reals,
    integers: Integers,
    singles: Singles,
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
        at.ring_of(singles), at.ring_meta_of(integers),
        px[book.ASK], qty[book.ASK], px[book.BID], qty[book.BID], lot_size,
    )  # fmt: skip
    rows, sums, pairs = at.rows_of(integers), at.sums_of(integers), at.pairs_of(reals)
    n = flow.push_flow(rows, sums, at.before_of(integers), pairs, px, qty, time_us)
    book_features(px, qty, lot_size, out)
    flow.flow_features(rows, sums, pairs, n, px, qty, lot_size, out)
    out[47] = vpin.vpin_of(at.vpin_of(reals))
    slow = at.slow_of(singles)
    for k in range(SLOW_COUNT):
        out[BOOK_COUNT + k] = slow[k]
    history = at.history_of(singles)
    place = integers[at.PUSHED] % at.FEATURE_ROWS
    for k in range(FEATURE_COUNT):
        history[place, k] = out[k]
        history[place + at.FEATURE_ROWS, k] = out[k]
    integers[at.PUSHED] += 1
    return book_errors.APPLIED


@part()
def take_message(
    keys: Integers,
    sizes: Integers,
    meta: Integers,
    top_px: Integers,
    top_qty: Integers,
    reals: Reals,
    integers: Integers,
    kind: int,
    side: Flags,
    price: Integers,
    qty: Integers,
    start: int,
    stop: int,
    time_us: int,
    ids: Integers,
) -> int:
    """Apply rows ``start`` to ``stop``, one message, to the book or the trades; returns a code."""
    code = book_errors.APPLIED
    if kind == UPDATE:
        code = book.apply_update(
            keys, sizes, meta, top_px, top_qty, side, price, qty, start, stop, ids[0], ids[1], ids[2]
        )
    elif kind == TRADE:
        for i in range(start, stop):
            bought = side[i] == book.BID
            code = min(code, take_trade(reals, integers, price[i], qty[i], bought, time_us))
    elif kind != QUOTE:
        code = book.apply_snapshot(keys, sizes, meta, top_px, top_qty, side, price, qty, start, stop, ids[1])
        if kind == SNAPSHOT:
            at.restart_rows(integers)
    return code


@kernel(
    f"i8({BOOK}, {STATE}, u1[::1], u1[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[:,::1], i8[::1],"
    " f8, f4[:,::1])"
)
def apply_events(
    keys: Integers,
    sizes: Integers,
    meta: Integers,
    top_px: Integers,
    top_qty: Integers,
    reals: Reals,
    integers: Integers,
    singles: Singles,
    kind: Flags,
    side: Flags,
    price: Integers,
    qty: Integers,
    starts: Integers,
    time_us: Integers,
    ids: Integers,
    progress: Integers,
    lot_size: float,
    out: Singles,
) -> int:
    """Apply M messages in receive order; a feature row for each update or whole row, out (N, 112).

    A snapshot that is no row begins a new run of book rows: what lies between it
    and the row before is not known.

    kind, side, price, qty (E,) and starts (M + 1,) as in ``recording.Events``, time_us (M,) by message;
    ids (M, 3): first, last and previous update id, -1 where unknown. progress (2,): message and
    row to go on from, moved on as messages are done.

    Returns the last message's code: APPLIED, or STALE (ignored) or ONE_SIDED (applied), whose rows stay
    as they were. Stops before the message at ``progress[0]`` with CANDLES_DUE, to be resumed after
    ``advance_candles``, or at it with a negative code of ``book_errors``.
    """
    clock = at.clock_of(integers)
    code = book_errors.APPLIED
    for m in range(progress[0], len(starts) - 1):
        progress[0] = m
        what = kind[starts[m]]
        if what != SNAPSHOT and what != QUOTE and candles.is_due(clock, time_us[m]):
            return CANDLES_DUE
        code = take_message(
            keys, sizes, meta, top_px, top_qty, reals, integers, what, side, price, qty,
            starts[m], starts[m + 1], time_us[m], ids[m],
        )  # fmt: skip
        if code < 0:
            return code
        if what == UPDATE or what == ROW:
            row = progress[1]
            if code == book_errors.APPLIED:
                code = take_row(reals, integers, singles, top_px, top_qty, lot_size, time_us[m], out[row])
            progress[1] = row + 1
    progress[0] = len(starts) - 1
    return code
