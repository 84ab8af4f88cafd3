# SPDX-License-Identifier: Apache-2.0
"""Replay of recorded market events, as arrays, in one call.

An event table holds one row per level or trade, in receive order; rows with
the same message number belong to one message.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels import book, book_errors
from kernels._arrays import as_integers
from kernels._jit import kernel
from kernels.rows import copy_row

SNAPSHOT = 0
UPDATE = 1
TRADE = 2
QUOTE = 3
#: A level of a whole book that is itself a row, as feeds of snapshots send it.
ROW = 4

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Events:
    """An event table: E rows in M messages.

    kind (E,) uint8: 0 snapshot level, 1 level update, 2 trade, 3 best bid or ask,
        4 level of a whole row.
    side (E,) uint8: 0 ask, 1 bid; of a trade 1 = the buyer was the aggressor.
    price (E,) int64 ticks; qty (E,) int64 lots.
    starts (M + 1,) int64: row where each message begins, then E.
    time_us (M,) int64: each message's event time, 0 where not given.
    """

    kind: NDArray[np.uint8]
    side: NDArray[np.uint8]
    price: Integers
    qty: Integers
    starts: Integers
    time_us: Integers

    @classmethod
    def from_columns(
        cls, *, kind: Any, side: Any, price: Any, qty: Any, msg: Any, time_us: Any = None
    ) -> "Events":
        """Check the columns of a recording and find where its messages begin.

        Raises:
            ValueError: naming the column that does not fit.
        """
        sides, prices, sizes = book.level_rows(side, price, qty)
        kinds = as_integers("kind", kind, len(prices))
        numbers = as_integers("msg", msg, len(prices))
        times = (
            np.zeros(len(prices), np.int64)
            if time_us is None
            else as_integers("time_us", time_us, len(prices))
        )
        if np.any((kinds < SNAPSHOT) | (kinds > ROW)):
            raise ValueError("kind: values must be 0 snapshot, 1 update, 2 trade, 3 quote or 4 row")
        begins = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
        starts = np.append(begins, len(prices)).astype(np.int64)
        return cls(np.ascontiguousarray(kinds, np.uint8), sides, prices, sizes, starts, times[begins])

    @property
    def updates(self) -> int:
        """How many messages change the book and make a row: updates and whole rows."""
        kinds = self.kind[self.starts[:-1]]
        return int(np.count_nonzero((kinds == UPDATE) | (kinds == ROW)))


@dataclass(frozen=True, slots=True)
class BookRows:
    """The best 20 levels after each of N update messages, and the trades between them.

    ask_px, ask_qty, bid_px, bid_qty (N, 20) int64 ticks and lots, best first.
    buy_qty, sell_qty (N,) int64: lots bought and sold by aggressors since the previous row.
    trades (N,) int64: how many. message (N,) int64: index of the message behind each row.
    """

    ask_px: Integers
    ask_qty: Integers
    bid_px: Integers
    bid_qty: Integers
    buy_qty: Integers
    sell_qty: Integers
    trades: Integers
    message: Integers

    @classmethod
    def empty(cls, rows: int) -> "BookRows":
        """Buffers for ``rows`` rows."""
        levels = [np.empty((rows, book.LEVELS), np.int64) for _ in range(4)]
        return cls(*levels, *(np.empty(rows, np.int64) for _ in range(4)))


@kernel(
    "i8(i8[:,::1], i8[:,::1], u1[::1], u1[::1], i8[::1], i8[::1], i8[::1],"
    " i8[:,::1], i8[:,::1], i8[:,::1], i8[:,::1], i8[::1], i8[::1], i8[::1], i8[::1])"
)
def replay_messages(
    levels: Integers,
    shown: Integers,
    kind: NDArray[np.uint8],
    side: NDArray[np.uint8],
    price: Integers,
    qty: Integers,
    starts: Integers,
    ask_px: Integers,
    ask_qty: Integers,
    bid_px: Integers,
    bid_qty: Integers,
    buy_qty: Integers,
    sell_qty: Integers,
    trades: Integers,
    message: Integers,
) -> int:
    """Replay M messages into N book rows; returns N, or ``code - 8 * message`` at the first fault.

    Arrays as in ``Events`` and ``BookRows``; the first two are an ``OrderBook``'s state.
    """
    row = 0
    bought = 0
    sold = 0
    traded = 0
    unknown = book.UNKNOWN
    px, sizes = shown[book.PRICES : book.SIZES], shown[book.SIZES : book.SHOWN]
    for m in range(len(starts) - 1):
        start = starts[m]
        stop = starts[m + 1]
        code = book_errors.APPLIED
        if kind[start] == TRADE:
            for i in range(start, stop):
                traded += 1
                if side[i] == book.BID:
                    bought += qty[i]
                else:
                    sold += qty[i]
        elif kind[start] == SNAPSHOT:
            code = book.apply_snapshot(levels, shown, side, price, qty, start, stop, unknown)
        elif kind[start] != QUOTE:
            if kind[start] == ROW:
                code = book.apply_snapshot(levels, shown, side, price, qty, start, stop, unknown)
            else:
                code = book.apply_update(
                    levels, shown, side, price, qty, start, stop, unknown, unknown, unknown,
                )  # fmt: skip
            copy_row(px[book.ASK], ask_px[row])
            copy_row(sizes[book.ASK], ask_qty[row])
            copy_row(px[book.BID], bid_px[row])
            copy_row(sizes[book.BID], bid_qty[row])
            buy_qty[row] = bought
            sell_qty[row] = sold
            trades[row] = traded
            message[row] = m
            row += 1
            bought = 0
            sold = 0
            traded = 0
        if code < 0:
            return code - 8 * m
    return row


def replay(events: Events, order_book: book.OrderBook | None = None) -> BookRows:
    """The book after each update message of a recording.

    Raises:
        BookError: the first fault, with the message's index.
    """
    rows = BookRows.empty(events.updates)
    levels, shown = (order_book or book.OrderBook()).state
    done = replay_messages(
        levels, shown, events.kind, events.side, events.price, events.qty, events.starts,
        rows.ask_px, rows.ask_qty, rows.bid_px, rows.bid_qty,
        rows.buy_qty, rows.sell_qty, rows.trades, rows.message,
    )  # fmt: skip
    if done < 0:
        # Python's floor division undoes code - 8 * message, with code in -7..-1.
        index, code = -(done // 8) - 1, done % 8 - 8
        raise book_errors.error_for(code, f"message {index}")
    return rows
