# SPDX-License-Identifier: Apache-2.0
"""The last closed candles, laid out so that any of them is one subtraction away.

``bars`` (FIELDS, at least 128) float64: bar t stands at columns t % 64 and t % 64 + 64.
From ``place = t % 64 + 64`` the bar k steps back is column ``place - k``, for k
up to 63, and the last n bars are the slice ``place - n + 1 : place + 1``.
Prices are in ticks, sizes in lots: whole numbers, so that equal prices stay
equal through every sum; quote volume in ticks × lots.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part

DEPTH = 64

OPEN = 0
HIGH = 1
LOW = 2
CLOSE = 3
VOLUME = 4
QUOTE = 5
TRADES = 6
TAKER = 7
#: Fields from here on are derived when the bar is added.
RETURN = 8
GAP = 9
BODY2 = 10
RANGE2 = 11
ROGERS = 12
BALANCE = 13
FIELDS = 14
#: What a candle is made of: open, high, low, close, volume, quote volume, trades, taker-buy volume.
GIVEN = 8

Table = NDArray[np.float64]


@part()
def place_of(t: int) -> int:
    """Column of bar t from which earlier bars are reached by subtraction."""
    return t % DEPTH + DEPTH


@part()
def add_bar(bars: Table, t: int, candle: Table) -> int:
    """Store candle (8,) as bar t with its derived fields; returns its place."""
    place = place_of(t)
    for field in range(GIVEN):
        bars[field, place] = candle[field]
    opened, high, low, close = candle[OPEN], candle[HIGH], candle[LOW], candle[CLOSE]
    before = bars[CLOSE, place - 1]
    bars[RETURN, place] = math.log(close / before) if t > 0 else math.nan
    bars[GAP, place] = math.log(opened / before) if t > 0 else math.nan
    bars[BODY2, place] = math.log(close / opened) ** 2
    bars[RANGE2, place] = math.log(high / low) ** 2
    bars[ROGERS, place] = math.log(high / close) * math.log(high / opened) + math.log(low / close) * math.log(
        low / opened
    )
    balance = 0.0
    if t > 0:
        balance = bars[BALANCE, place - 1]
        if close > before:
            balance += candle[VOLUME]
        elif close < before:
            balance -= candle[VOLUME]
    else:
        balance = candle[VOLUME]
    bars[BALANCE, place] = balance
    for field in range(FIELDS):
        bars[field, place - DEPTH] = bars[field, place]
    return place


@part()
def total(bars: Table, field: int, place: int, n: int) -> float:
    """Sum of a field over the last n bars."""
    summed = 0.0
    for k in range(place - n + 1, place + 1):
        summed += bars[field, k]
    return summed


@part()
def ratio(numerator: float, denominator: float) -> float:
    """Quotient, and 0 where the denominator is 0."""
    return numerator / denominator if denominator != 0.0 else 0.0
