# SPDX-License-Identifier: Apache-2.0
"""Feature columns 0-37: what one book row says, in basis points of the mid, logs and shares.

A row is px, qty (2, 20) int64: ticks and lots, asks in row 0, bids in row 1,
best first, as ``OrderBook.top_px`` and ``top_qty``. Both sides hold a level.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part
from kernels.book import ASK, BID, LEVELS
from kernels.features.bars import ratio

Integers = NDArray[np.int64]
Row = NDArray[np.float32]

BP = 1e4


@part()
def distances(px: Integers, qty: Integers, mid: float, lot_size: float, out: Row) -> None:
    """Columns 0-19: five distances from the mid in bp, five ln(1 + size) a side. Source: KZ 2015; FI-2010."""
    for i in range(5):
        out[i] = (px[ASK, i] - mid) / mid * BP
        out[5 + i] = (mid - px[BID, i]) / mid * BP
        out[10 + i] = math.log1p(qty[ASK, i] * lot_size)
        out[15 + i] = math.log1p(qty[BID, i] * lot_size)


@part()
def microprice(px: Integers, qty: Integers, mid: float, levels: int) -> float:
    """Prices weighted by the other side's sizes, minus the mid, in bp. Source: Gatheral & Oomen 2010."""
    weighted = 0.0
    weight = 0.0
    for i in range(levels):
        weighted += (px[ASK, i] - mid) * qty[BID, i] + (px[BID, i] - mid) * qty[ASK, i]
        weight += qty[ASK, i] + qty[BID, i]
    return ratio(weighted, weight) / mid * BP


@part()
def mean_price(px: Integers, qty: Integers, mid: float, side: int) -> float:
    """Size-weighted mean price of five levels of one side, minus the mid, in ticks."""
    weighted = 0.0
    weight = 0.0
    for i in range(5):
        weighted += (px[side, i] - mid) * qty[side, i]
        weight += qty[side, i]
    return ratio(weighted, weight)


@part()
def imbalances(qty: Integers, out: Row) -> None:
    """Columns 26-31: (bids - asks) / (bids + asks) over 1, 3, 5, 10 and 20 levels, and decayed over 10.

    Source: Gould & Bonart 2016; Cartea, Donnelly & Jaimungal 2018.
    """
    bids = 0
    asks = 0
    filled = 0
    for i in range(LEVELS):
        bids += qty[BID, i]
        asks += qty[ASK, i]
        if i in (0, 2, 4, 9, 19):
            out[filled] = ratio(float(bids - asks), float(bids + asks))
            filled += 1
    difference = 0.0
    summed = 0.0
    weight = 1.0
    for i in range(10):
        difference += weight * (qty[BID, i] - qty[ASK, i])
        summed += weight * (qty[BID, i] + qty[ASK, i])
        weight *= math.exp(-0.5)
    out[5] = ratio(difference, summed)


@part()
def slope(px: Integers, qty: Integers, side: int) -> float:
    """Mean over i = 1..9 of (v_{i+1}/v_i - 1) / |P_{i+1}/P_i - 1|, v_i = ln(1 + lots of the first i levels).

    A term without a change of price is 0. Source: Næs & Skjeltorp 2006, their first term left out.
    """
    depth = qty[side, 0]
    before = math.log1p(float(depth))
    summed = 0.0
    for i in range(1, 10):
        depth += qty[side, i]
        volume = math.log1p(float(depth))
        step = abs(px[side, i] - px[side, i - 1]) / px[side, i - 1]
        summed += ratio(ratio(volume, before) - 1.0, step)
        before = volume
    return summed / 9.0


@part()
def fill_cost(px: Integers, qty: Integers, mid: float, side: int, size: float) -> float:
    """|mean fill price - mid| in bp of a market order of ``size`` lots that takes ``side``.

    What 20 levels do not cover fills at the last; size 0 costs 0. Source: Gomber et al. 2015.
    """
    left = size
    paid = 0.0
    for i in range(LEVELS):
        taken = min(left, float(qty[side, i]))
        paid += taken * abs(px[side, i] - mid)
        left -= taken
        if left <= 0.0:
            break
    if left > 0.0:
        paid += left * abs(px[side, LEVELS - 1] - mid)
    return ratio(paid, size) / mid * BP


@part()
def book_features(px: Integers, qty: Integers, lot_size: float, out: Row) -> None:
    """Columns 0-35 of one row into out (at least 36,) float32."""
    mid = 0.5 * (px[ASK, 0] + px[BID, 0])
    distances(px, qty, mid, lot_size, out)
    spread = px[ASK, 0] - px[BID, 0]
    out[20] = spread / mid * BP
    out[21] = spread
    out[22] = microprice(px, qty, mid, 1)
    out[23] = microprice(px, qty, mid, 5)
    out[24] = (mean_price(px, qty, mid, ASK) - mean_price(px, qty, mid, BID)) / mid * BP
    out[25] = ((px[ASK, 9] - px[ASK, 0]) - (px[BID, 0] - px[BID, 9])) / mid * BP
    imbalances(qty, out[26:32])
    bids = 0
    asks = 0
    for i in range(10):
        bids += qty[BID, i]
        asks += qty[ASK, i]
    out[32] = math.log1p(bids * lot_size)
    out[33] = math.log1p(asks * lot_size)
    out[34] = slope(px, qty, BID)
    out[35] = slope(px, qty, ASK)
