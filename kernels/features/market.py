# SPDX-License-Identifier: Apache-2.0
"""One market's features: books and trades in, 112 numbers and a network's window out.

A stream owns one ``MarketFeatures`` per symbol and feeds it message by
message; ``table.feature_table`` feeds it a whole recording. Both run
``tick.apply_messages``, so their features are equal to the last bit.
"""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import book_errors, windows
from kernels._arrays import checked
from kernels.book import UNKNOWN, OrderBook, level_rows
from kernels.features import bars, candles, layout, tick
from kernels.features.candles import Candles
from kernels.features.names import FEATURE_COUNT, FEATURE_NAMES, INDICATOR_COUNT, SLOW_COUNT
from kernels.recording import ROW, SNAPSHOT, TRADE, UPDATE, Events

Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Columns = tuple[NDArray[np.uint8], Integers, Integers]

_NO_HISTORY = np.empty((0, bars.GIVEN))
_NO_SLOW, _NO_RAW = np.empty((0, SLOW_COUNT), np.float32), np.empty((0, INDICATOR_COUNT))


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a market's whole numbers mean: price = ticks × tick_size, size = lots × lot_size.

    Raises:
        ValueError: where either is not a positive number.
    """

    tick_size: float
    lot_size: float

    def __post_init__(self) -> None:
        """Refuse increments that are no positive numbers."""
        for name, value in (("tick_size", self.tick_size), ("lot_size", self.lot_size)):
            if not (isfinite(value) and value > 0):
                raise ValueError(f"{name}: {value} is not a positive number; give the exchange's increment")


class MarketFeatures:
    """Book, window, candles and features of one symbol, in arrays that are all made here.

    ``features`` is the newest row, a live (112,) float32 view; NaN where not yet defined. Times are
    event times in µs, of one clock. A message that is refused raises a ``BookError`` and leaves
    features and window as they were. Not for two threads at once.
    """

    __slots__ = (
        "_instrument",
        "_integers",
        "_lot_size",
        "_message",
        "_out",
        "_places",
        "_reals",
        "_ring",
        "_ring_meta",
        "_singles",
        "_state",
        "_trade",
        "book",
        "features",
    )

    def __init__(self, instrument: Instrument, *, capacity: int = 8192, bar_us: int = candles.BAR_US) -> None:
        """``capacity``: book levels kept per side. ``bar_us``: length of a candle.

        Raises:
            ValueError: where either is out of range.
        """
        if bar_us <= 0:
            raise ValueError(f"bar_us: {bar_us} is not a length of time; give microseconds above 0")
        self.book = OrderBook(capacity=capacity)
        self._instrument, self._lot_size = instrument, float(instrument.lot_size)
        self._reals, self._integers, self._singles, self._ring = layout.new_state(bar_us)
        self._state = (*self.book.state, self._reals, self._integers, self._singles, self._ring)
        self._ring_meta = self._integers[layout.RING_META : layout.PLACES]
        self._places = self._integers[layout.PLACES]
        self._message = np.zeros((1, tick.MESSAGE_FIELDS), np.int64)
        self._trade = (np.zeros(1, np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int64))
        self._out = np.full((1, FEATURE_COUNT), np.nan, np.float32)
        self.features = self._out[0]

    @property
    def window_warm(self) -> bool:
        """True once the book window holds 100 rows."""
        return bool(self._ring_meta[windows.FIELDS, windows.FILLED] == windows.ROWS)

    @property
    def warm(self) -> bool:
        """True once the window is warm and every feature of the newest row is defined."""
        return self.window_warm and not bool(np.isnan(self.features).any())

    @property
    def feature_rows(self) -> int:
        """Feature rows held, at most 60."""
        return min(int(self._places[layout.PUSHED]), layout.FEATURE_ROWS)

    @property
    def candles_closed(self) -> int:
        """Candles carried so far, history included."""
        return int(self._integers[layout.CLOCK, candles.CLOSED])

    @property
    def late_trades(self) -> int:
        """Trades that came after their candle had closed and so changed no candle."""
        return int(self._integers[layout.CLOCK, candles.LATE])

    def undefined(self) -> list[str]:
        """Names of the features that the newest row does not have yet."""
        return [name for name, value in zip(FEATURE_NAMES, self.features, strict=True) if np.isnan(value)]

    def seed(self, history: Candles) -> None:
        """Carry closed candles that end before the first event, so that features are defined at once.

        Raises:
            ValueError: where their length differs, or candles or trades were taken in before.
        """
        clock = self._integers[layout.CLOCK]
        length = int(clock[candles.LENGTH_US])
        if clock[candles.START_US] != candles.NO_CANDLE:
            raise ValueError("history: candles or trades are in already; seed a new MarketFeatures first")
        if history.length_us != length:
            raise ValueError(f"history: candles last {history.length_us} µs; this stream's last {length}")
        if len(history):
            clock[candles.START_US] = history.start_us[0]
            self._advance(history.table, int(history.start_us[-1]))

    def advance(self, time_us: int) -> None:
        """Close the candles that end at or before ``time_us``, as when a minute passes without events.

        Raises:
            ClockJumpError: where that is more than a week's.
        """
        self._advance(_NO_HISTORY, time_us)

    def snapshot(
        self,
        side: Any,
        price: Any,
        qty: Any,
        *,
        time_us: int,
        last_update_id: int = UNKNOWN,
        is_row: bool = False,
    ) -> None:
        """Replace the book by whole levels: side 0 ask, 1 bid; ticks; lots.

        A plain snapshot begins a stream of updates, or begins it anew after a gap: window and flow
        start over. With ``is_row`` it is itself a row, as from a feed that sends whole books.

        Raises:
            ValueError: where a column does not fit.
            BookError: see ``OrderBook.apply_snapshot``; ClockJumpError.
        """
        kind = ROW if is_row else SNAPSHOT
        self._apply(kind, level_rows(side, price, qty), time_us, last_id=last_update_id)

    def update(
        self,
        side: Any,
        price: Any,
        qty: Any,
        *,
        time_us: int,
        first_update_id: int = UNKNOWN,
        last_update_id: int = UNKNOWN,
        previous_update_id: int = UNKNOWN,
    ) -> bool:
        """Apply one message of new total sizes and renew the features; False where it was stale or one-sided.

        Raises:
            ValueError: where a column does not fit.
            BookError: see ``OrderBook.apply_update``; ClockJumpError.
        """
        ids = (first_update_id, last_update_id, previous_update_id)
        return self._apply(UPDATE, level_rows(side, price, qty), time_us, *ids) == book_errors.APPLIED

    def trade(self, price: int, qty: int, *, bought: bool, time_us: int) -> None:
        """Enter one trade; ``bought``: the buyer was the aggressor.

        Raises:
            InvalidLevelError, NegativeSizeError, ClockJumpError: nothing was changed.
        """
        columns = self._trade
        columns[0][0], columns[1][0], columns[2][0] = bought, price, qty
        self._apply(TRADE, columns, time_us)

    def apply(self, events: Events, ids: Integers | None = None, out: Singles | None = None) -> Singles:
        """Apply many messages; the features after each update or row, (N, 112) float32.

        ids (M, 3) int64: first, last and previous update id of each message, -1 where unknown.
        Without ``out`` a new array is made. Stale and one-sided messages leave a NaN row.

        Raises:
            ValueError: where ``ids`` or ``out`` does not fit.
            BookError: at the first fault, naming its message; those before it are applied.
        """
        count = len(events.time_us)
        messages = np.full((count, tick.MESSAGE_FIELDS), UNKNOWN, np.int64)
        messages[:, tick.KIND] = events.kind[events.starts[:-1]]
        messages[:, tick.START], messages[:, tick.STOP] = events.starts[:-1], events.starts[1:]
        messages[:, tick.TIME_US] = events.time_us
        if ids is not None:
            messages[:, tick.FIRST_ID :] = checked("ids", ids, np.int64, (count, 3))
        shape = (events.updates, FEATURE_COUNT)
        rows = np.empty(shape, np.float32) if out is None else out
        checked("out", rows, np.float32, shape, writeable=True)
        rows[:] = np.nan
        self._run((events.side, events.price, events.qty), messages, rows)
        if len(rows):
            self.features[:] = rows[-1]
        return rows

    def read_window(self, out: Singles) -> bool:
        """Fill ``out`` (100, 20, 4) float32 with the network's book window; True where it is warm.

        Raises:
            ValueError: where ``out`` does not fit.
        """
        windows.read_ring(self._ring, self._ring_meta, False, windows.checked_window("out", out))
        return self.window_warm

    def read_feature_rows(self, out: Singles) -> bool:
        """Fill ``out`` (60, 112) float32 with the last rows, oldest first; True where 60 are in.

        Rows not yet seen are NaN, as are undefined features; see ``scaling.ColumnScaling``.

        Raises:
            ValueError: where ``out`` does not fit.
        """
        checked("out", out, np.float32, (layout.FEATURE_ROWS, FEATURE_COUNT), writeable=True)
        start = layout.HISTORY + int(self._places[layout.PUSHED]) % layout.FEATURE_ROWS
        out[:] = self._singles[start : start + layout.FEATURE_ROWS]
        out[: layout.FEATURE_ROWS - self.feature_rows] = np.nan
        return self.feature_rows == layout.FEATURE_ROWS

    def _advance(self, history: NDArray[np.float64], until_us: int) -> None:
        sizes = (self._instrument.tick_size, self._instrument.lot_size)
        code = tick.advance_candles(
            self._reals, self._integers, self._singles, history, until_us, *sizes, _NO_SLOW, _NO_RAW
        )
        if code < 0:
            raise book_errors.error_for(code, f"time_us {until_us}")

    def _apply(
        self,
        kind: int,
        columns: Columns,
        time_us: int,
        first_id: int = UNKNOWN,
        last_id: int = UNKNOWN,
        previous_id: int = UNKNOWN,
    ) -> int:
        self._message[0] = (kind, 0, len(columns[0]), time_us, first_id, last_id, previous_id)
        return self._run(columns, self._message, self._out)

    def _run(self, columns: Columns, messages: Integers, out: Singles) -> int:
        """Apply messages, closing candles where they fall due."""
        places = self._places
        places[layout.MESSAGE] = places[layout.ROW] = 0
        while True:
            code = tick.apply_messages(*self._state, *columns, messages, self._lot_size, out)
            if code >= 0 and code != tick.CANDLES_DUE:
                return code
            message = messages[places[layout.MESSAGE]]
            if code < 0:
                raise book_errors.error_for(code, self._describe(message))
            self._advance(_NO_HISTORY, int(message[tick.TIME_US]))

    def _describe(self, message: Integers) -> str:
        ids, seen = tuple(message[tick.FIRST_ID :].tolist()), self.book.last_update_id
        best = f"best ask {self.book.ask_px[0]}, best bid {self.book.bid_px[0]}"
        return f"message {self._places[layout.MESSAGE]}, ids {ids}, last applied {seen}, {best}"
