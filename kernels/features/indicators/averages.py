# SPDX-License-Identifier: Apache-2.0
"""Moving averages, one bar at a time, in TA-Lib's order of operations.

Each step reads its state from ``state`` at offset ``at`` and returns NaN until
it is defined. Source of every definition: TA-Lib C library 0.6 and later,
``TA_COMPATIBILITY_DEFAULT``, unstable period 0.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part
from kernels.features.bars import CLOSE

Table = NDArray[np.float64]

#: Words of state that one exponential average needs: values seen, running sum or average.
EMA_WORDS = 2
KAMA_WORDS = 1
#: TA-Lib's "is zero".
TINY = 1e-14


@part()
def ema_step(state: Table, at: int, n: int, x: float) -> float:
    """Exponential average, k = 2 / (n + 1), that starts as the mean of its first n values."""
    seen = state[at] + 1.0
    state[at] = seen
    if seen <= n:
        state[at + 1] += x
        if seen < n:
            return math.nan
        state[at + 1] /= n
    else:
        state[at + 1] = (x - state[at + 1]) * (2.0 / (n + 1)) + state[at + 1]
    return state[at + 1]


@part()
def sma_step(state: Table, at: int, bars: Table, place: int, t: int, n: int) -> float:
    """Mean of the last n closes from a running total of one word."""
    state[at] += bars[CLOSE, place]
    if t < n - 1:
        return math.nan
    summed = state[at]
    state[at] -= bars[CLOSE, place - n + 1]
    return summed / n


@part()
def wma_of(bars: Table, place: int, t: int, n: int) -> float:
    """Linearly weighted mean of the last n closes, the newest n times as heavy as the oldest."""
    if t < n - 1:
        return math.nan
    weighted = 0.0
    for k in range(n):
        weighted += (k + 1) * bars[CLOSE, place - n + 1 + k]
    return weighted / (n * (n + 1) // 2)


@part()
def dema_step(state: Table, at: int, n: int, x: float) -> float:
    """2 e1 - e2, where e2 is the exponential average of e1."""
    first = ema_step(state, at, n, x)
    if math.isnan(first):
        return first
    second = ema_step(state, at + EMA_WORDS, n, first)
    return 2.0 * first - second


@part()
def tema_step(state: Table, at: int, n: int, x: float) -> float:
    """3 e1 - 3 e2 + e3 of nested exponential averages."""
    first = ema_step(state, at, n, x)
    if math.isnan(first):
        return first
    second = ema_step(state, at + EMA_WORDS, n, first)
    if math.isnan(second):
        return second
    third = ema_step(state, at + 2 * EMA_WORDS, n, second)
    return third + (3.0 * first - 3.0 * second)


@part()
def trix_step(state: Table, at: int, n: int, x: float) -> float:
    """Percent change of a triple exponential average; one more word keeps its last value."""
    value = ema_step(state, at, n, x)
    for stage in range(1, 3):
        if math.isnan(value):
            return value
        value = ema_step(state, at + stage * EMA_WORDS, n, value)
    if math.isnan(value):
        return value
    before = state[at + 3 * EMA_WORDS]
    first = state[at + 2 * EMA_WORDS] == n
    state[at + 3 * EMA_WORDS] = value
    if first:
        return math.nan
    return (value / before - 1.0) * 100.0 if before != 0.0 else 0.0


@part()
def kama_step(state: Table, at: int, bars: Table, place: int, t: int, n: int) -> float:
    """Kaufman's adaptive average over n closes, from the close before its first value; state: last value.

    The efficiency is 1 where nothing moved.
    """
    if t < n:
        return math.nan
    x = bars[CLOSE, place]
    if t == n:
        state[at] = bars[CLOSE, place - 1]
    moved = 0.0
    for k in range(place - n, place):
        moved += abs(bars[CLOSE, k] - bars[CLOSE, k + 1])
    change = x - bars[CLOSE, place - n]
    efficiency = 1.0
    if moved > change and moved >= TINY:
        efficiency = abs(change / moved)
    slowest = 2.0 / (30.0 + 1.0)
    smoothing = efficiency * (2.0 / (2.0 + 1.0) - slowest) + slowest
    smoothing *= smoothing
    state[at] = (x - state[at]) * smoothing + state[at]
    return float(state[at])


@part()
def macd_step(state: Table, at: int, t: int, x: float, out: Table) -> None:
    """MACD(12, 26, 9) into out (3,): line, signal, histogram.

    The fast average starts as the mean of the 12 closes before the slow one's
    first value, so it differs from EMA(12). state: three exponential averages.
    """
    out[:] = math.nan
    fast = ema_step(state, at, 12, x) if t >= 14 else math.nan
    slow = ema_step(state, at + EMA_WORDS, 26, x)
    if math.isnan(slow):
        return
    line = fast - slow
    signal = ema_step(state, at + 2 * EMA_WORDS, 9, line)
    if not math.isnan(signal):
        out[0] = line
        out[1] = signal
        out[2] = line - signal
