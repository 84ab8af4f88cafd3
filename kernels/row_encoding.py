# SPDX-License-Identifier: Apache-2.0
"""One book row as a network reads it: 80 float32 numbers, encoded once, on arrival.

Level by level, best first: ask price, ask size, bid price, bid size. Prices
are ticks relative to an anchor; sizes are ln(1 + lots * lot_size).
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part
from kernels.book_levels import LEVELS

CHANNELS = 4
ROW_VALUES = LEVELS * CHANNELS

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@part(inline=True)
def log_size(
    qty: Integers, i: int, before: Integers, encoded: Floats, channel: int, lot_size: float
) -> np.float32:
    """ln(1 + lots * lot_size) of level i, taken from the row before where that held the same size nearby."""
    lots = qty[i]
    if lots == before[i]:
        return encoded[CHANNELS * i + channel]
    if i + 1 < LEVELS and lots == before[i + 1]:
        return encoded[CHANNELS * (i + 1) + channel]
    if i > 0 and lots == before[i - 1]:
        return encoded[CHANNELS * (i - 1) + channel]
    return np.float32(math.log1p(lots * lot_size))


@part(inline=True)
def encode_row(
    ask_px: Integers,
    ask_qty: Integers,
    bid_px: Integers,
    bid_qty: Integers,
    ask_before: Integers,
    bid_before: Integers,
    encoded: Floats,
    anchor: int,
    lot_size: float,
    out: Floats,
) -> None:
    """Encode one book row: prices (20,) ticks minus ``anchor``, sizes (20,) as ln(1 + lots * lot_size).

    ask_before, bid_before (20,): the sizes of the row before, -1 where there is none; encoded (80,):
    that row as it was encoded. out (80,).
    """
    for i in range(LEVELS):
        out[CHANNELS * i] = np.float32(ask_px[i] - anchor)
        out[CHANNELS * i + 1] = log_size(ask_qty, i, ask_before, encoded, 1, lot_size)
        out[CHANNELS * i + 2] = np.float32(bid_px[i] - anchor)
        out[CHANNELS * i + 3] = log_size(bid_qty, i, bid_before, encoded, 3, lot_size)


@part()
def subtract_from_prices(values: Floats, mid: np.float32, out: Floats) -> None:
    """Out = values with ``mid`` taken off the price channels (every even place)."""
    zero = np.float32(0.0)
    for i in range(len(out)):
        out[i] = values[i] - (mid if i & 1 == 0 else zero)


@part()
def write_window(rows: Floats, mid: np.float32, own_mid: bool, out: Floats) -> None:
    """Write encoded rows (R, 80) to out (R * 80,), relative to ``mid`` or to each row's own."""
    if own_mid:
        for r in range(len(rows)):
            own = np.float32(0.5) * (rows[r, 0] + rows[r, 2])
            subtract_from_prices(rows[r], own, out[r * ROW_VALUES : (r + 1) * ROW_VALUES])
    else:
        subtract_from_prices(rows.reshape(rows.size), mid, out)
