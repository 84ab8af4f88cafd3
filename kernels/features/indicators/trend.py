# SPDX-License-Identifier: Apache-2.0
"""Directional movement, range, bands and the rest, in TA-Lib's order of operations.

Source: TA-Lib C library, ``TA_COMPATIBILITY_DEFAULT``, unstable period 0.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part
from kernels.features.bars import CLOSE, HIGH, LOW, VOLUME
from kernels.features.indicators.averages import TINY

Table = NDArray[np.float64]

DIRECTIONAL_WORDS = 4
ATR_WORDS = 1
SAR_WORDS = 4
ADOSC_WORDS = 3


@part()
def true_range(bars: Table, place: int) -> float:
    """Largest of high - low and the distances of both to the close before."""
    high, low, before = bars[HIGH, place], bars[LOW, place], bars[CLOSE, place - 1]
    return float(max(high - low, abs(high - before), abs(low - before)))


@part()
def directional_step(state: Table, at: int, bars: Table, place: int, t: int, n: int, out: Table) -> None:
    """ADX, +DI and -DI over n bars into out (3,), all 0..100.

    state: smoothed +DM, -DM, true range; sum of DX until the ADX starts, then the ADX.
    """
    out[:] = math.nan
    if t == 0:
        return
    up = bars[HIGH, place] - bars[HIGH, place - 1]
    down = bars[LOW, place - 1] - bars[LOW, place]
    if t >= n:
        for k in range(at, at + 3):
            state[k] -= state[k] / n
    if down > 0.0 and up < down:
        state[at + 1] += down
    elif up > 0.0 and up > down:
        state[at] += up
    state[at + 2] += true_range(bars, place)
    if t < n:
        return
    plus, minus, direction = 0.0, 0.0, math.nan
    if abs(state[at + 2]) >= TINY:
        plus = 100.0 * (state[at] / state[at + 2])
        minus = 100.0 * (state[at + 1] / state[at + 2])
        if abs(minus + plus) >= TINY:
            direction = 100.0 * (abs(minus - plus) / (minus + plus))
    out[1] = plus
    out[2] = minus
    out[0] = adx_step(state, at + 3, t, n, direction)


@part()
def adx_step(state: Table, at: int, t: int, n: int, direction: float) -> float:
    """Wilder's mean of DX; a NaN ``direction`` (nothing moved) leaves it as it was."""
    if not math.isnan(direction):
        state[at] = state[at] + direction if t < 2 * n else (state[at] * (n - 1) + direction) / n
    if t == 2 * n - 1:
        state[at] /= n
    return float(state[at]) if t >= 2 * n - 1 else math.nan


@part()
def natr_step(state: Table, at: int, bars: Table, place: int, t: int, n: int) -> float:
    """Average true range in percent of the close; state: Wilder's average."""
    if t == 0:
        return math.nan
    span = true_range(bars, place)
    if t <= n:
        state[at] += span
        if t < n:
            return math.nan
        state[at] /= n
    else:
        state[at] *= n - 1
        state[at] += span
        state[at] /= n
    return state[at] / bars[CLOSE, place] * 100.0


@part()
def deviation_of(bars: Table, place: int, t: int, n: int, mean: float) -> float:
    """Population standard deviation of the last n closes about their mean."""
    if t < n - 1:
        return math.nan
    squares = 0.0
    for k in range(place - n + 1, place + 1):
        squares += (bars[CLOSE, k] - mean) ** 2
    deviation = math.sqrt(squares / n)
    return deviation if deviation > TINY * abs(mean) else 0.0


@part()
def sar_step(state: Table, at: int, bars: Table, place: int, t: int) -> float:
    """Parabolic SAR(0.02, 0.2); state: long (1) or short (0), SAR, extreme, acceleration."""
    if t == 0:
        return math.nan
    high, low = bars[HIGH, place], bars[LOW, place]
    high_before, low_before = bars[HIGH, place - 1], bars[LOW, place - 1]
    if t == 1:
        falling = low_before - low > 0.0 and high - high_before < low_before - low
        state[at] = 0.0 if falling else 1.0
        state[at + 1] = high_before if falling else low_before
        state[at + 2] = low if falling else high
        state[at + 3] = 0.02
        # TA-Lib takes the first bar's own range for the one before it.
        high_before, low_before = high, low
    rising = state[at] == 1.0
    sar, extreme = state[at + 1], state[at + 2]
    turned = low <= sar if rising else high >= sar
    if turned:
        rising = not rising
        sar = within(rising, extreme, high_before, high, low_before, low)
        extreme = high if rising else low
        state[at + 3] = 0.02
    elif (rising and high > extreme) or (not rising and low < extreme):
        extreme = high if rising else low
        state[at + 3] = min(state[at + 3] + 0.02, 0.2)
    state[at] = 1.0 if rising else 0.0
    state[at + 1] = within(rising, sar + state[at + 3] * (extreme - sar), high_before, high, low_before, low)
    state[at + 2] = extreme
    return float(sar)


@part()
def within(rising: bool, sar: float, high_before: float, high: float, low_before: float, low: float) -> float:
    """Keep the SAR on the far side of this bar and the one before."""
    if rising:
        return min(sar, low_before, low)
    return max(sar, high_before, high)


@part()
def adosc_step(state: Table, at: int, bars: Table, place: int, t: int) -> float:
    """Chaikin's oscillator (3, 10) of the accumulation line; state: line, fast and slow average."""
    high, low, close = bars[HIGH, place], bars[LOW, place], bars[CLOSE, place]
    if high - low > 0.0:
        state[at] += (((close - low) - (high - close)) / (high - low)) * bars[VOLUME, place]
    if t == 0:
        state[at + 1] = state[at]
        state[at + 2] = state[at]
    else:
        fast, slow = 2.0 / (3 + 1), 2.0 / (10 + 1)
        state[at + 1] = fast * state[at] + (1.0 - fast) * state[at + 1]
        state[at + 2] = slow * state[at] + (1.0 - slow) * state[at + 2]
    return float(state[at + 1] - state[at + 2]) if t >= 9 else math.nan


@part()
def slope_of(bars: Table, place: int, t: int, n: int) -> float:
    """Slope of the least-squares line through the last n closes, per bar."""
    if t < n - 1:
        return math.nan
    x_total = n * (n - 1) * 0.5
    divisor = x_total * x_total - n * (n * (n - 1) * (2 * n - 1) / 6.0)
    y_total = 0.0
    xy_total = 0.0
    for k in range(n - 1, -1, -1):
        y_total += bars[CLOSE, place - k]
        xy_total += k * bars[CLOSE, place - k]
    return (n * xy_total - x_total * y_total) / divisor
