# SPDX-License-Identifier: Apache-2.0
"""Feature columns 50-74: what the last closed candles say.

Every formula is the contract's; each function's docstring repeats it. Windows
are recomputed from the bar history, so nothing drifts.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part
from kernels.features.bars import (
    BODY2,
    CLOSE,
    GAP,
    HIGH,
    LOW,
    OPEN,
    QUOTE,
    RANGE2,
    RETURN,
    ROGERS,
    TAKER,
    TRADES,
    VOLUME,
    place_of,
    ratio,
    total,
)

Table = NDArray[np.float64]
Row = NDArray[np.float32]


@part()
def log_return(bars: Table, place: int, t: int, n: int) -> float:
    """ln(C_t / C_{t-n}); NaN before bar n."""
    if t < n:
        return math.nan
    return math.log(bars[CLOSE, place] / bars[CLOSE, place - n])


@part()
def score(bars: Table, field: int, place: int, t: int, n: int) -> float:
    """(x_t - mean) / population standard deviation over the last n bars; 0 where nothing varies."""
    if t < n - 1:
        return math.nan
    mean = total(bars, field, place, n) / n
    squares = 0.0
    for k in range(place - n + 1, place + 1):
        squares += (bars[field, k] - mean) ** 2
    deviation = math.sqrt(squares / n)
    if deviation <= 1e-14 * abs(mean):
        return 0.0
    return float((bars[field, place] - mean) / deviation)


@part()
def realised(bars: Table, place: int, t: int, n: int) -> float:
    """sqrt(sum of squared log returns) over n bars. Source: Andersen et al. 2003."""
    if t < n:
        return math.nan
    squares = 0.0
    for k in range(place - n + 1, place + 1):
        squares += bars[RETURN, k] ** 2
    return math.sqrt(squares)


@part()
def variance(bars: Table, place: int, n: int, log_field: int) -> float:
    """Sample variance over n bars of a signed log field."""
    mean = total(bars, log_field, place, n) / n
    squares = 0.0
    for k in range(place - n + 1, place + 1):
        squares += (bars[log_field, k] - mean) ** 2
    return squares / (n - 1)


@part()
def body_variance(bars: Table, place: int, n: int) -> float:
    """Sample variance of ln(C/O) over n bars."""
    summed = 0.0
    for k in range(place - n + 1, place + 1):
        summed += math.log(bars[CLOSE, k] / bars[OPEN, k])
    mean = summed / n
    squares = 0.0
    for k in range(place - n + 1, place + 1):
        squares += (math.log(bars[CLOSE, k] / bars[OPEN, k]) - mean) ** 2
    return squares / (n - 1)


@part()
def volatilities(bars: Table, place: int, t: int, out: Row) -> None:
    """Parkinson, Garman-Klass, Rogers-Satchell and Yang-Zhang over 15 bars into out (4,).

    Parkinson: sqrt(mean ln(H/L)² / (4 ln 2)). Garman-Klass: sqrt(max(0, mean(0.5 ln(H/L)² -
    (2 ln 2 - 1) ln(C/O)²))). Rogers-Satchell: sqrt(mean(ln(H/C) ln(H/O) + ln(L/C) ln(L/O))).
    Yang-Zhang: sqrt(v_o + k v_c + (1 - k) v_rs), k = 0.34 / (1.34 + (n+1)/(n-1)), with sample variances
    of ln(O_t/C_{t-1}) and ln(C/O); it needs one bar more.
    """
    n = 15
    out[:] = math.nan
    if t < n - 1:
        return
    ranges = total(bars, RANGE2, place, n) / n
    rogers = max(0.0, total(bars, ROGERS, place, n) / n)
    out[0] = math.sqrt(ranges / (4.0 * math.log(2.0)))
    garman = 0.5 * ranges - (2.0 * math.log(2.0) - 1.0) * total(bars, BODY2, place, n) / n
    out[1] = math.sqrt(max(0.0, garman))
    out[2] = math.sqrt(rogers)
    if t >= n:
        weight = 0.34 / (1.34 + (n + 1) / (n - 1))
        jumps = variance(bars, place, n, GAP)
        out[3] = math.sqrt(jumps + weight * body_variance(bars, place, n) + (1.0 - weight) * rogers)


@part()
def illiquidity(bars: Table, place: int, t: int, money: float, n: int) -> float:
    """ln(1 + 1e6 mean(|r| / Q)) over the last n bars with Q > 0; 0 where there are none. Source: Amihud 2002.

    money: quote currency per tick × lot.
    """
    if t < n:
        return math.nan
    summed = 0.0
    counted = 0
    for k in range(place - n + 1, place + 1):
        if bars[QUOTE, k] > 0.0:
            summed += abs(bars[RETURN, k]) / (bars[QUOTE, k] * money)
            counted += 1
    return math.log1p(1e6 * ratio(summed, float(counted)))


@part()
def shape(bars: Table, place: int, out: Row) -> None:
    """Body, shadows, range and close location of the last candle into out (5,). Source: Nison; Chaikin."""
    opened, high = bars[OPEN, place], bars[HIGH, place]
    low, close = bars[LOW, place], bars[CLOSE, place]
    out[0] = (close - opened) / opened
    out[1] = (high - max(opened, close)) / opened
    out[2] = (min(opened, close) - low) / opened
    out[3] = (high - low) / opened
    out[4] = ratio((close - low) - (high - close), high - low)


@part()
def activity(bars: Table, place: int, t: int, lot_size: float, money: float, out: Row) -> None:
    """Columns 66-74, volume and taker flow, into out (9,)."""
    volume, trades = bars[VOLUME, place], bars[TRADES, place]
    out[0] = math.log1p(volume * lot_size)
    out[1] = score(bars, VOLUME, place, t, 60)
    out[2] = score(bars, QUOTE, place, t, 60)
    out[3] = score(bars, TRADES, place, t, 60)
    out[4] = math.log1p(ratio(volume * lot_size, trades))
    out[5] = bars[TAKER, place] / volume if volume > 0.0 else 0.5
    out[6] = math.nan
    if t >= 14:
        volume15 = total(bars, VOLUME, place, 15)
        out[6] = ratio(2.0 * total(bars, TAKER, place, 15) - volume15, volume15)
    out[7] = math.nan
    if t >= 59:
        mean_price = ratio(total(bars, QUOTE, place, 60), total(bars, VOLUME, place, 60))
        out[7] = ratio(bars[CLOSE, place] - mean_price, mean_price)
    out[8] = illiquidity(bars, place, t, money, 60)


@part()
def candle_features(bars: Table, t: int, tick_size: float, lot_size: float, out: Row) -> None:
    """Columns 50-74 for bar t, which ``add_bar`` has stored, into out (25,) float32; NaN where undefined.

    tick_size, lot_size: quote currency per tick, units per lot. Prices are in
    ticks and sizes in lots; only volumes and Amihud's measure have a unit.
    """
    place = place_of(t)
    out[0] = log_return(bars, place, t, 1)
    out[1] = log_return(bars, place, t, 5)
    out[2] = log_return(bars, place, t, 15)
    out[3] = log_return(bars, place, t, 60)
    shape(bars, place, out[4:9])
    out[9] = bars[GAP, place]
    out[10] = realised(bars, place, t, 15)
    out[11] = realised(bars, place, t, 60)
    volatilities(bars, place, t, out[12:16])
    activity(bars, place, t, lot_size, tick_size * lot_size, out[16:25])
