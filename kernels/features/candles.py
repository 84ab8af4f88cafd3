# SPDX-License-Identifier: Apache-2.0
"""One-minute candles from trades: the one builder, for streams and for recordings.

A candle holds open, high, low, close in ticks, volume in lots, quote volume in
ticks × lots, trades, and the lots that buyers took. It closes when an event,
trade or book row, arrives at or after its end. A minute without trades repeats
the last close with volume 0. A trade older than the open candle changes
nothing and is counted: a closed candle is never revised.

State, owned by the caller: ``clock`` (4,) int64, the fields below, and ``open_bar`` (8,) float64.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels._arrays import as_integers
from kernels._jit import kernel, part
from kernels.features.bars import CLOSE, GIVEN, HIGH, LOW, OPEN, QUOTE, TAKER, TRADES, VOLUME
from kernels.rows import copy_row

BAR_US = 60_000_000
#: A longer silence than a week of empty candles is refused as a broken clock.
LONGEST_SILENCE = 7 * 24 * 60

#: Fields of ``clock``: start of the open candle (-1 before the first trade), length, candles closed, late
#: trades.
START_US = 0
LENGTH_US = 1
CLOSED = 2
LATE = 3
NO_CANDLE = -1

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


@part()
def add_trade(clock: Integers, open_bar: Reals, price: int, qty: int, bought: bool, time_us: int) -> bool:
    """Enter a trade of ``qty`` lots at ``price`` ticks; False where it is late and changed nothing.

    Candles that end before it must be closed already.
    """
    if clock[START_US] == NO_CANDLE:
        clock[START_US] = time_us - time_us % clock[LENGTH_US]
        open_bar[:] = 0.0
    if time_us < clock[START_US]:
        clock[LATE] += 1
        return False
    if open_bar[TRADES] == 0.0:
        open_bar[OPEN] = price
        open_bar[HIGH] = price
        open_bar[LOW] = price
    open_bar[HIGH] = max(open_bar[HIGH], float(price))
    open_bar[LOW] = min(open_bar[LOW], float(price))
    open_bar[CLOSE] = price
    open_bar[VOLUME] += qty
    open_bar[QUOTE] += float(price) * float(qty)
    open_bar[TRADES] += 1.0
    if bought:
        open_bar[TAKER] += qty
    return True


@part()
def is_due(clock: Integers, time_us: int) -> bool:
    """True where the open candle ends at or before ``time_us``."""
    return bool(clock[START_US] != NO_CANDLE and time_us >= clock[START_US] + clock[LENGTH_US])


@part()
def silence(clock: Integers, time_us: int) -> int:
    """How many candles would close at ``time_us``."""
    if clock[START_US] == NO_CANDLE:
        return 0
    return int((time_us - clock[START_US]) // clock[LENGTH_US])


@part()
def next_bar(clock: Integers, open_bar: Reals) -> None:
    """Begin the candle after the one that just closed: flat at its close until a trade comes."""
    close = open_bar[CLOSE]
    for field in range(GIVEN):
        open_bar[field] = close if field <= CLOSE else 0.0
    clock[START_US] += clock[LENGTH_US]
    clock[CLOSED] += 1


@kernel("i8(i8[::1], f8[::1], i8[::1], i8[::1], i8[::1], u1[::1], i8, i8[::1], f8[:,::1])")
def build_candles_kernel(
    clock: Integers,
    open_bar: Reals,
    time_us: Integers,
    price: Integers,
    qty: Integers,
    bought: NDArray[np.uint8],
    until_us: int,
    starts: Integers,
    table: Reals,
) -> int:
    """Candles of a run of trades that close until ``until_us``: starts (N,), table (N, 8); returns N."""
    for i in range(len(price)):
        while is_due(clock, time_us[i]):
            starts[clock[CLOSED]] = clock[START_US]
            copy_row(open_bar, table[clock[CLOSED]])
            next_bar(clock, open_bar)
        add_trade(clock, open_bar, price[i], qty[i], bought[i] != 0, time_us[i])
    while is_due(clock, until_us):
        starts[clock[CLOSED]] = clock[START_US]
        copy_row(open_bar, table[clock[CLOSED]])
        next_bar(clock, open_bar)
    return int(clock[CLOSED])


@dataclass(frozen=True, slots=True)
class Candles:
    """N closed candles, oldest first, without holes.

    start_us (N,) int64: opening times, µs. table (N, 8) float64: open, high, low, close (ticks), volume
    (lots), quote volume (ticks × lots), trades, taker-buy volume (lots).
    """

    start_us: Integers
    table: Reals
    length_us: int = BAR_US

    def __post_init__(self) -> None:
        """Refuse what no market can have traded.

        Raises:
            ValueError: naming the first fault.
        """
        _check_times(self.start_us, self.length_us, len(self.table))
        _check_table(self.table)

    def __len__(self) -> int:
        return len(self.start_us)

    def __getitem__(self, rows: slice) -> "Candles":
        return Candles(self.start_us[rows], self.table[rows], self.length_us)

    @classmethod
    def from_prices(
        cls,
        *,
        start_us: Any,
        prices: Any,
        volume: Any,
        quote_volume: Any,
        trades: Any,
        taker_buy_volume: Any,
        tick_size: float,
        lot_size: float,
        length_us: int = BAR_US,
    ) -> "Candles":
        """Candles in currency and units, as exchanges give them: prices (N, 4) open, high, low, close.

        Raises:
            ValueError: where a price is no multiple of ``tick_size`` or an array does not fit.
        """
        columns = [
            np.asarray(value, np.float64) for value in (volume, quote_volume, trades, taker_buy_volume)
        ]
        ticks = np.asarray(prices, np.float64) / tick_size
        whole = np.rint(ticks)
        if np.any(np.abs(ticks - whole) > 1e-3):
            raise ValueError(f"prices: some are no multiple of tick_size {tick_size}; check its value")
        lots = [np.rint(columns[0] / lot_size), columns[1] / (tick_size * lot_size), columns[2]]
        rest = [*lots, np.rint(columns[3] / lot_size)]
        table = np.ascontiguousarray(np.column_stack([whole, *rest]))
        return cls(as_integers("start_us", start_us, len(table)), table, length_us)


def _check_times(start_us: Integers, length_us: int, rows: int) -> None:
    if start_us.shape != (rows,) or start_us.dtype != np.int64:
        raise ValueError(f"start_us: expected ({rows},) int64; give one opening time a candle")
    if length_us <= 0:
        raise ValueError(f"length_us: {length_us} is not a length of time; give microseconds above 0")
    if np.any(np.diff(start_us) != length_us):
        raise ValueError("start_us: candles must follow one another without holes; fill empty ones first")
    if np.any(start_us % length_us):
        raise ValueError("start_us: a candle must open at a whole multiple of its length")


def _check_table(table: Reals) -> None:
    if (
        table.ndim != 2
        or table.shape[1] != GIVEN
        or table.dtype != np.float64
        or not table.flags.c_contiguous
    ):
        raise ValueError(
            f"table: expected C-contiguous (N, {GIVEN}) float64, found {table.shape} {table.dtype}"
        )
    if not np.all(np.isfinite(table)):
        raise ValueError("table: every value must be finite; drop or fill broken candles")
    prices, flows = table[:, :VOLUME], table[:, VOLUME:]
    highest, lowest = prices.max(1, initial=-np.inf), prices.min(1, initial=np.inf)
    if np.any(prices <= 0) or np.any(table[:, HIGH] != highest) or np.any(table[:, LOW] != lowest):
        raise ValueError("table: prices must be above 0, none above the high or below the low")
    if np.any(flows < 0) or np.any(table[:, TAKER] > table[:, VOLUME]):
        raise ValueError("table: volumes and trades must be at least 0, taker-buy volume at most the volume")


def build_candles(
    *, time_us: Any, price: Any, qty: Any, bought: Any, until_us: int | None = None, length_us: int = BAR_US
) -> Candles:
    """The candles that trades make and that close until ``until_us`` (default: the last trade).

    price in ticks, qty in lots, bought: True where the buyer was the aggressor.

    Raises:
        ValueError: where a column does not fit, or the trades span more than a year of candles.
    """
    prices = as_integers("price", price, None)
    times = as_integers("time_us", time_us, len(prices))
    sizes = as_integers("qty", qty, len(prices))
    buyers = np.ascontiguousarray(np.asarray(bought) != 0, np.uint8)
    if buyers.shape != prices.shape:
        raise ValueError(f"bought: shape is {buyers.shape}; expected ({len(prices)},)")
    if not len(prices):
        return Candles(np.empty(0, np.int64), np.empty((0, GIVEN)), length_us)
    end = int(times.max()) if until_us is None else max(int(until_us), int(times.max()))
    rows = (end - int(times[0])) // length_us + 1
    if rows > 366 * 24 * 60:
        raise ValueError("time_us: the trades span more than a year of candles; build them in parts")
    clock = np.array([NO_CANDLE, length_us, 0, 0], np.int64)
    starts, table = np.empty(rows, np.int64), np.empty((rows, GIVEN))
    done = build_candles_kernel(clock, np.zeros(GIVEN), times, prices, sizes, buyers, end, starts, table)
    return Candles(starts[:done], table[:done], length_us)
