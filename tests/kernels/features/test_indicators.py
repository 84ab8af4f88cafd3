# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import talib

from kernels.features import table
from kernels.features.candles import Candles
from kernels.features.market import Instrument
from kernels.features.names import INDICATOR_NAMES
from tests.kernels import lob_data
from tests.kernels.features import histories

ONE = Instrument(tick_size=1.0, lot_size=1.0)
#: Differences of price-sized numbers: what rounding leaves of them is measured by the price.
PRICE_LIKE = ("macd", "macd_signal", "macd_hist", "mom10", "linreg_slope14")
#: First defined row of each column, as FEATURES.md lists them.
FIRST = (
    19, 49, 11, 25, 19, 38, 57, 30, 33, 33, 33, 14, 6, 8, 8, 20, 20, 13, 19, 14, 10, 10, 43, 28, 27, 14, 14,
    14, 19, 19, 14, 1, 1, 20, 19, 14, 13,
)  # fmt: skip


def talib_raw(c: Candles) -> np.ndarray:
    """The same columns from TA-Lib."""
    _, h, l, x, v = (np.ascontiguousarray(c.table[:, k]) for k in range(5))  # noqa: E741
    upper, _, lower = talib.BBANDS(x, 20, 2, 2, 0)
    columns = [
        talib.SMA(x, 20), talib.SMA(x, 50), talib.EMA(x, 12), talib.EMA(x, 26), talib.WMA(x, 20),
        talib.DEMA(x, 20), talib.TEMA(x, 20), talib.KAMA(x, 30), *talib.MACD(x, 12, 26, 9), talib.RSI(x, 14),
        talib.RSI(x, 6), *talib.STOCH(h, l, x, 5, 3, 0, 3, 0), *talib.STOCHRSI(x, 14, 5, 3, 0),
        talib.WILLR(h, l, x, 14), talib.CCI(h, l, x, 20), talib.CMO(x, 14), talib.MOM(x, 10),
        talib.ROC(x, 10), talib.TRIX(x, 15), talib.ULTOSC(h, l, x, 7, 14, 28), talib.ADX(h, l, x, 14),
        talib.PLUS_DI(h, l, x, 14), talib.MINUS_DI(h, l, x, 14), talib.AROONOSC(h, l, 14), upper, lower,
        talib.NATR(h, l, x, 14),
        talib.TRANGE(h, l, x), talib.SAR(h, l, 0.02, 0.2), talib.OBV(x, v), talib.ADOSC(h, l, x, v, 3, 10),
        talib.MFI(h, l, x, v, 14), talib.LINEARREG_SLOPE(x, 14),
    ]  # fmt: skip
    return np.stack(columns, axis=1)


def plain_scaled(c: Candles, raw: np.ndarray) -> np.ndarray:
    """FEATURES.md, section C, from raw values."""
    x, v = c.table[:, 3], c.table[:, 4]
    out = raw.copy()
    out[:, :8] = (x[:, None] - raw[:, :8]) / raw[:, :8]
    out[:, 8:11] = raw[:, 8:11] / x[:, None]
    out[:, 11:17] = raw[:, 11:17] / 50 - 1
    out[:, 17] = raw[:, 17] / 50 + 1
    out[:, 18] = raw[:, 18] / 200
    out[:, 19] = raw[:, 19] / 100
    out[:, 20] = raw[:, 20] / x
    out[:, 21:23] = raw[:, 21:23] / 100
    out[:, 23] = raw[:, 23] / 50 - 1
    out[:, 24:28] = raw[:, 24:28] / 100
    upper, lower = raw[:, 28], raw[:, 29]
    width = upper - lower
    with np.errstate(invalid="ignore", divide="ignore"):
        out[:, 28] = np.where(width == 0, 0, (x - lower) / width)
    out[:, 29] = width / raw[:, 0]
    out[:, 30] = raw[:, 30] / 100
    out[:, 31] = raw[:, 31] / x
    out[:, 32] = (x - raw[:, 32]) / raw[:, 32]
    out[:, 33:35] = np.nan
    for t in range(19, len(x)):
        volume = v[t - 19 : t + 1].sum()
        if t >= 20:
            out[t, 33] = (raw[t, 33] - raw[t - 20, 33]) / volume if volume else 0
        out[t, 34] = raw[t, 34] / (volume / 20) if volume else 0
    out[:, 35] = raw[:, 35] / 50 - 1
    out[:, 36] = raw[:, 36] / x
    return out


def prices(c: Candles) -> Candles:
    """The same candles in currency and units, where equal prices may differ in their last bit."""
    scale = np.array([histories.NEXO.tick_size] * 4 + [histories.NEXO.lot_size] + [1.0, 1.0, 0.0])
    return Candles(c.start_us, c.table * scale)


def cases() -> dict[str, Candles]:
    many = 130 if lob_data.INTERPRETED else 1500
    walks = {f"walk{seed}": histories.random_walk(many, seed=seed) for seed in range(3)}
    walks["all flat"] = histories.random_walk(120, seed=7, quiet=1.0)
    walks["busy"] = histories.random_walk(many, seed=8, quiet=0.0)
    walks["costly"] = histories.random_walk(many, seed=9, price=60_000)
    if lob_data.PRESENT:
        recorded = histories.recorded()[:many]
        walks |= {"recorded ticks": recorded, "recorded prices": prices(recorded)}
    return walks


CASES = cases()


@pytest.mark.parametrize("case", list(CASES))
def test_raw_indicators_equal_talib(case: str) -> None:
    candles = CASES[case]
    expected = talib_raw(candles)
    _, got = table.candle_table(candles, ONE)
    for k, name in enumerate(INDICATOR_NAMES):
        defined = ~np.isnan(expected[:, k])
        assert defined.any(), name
        np.testing.assert_array_equal(np.isnan(got[:, k]), ~defined, err_msg=name)
        largest = max(100.0, np.nanmax(np.abs(expected[:, k])))
        scale = candles.table[:, 3].max() if name in PRICE_LIKE else largest
        # TA-Lib's running sums leave 1e-14 of their scale where the value is exactly 0; its CCI, a
        # quotient of differences between price-sized numbers, leaves more.
        atol = (1e-9 if name == "cci20" else 1e-12) * scale
        np.testing.assert_allclose(got[defined, k], expected[defined, k], rtol=1e-9, atol=atol, err_msg=name)


@pytest.mark.parametrize("case", list(CASES))
def test_scaled_columns_follow_the_contract(case: str) -> None:
    candles = CASES[case]
    slow, raw = table.candle_table(candles, ONE)
    expected = plain_scaled(candles, raw)
    assert np.all(np.abs(slow[:, 25:][~np.isnan(slow[:, 25:])]) < 1e4)
    np.testing.assert_allclose(slow[:, 25:], expected, rtol=2e-6, atol=1e-7)


def test_every_indicator_starts_where_the_contract_says() -> None:
    slow, _ = table.candle_table(histories.random_walk(80, seed=1), ONE)
    first = [int(np.flatnonzero(~np.isnan(slow[:, 25 + k]))[0]) for k in range(37)]
    assert first == list(FIRST)


def test_a_flat_market_is_at_talibs_zeros() -> None:
    slow, raw = table.candle_table(histories.random_walk(120, seed=7, quiet=1.0), ONE)
    last = dict(zip(INDICATOR_NAMES, raw[-1], strict=True))
    for name in ("rsi14", "rsi6", "stoch_k", "stochrsi_k", "willr14", "cci20", "cmo14", "mfi14", "natr14"):
        assert last[name] == 0, name
    assert np.all(np.isfinite(slow[-1]))
