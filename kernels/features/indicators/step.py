# SPDX-License-Identifier: Apache-2.0
"""All 37 indicators of one closed candle, carried forward and never recomputed.

``raw`` holds TA-Lib's own values in the order of feature columns 75-111, with
two differences: at ``UPPER`` and ``LOWER`` stand the Bollinger bands, from which
columns 103 and 104 are made.
"""

import math

import numpy as np
from numpy.typing import NDArray

from kernels._jit import part
from kernels.features import bars as history
from kernels.features.bars import BALANCE, CLOSE, VOLUME, ratio, total
from kernels.features.indicators import averages, oscillators, trend

COUNT = 37
UPPER = 28
LOWER = 29

_WORDS = (
    1, 1, averages.EMA_WORDS, averages.EMA_WORDS, 2 * averages.EMA_WORDS, 3 * averages.EMA_WORDS,
    averages.KAMA_WORDS, 3 * averages.EMA_WORDS, oscillators.WILDER_WORDS, oscillators.WILDER_WORDS,
    oscillators.STOCH_WORDS, oscillators.STOCHRSI_WORDS, 3 * averages.EMA_WORDS + 1, oscillators.ULTOSC_WORDS,
    trend.DIRECTIONAL_WORDS, trend.ATR_WORDS, trend.SAR_WORDS, trend.ADOSC_WORDS, 3,
)  # fmt: skip
(
    SMA20, SMA50, EMA12, EMA26, DEMA20, TEMA20, KAMA30, MACD, WILDER14, WILDER6, STOCH, STOCHRSI, TRIX15,
    ULTOSC, DIRECTIONAL, ATR14, SAR, ADOSC, SCRATCH,
) = (sum(_WORDS[:place]) for place in range(len(_WORDS)))  # fmt: skip
#: Length of the indicators' state, float64, all 0 before the first bar.
WORDS = sum(_WORDS)

Table = NDArray[np.float64]


@part()
def indicators_step(state: Table, bars: Table, t: int, raw: Table) -> None:
    """Carry every indicator over bar t, which ``add_bar`` has stored, into raw (37,); NaN where undefined.

    state (WORDS,) float64.
    """
    place = history.place_of(t)
    x = bars[CLOSE, place]
    scratch = state[SCRATCH : SCRATCH + 3]
    raw[0] = averages.sma_step(state, SMA20, bars, place, t, 20)
    raw[1] = averages.sma_step(state, SMA50, bars, place, t, 50)
    raw[2] = averages.ema_step(state, EMA12, 12, x)
    raw[3] = averages.ema_step(state, EMA26, 26, x)
    raw[4] = averages.wma_of(bars, place, t, 20)
    raw[5] = averages.dema_step(state, DEMA20, 20, x)
    raw[6] = averages.tema_step(state, TEMA20, 20, x)
    raw[7] = averages.kama_step(state, KAMA30, bars, place, t, 30)
    averages.macd_step(state, MACD, t, x, raw[8:11])
    gain14 = oscillators.wilder_step(state, WILDER14, bars, place, t, 14)
    gain6 = oscillators.wilder_step(state, WILDER6, bars, place, t, 6)
    raw[11] = oscillators.rsi_of(state[WILDER14], state[WILDER14 + 1]) if gain14 else math.nan
    raw[12] = oscillators.rsi_of(state[WILDER6], state[WILDER6 + 1]) if gain6 else math.nan
    oscillators.stoch_step(state, STOCH, bars, place, t, raw[13:15])
    oscillators.stochrsi_step(state, STOCHRSI, raw[11], raw[15:17])
    raw[17] = oscillators.willr_of(bars, place, t, 14)
    raw[18] = oscillators.cci_of(bars, place, t, 20)
    raw[19] = oscillators.cmo_of(state[WILDER14], state[WILDER14 + 1]) if gain14 else math.nan
    raw[20] = x - bars[CLOSE, place - 10] if t >= 10 else math.nan
    raw[21] = (x / bars[CLOSE, place - 10] - 1.0) * 100.0 if t >= 10 else math.nan
    raw[22] = averages.trix_step(state, TRIX15, 15, x)
    raw[23] = oscillators.ultosc_step(state, ULTOSC, bars, place, t, scratch)
    trend.directional_step(state, DIRECTIONAL, bars, place, t, 14, raw[24:27])
    raw[27] = oscillators.aroon_of(bars, place, t, 14)
    deviation = trend.deviation_of(bars, place, t, 20, raw[0])
    raw[UPPER] = raw[0] + 2.0 * deviation
    raw[LOWER] = raw[0] - 2.0 * deviation
    raw[30] = trend.natr_step(state, ATR14, bars, place, t, 14)
    raw[31] = trend.true_range(bars, place) if t >= 1 else math.nan
    raw[32] = trend.sar_step(state, SAR, bars, place, t)
    raw[33] = bars[BALANCE, place]
    raw[34] = trend.adosc_step(state, ADOSC, bars, place, t)
    raw[35] = oscillators.mfi_of(bars, place, t, 14)
    raw[36] = trend.slope_of(bars, place, t, 14)


@part()
def scale_indicators(raw: Table, bars: Table, t: int, out: NDArray[np.float32]) -> None:
    """Feature columns 75-111 from raw (37,) into out (37,) float32; NaN stays NaN."""
    place = history.place_of(t)
    close = bars[CLOSE, place]
    for k in range(COUNT):
        out[k] = raw[k]
    for k in range(8):
        out[k] = (close - raw[k]) / raw[k]
    for k in range(8, 11):
        out[k] = raw[k] / close
    for k in range(11, 17):
        out[k] = raw[k] / 50.0 - 1.0
    out[17] = raw[17] / 50.0 + 1.0
    out[18] = raw[18] / 200.0
    out[19] = raw[19] / 100.0
    out[20] = raw[20] / close
    for k in range(21, 23):
        out[k] = raw[k] / 100.0
    out[23] = raw[23] / 50.0 - 1.0
    for k in range(24, 28):
        out[k] = raw[k] / 100.0
    width = raw[UPPER] - raw[LOWER]
    out[UPPER] = ratio(close - raw[LOWER], width)
    out[LOWER] = width / raw[0]
    out[30] = raw[30] / 100.0
    out[31] = raw[31] / close
    out[32] = (close - raw[32]) / raw[32]
    out[33] = (
        ratio(raw[33] - bars[BALANCE, place - 20], total(bars, VOLUME, place, 20)) if t >= 20 else math.nan
    )
    out[34] = ratio(raw[34], total(bars, VOLUME, place, 20) / 20.0) if t >= 19 else math.nan
    out[35] = raw[35] / 50.0 - 1.0
    out[36] = raw[36] / close
