# SPDX-License-Identifier: Apache-2.0
"""Oscillators, one bar at a time, in TA-Lib's order of operations.

Ranges and flows of zero give what TA-Lib gives: RSI, CMO, STOCH, WILLR, CCI
and MFI are then 0. Source: TA-Lib C library 0.8, ``TA_COMPATIBILITY_DEFAULT``.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part
from kernels.features.bars import CLOSE, HIGH, LOW, VOLUME, ratio
from kernels.features.indicators.averages import TINY

Table = NDArray[np.float64]

WILDER_WORDS = 2
MEAN3_WORDS = 4
STOCH_WORDS = 2 * MEAN3_WORDS
STOCHRSI_WORDS = 6 + MEAN3_WORDS
ULTOSC_WORDS = 6


@part()
def wilder_step(state: Table, at: int, bars: Table, place: int, t: int, n: int) -> bool:
    """Wilder's mean gain and mean loss of the closes into two words; True once defined."""
    if t == 0:
        return False
    change = bars[CLOSE, place] - bars[CLOSE, place - 1]
    if t > n:
        state[at] *= n - 1
        state[at + 1] *= n - 1
    if change < 0.0:
        state[at + 1] -= change
    else:
        state[at] += change
    if t >= n:
        state[at] /= n
        state[at + 1] /= n
    return t >= n


@part()
def rsi_of(gain: float, loss: float) -> float:
    """Relative strength index, 0..100; 0 where nothing moved."""
    moved = gain + loss
    return 100.0 * (gain / moved) if abs(moved) >= TINY else 0.0


@part()
def cmo_of(gain: float, loss: float) -> float:
    """Chande's momentum oscillator, -100..100; 0 where nothing moved."""
    moved = gain + loss
    return 100.0 * ((gain - loss) / moved) if abs(moved) >= TINY else 0.0


@part()
def mean3_step(state: Table, at: int, x: float) -> float:
    """Mean of the last three values; state: values seen, then those three."""
    state[at] += 1.0
    state[at + 1] = state[at + 2]
    state[at + 2] = state[at + 3]
    state[at + 3] = x
    if state[at] < 3.0:
        return math.nan
    return (state[at + 1] + state[at + 2] + state[at + 3]) / 3.0


@part()
def same(a: float, b: float) -> bool:
    """TA-Lib's "no difference": within 1e-14 of the two magnitudes."""
    return abs(a - b) <= TINY * (abs(a) + abs(b))


@part()
def position_in(x: float, low: float, high: float) -> float:
    """Where x stands in a range, 0..100; 0 where the range is empty."""
    return 0.0 if same(high, low) else (x - low) / (high - low) * 100.0


@part()
def highest(bars: Table, place: int, n: int) -> float:
    """Highest high of the last n bars."""
    best = bars[HIGH, place]
    for k in range(place - n + 1, place):
        best = max(best, bars[HIGH, k])
    return best


@part()
def lowest(bars: Table, place: int, n: int) -> float:
    """Lowest low of the last n bars."""
    best = bars[LOW, place]
    for k in range(place - n + 1, place):
        best = min(best, bars[LOW, k])
    return best


@part()
def stoch_step(state: Table, at: int, bars: Table, place: int, t: int, out: Table) -> None:
    """STOCH(5, 3, SMA, 3, SMA) into out (2,): slow %K, slow %D."""
    out[:] = math.nan
    if t < 4:
        return
    low = lowest(bars, place, 5)
    slow = mean3_step(state, at, position_in(bars[CLOSE, place], low, highest(bars, place, 5)))
    if math.isnan(slow):
        return
    slower = mean3_step(state, at + MEAN3_WORDS, slow)
    if not math.isnan(slower):
        out[0] = slow
        out[1] = slower


@part()
def stochrsi_step(state: Table, at: int, rsi: float, out: Table) -> None:
    """STOCHRSI(14, 5, 3, SMA) into out (2,): fast %K, fast %D, from successive RSI(14) values.

    state: values seen, the last five, then a mean of three.
    """
    out[:] = math.nan
    if math.isnan(rsi):
        return
    state[at] += 1.0
    for k in range(at + 1, at + 5):
        state[k] = state[k + 1]
    state[at + 5] = rsi
    if state[at] < 5.0:
        return
    low = state[at + 1]
    high = state[at + 1]
    for k in range(at + 2, at + 6):
        low = min(low, state[k])
        high = max(high, state[k])
    fast = position_in(rsi, low, high)
    slow = mean3_step(state, at + 6, fast)
    if not math.isnan(slow):
        out[0] = fast
        out[1] = slow


