# SPDX-License-Identifier: Apache-2.0
"""Feature columns 36-46, 48 and 49: what changed from book row to book row.

Sums over windows are kept as integers and updated by what enters and leaves,
so they are exact however long the stream runs.

State, owned by the caller:

- ``rows`` (128, at least 15) int64: per book row n, at n % 128, the order flow of ten
  levels, two depths, aggressors' lots, time.
- ``sums`` (at least 19,) int64: running sums over windows and the counters below.
- ``before`` (4, 20) int64: the row before: ask ticks, bid ticks, ask lots, bid lots.
- ``pairs`` (2, 256) float64: signed flow and mid change of row n, at n % 128 and 128 further.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import REORDER, part
from kernels.book import ASK, BID, LEVELS
from kernels.features.bars import ratio
from kernels.features.book_features import BP, fill_cost

DEPTH = 128
#: Rows of ``pairs``.
SERIES = 2
#: Columns of ``rows``; order flow of level i stands at i - 1.
DEPTH10 = 10
DEPTH5 = 11
BOUGHT = 12
SOLD = 13
TIME_US = 14

#: Fields of ``sums``.
FLOW_W10 = 0  # ten of them, one a level
FLOW1_W50 = 10
DEPTH10_W10 = 11
DEPTH5_W100 = 12
BOUGHT_W50 = 13
SOLD_W50 = 14
NET_W100 = 15
SEEN = 16
NEW_BOUGHT = 17
NEW_SOLD = 18

#: Shortest time that exchanges' clocks tell apart.
RESOLUTION_US = 1000

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Row = NDArray[np.float32]


@part(inline=True)
def level_flow(px: Integers, qty: Integers, before: Integers, i: int) -> int:
    """Order flow imbalance of level i between two rows, in lots. Source: Cont, Kukanov & Stoikov 2014."""
    flow = 0
    if px[BID, i] >= before[BID, i]:
        flow += qty[BID, i]
    if px[BID, i] <= before[BID, i]:
        flow -= before[2 + BID, i]
    if px[ASK, i] <= before[ASK, i]:
        flow -= qty[ASK, i]
    if px[ASK, i] >= before[ASK, i]:
        flow += before[2 + ASK, i]
    return flow


@part(inline=True)
def slide(sums: Integers, field: int, rows: Integers, column: int, n: int, window: int, first: int) -> None:
    """Let row n enter a running sum and row n - window leave; rows below ``first`` never entered."""
    sums[field] += rows[n % DEPTH, column]
    if n - window >= first:
        sums[field] -= rows[(n - window) % DEPTH, column]


@part()
def push_flow(
    rows: Integers, sums: Integers, before: Integers, pairs: Reals, px: Integers, qty: Integers, time_us: int
) -> int:
    """Take in one book row and the trades since the last; returns its number n, from 0."""
    n = int(sums[SEEN])
    row = rows[n % DEPTH]
    move = 0.0
    for i in range(10):
        row[i] = level_flow(px, qty, before, i) if n > 0 else 0
    if n > 0:
        mid2 = before[ASK, 0] + before[BID, 0]
        move = (px[ASK, 0] + px[BID, 0] - mid2) / mid2 * BP
    deep = 0
    for i in range(10):
        deep += qty[ASK, i] + qty[BID, i]
        if i == 4:
            row[DEPTH5] = deep
    row[DEPTH10] = deep
    row[BOUGHT] = sums[NEW_BOUGHT] if n > 0 else 0
    row[SOLD] = sums[NEW_SOLD] if n > 0 else 0
    row[TIME_US] = time_us
    for i in range(LEVELS):
        before[ASK, i] = px[ASK, i]
        before[BID, i] = px[BID, i]
        before[2 + ASK, i] = qty[ASK, i]
        before[2 + BID, i] = qty[BID, i]
    net = row[BOUGHT] - row[SOLD]
    sums[NET_W100] += net
    if n > 100:
        sums[NET_W100] -= int(pairs[0, (n - 100) % DEPTH])
    for place in (n % DEPTH, n % DEPTH + DEPTH):
        pairs[0, place] = net
        pairs[1, place] = move
    for i in range(10):
        slide(sums, FLOW_W10 + i, rows, i, n, 10, 1)
    slide(sums, FLOW1_W50, rows, 0, n, 50, 1)
    slide(sums, DEPTH10_W10, rows, DEPTH10, n, 10, 0)
    slide(sums, DEPTH5_W100, rows, DEPTH5, n, 100, 0)
    slide(sums, BOUGHT_W50, rows, BOUGHT, n, 50, 1)
    slide(sums, SOLD_W50, rows, SOLD, n, 50, 1)
    sums[NEW_BOUGHT] = 0
    sums[NEW_SOLD] = 0
    sums[SEEN] = n + 1
    return n


@part()
def signed_log(lots: int, lot_size: float) -> float:
    """sgn(e) ln(1 + |e|) of a flow in units."""
    size = math.log1p(abs(lots) * lot_size)
    return size if lots >= 0 else -size


@part(fastmath=REORDER)
def price_impact(pairs: Reals, n: int, net: int) -> float:
    """Slope of mid change (bp) on signed flow in units of its own deviation, over 100 rows; 0 without flow.

    net: sum of the flow over those rows. Source: Kyle 1985; Hasbrouck 2009.
    """
    start = n % DEPTH + DEPTH - 99
    mean = net / 100.0
    squares = 0.0
    products = 0.0
    for k in range(start, start + 100):
        away = pairs[0, k] - mean
        squares += away * away
        products += away * pairs[1, k]
    return products / math.sqrt(squares * 100.0) if squares > 0.0 else 0.0


@part()
def flow_features(
    rows: Integers,
    sums: Integers,
    pairs: Reals,
    n: int,
    px: Integers,
    qty: Integers,
    lot_size: float,
    out: Row,
) -> None:
    """Columns 36-46, 48 and 49 after row n into out (at least 50,) float32; NaN where undefined."""
    mid = 0.5 * (px[ASK, 0] + px[BID, 0])
    for k in range(36, 47):
        out[k] = math.nan
    out[48] = math.nan
    out[49] = math.nan
    if n >= 1:
        out[38] = signed_log(int(rows[n % DEPTH, 0]), lot_size)
    if n >= 10:
        out[39] = signed_log(int(sums[FLOW_W10]), lot_size)
        flow = 0
        for i in range(10):
            flow += sums[FLOW_W10 + i]
            if 1 <= i <= 4:
                out[40 + i] = signed_log(int(sums[FLOW_W10 + i]), lot_size)
        out[45] = ratio(flow / 10.0, sums[DEPTH10_W10] / 200.0)
    if n >= 50:
        out[40] = signed_log(int(sums[FLOW1_W50]), lot_size)
        out[46] = ratio(
            float(sums[BOUGHT_W50] - sums[SOLD_W50]),
            float(sums[BOUGHT_W50] + sums[SOLD_W50]),
        )
        passed = max(rows[n % DEPTH, TIME_US] - rows[(n - 50) % DEPTH, TIME_US], RESOLUTION_US)
        out[49] = math.log1p(50.0 / (passed * 1e-6))
    if n >= 99:
        size = sums[DEPTH5_W100] / 200.0
        out[36] = fill_cost(px, qty, mid, ASK, size)
        out[37] = fill_cost(px, qty, mid, BID, size)
    if n >= 100:
        out[48] = price_impact(pairs, n, int(sums[NET_W100]))