@part()
def willr_of(bars: Table, place: int, t: int, n: int) -> float:
    """Williams' %R, -100..0; 0 where the range is 0."""
    if t < n - 1:
        return math.nan
    high = highest(bars, place, n)
    low = lowest(bars, place, n)
    return 0.0 if same(high, low) else (high - bars[CLOSE, place]) / (high - low) * -100.0


@part()
def thrice_typical(bars: Table, place: int) -> float:
    """H + L + C: three times the typical price, exact in ticks."""
    return float(bars[HIGH, place] + bars[LOW, place] + bars[CLOSE, place])


@part()
def cci_of(bars: Table, place: int, t: int, n: int) -> float:
    """Commodity channel index; 0 where the typical price does not differ from its mean."""
    if t < n - 1:
        return math.nan
    # n times and three times the values, so that whole ticks stay whole.
    summed = 0.0
    for k in range(place - n + 1, place + 1):
        summed += thrice_typical(bars, k)
    spread = 0.0
    for k in range(place - n + 1, place + 1):
        spread += abs(n * thrice_typical(bars, k) - summed)
    away = n * thrice_typical(bars, place) - summed
    if abs(away) <= TINY * summed or spread <= TINY * n * summed:
        return 0.0
    return away / (0.015 * spread / n)


@part()
def pressure(bars: Table, k: int, out: Table) -> None:
    """Buying pressure (close minus true low) and true range of the bar in column k into out (2,)."""
    high, low, before = bars[HIGH, k], bars[LOW, k], bars[CLOSE, k - 1]
    out[0] = bars[CLOSE, k] - min(low, before)
    out[1] = max(high - low, abs(before - high), abs(before - low))


@part()
def ultosc_step(state: Table, at: int, bars: Table, place: int, t: int, scratch: Table) -> float:
    """Ultimate oscillator (7, 14, 28); state: three running totals of pressure and of range."""
    if t < 28:
        return math.nan
    result = 0.0
    for which in range(3):
        n = 7 << which
        mine = at + 2 * which
        if t == 28:
            state[mine] = 0.0
            state[mine + 1] = 0.0
            for k in range(place - n + 1, place):
                pressure(bars, k, scratch)
                state[mine] += scratch[0]
                state[mine + 1] += scratch[1]
        pressure(bars, place, scratch)
        state[mine] += scratch[0]
        state[mine + 1] += scratch[1]
        if abs(state[mine + 1]) >= TINY:
            result += (4 >> which) * (state[mine] / state[mine + 1])
        pressure(bars, place - n + 1, scratch)
        state[mine] -= scratch[0]
        state[mine + 1] -= scratch[1]
    return 100.0 * (result / 7.0)


@part()
def aroon_of(bars: Table, place: int, t: int, n: int) -> float:
    """Aroon oscillator; of equal extremes the later counts."""
    if t < n:
        return math.nan
    top = place - n
    bottom = place - n
    for k in range(place - n + 1, place + 1):
        if bars[HIGH, k] >= bars[HIGH, top]:
            top = k
        if bars[LOW, k] <= bars[LOW, bottom]:
            bottom = k
    return 100.0 / n * (top - bottom)


@part()
def mfi_of(bars: Table, place: int, t: int, n: int) -> float:
    """Money flow index over n bars, 0..100; 0 where no money flowed."""
    if t < n:
        return math.nan
    positive = 0.0
    negative = 0.0
    before = thrice_typical(bars, place - n)
    for k in range(place - n + 1, place + 1):
        typical = thrice_typical(bars, k)
        if not same(typical, before):
            if typical > before:
                positive += typical * bars[VOLUME, k]
            else:
                negative += typical * bars[VOLUME, k]
        before = typical
    return 100.0 * ratio(positive, positive + negative)
