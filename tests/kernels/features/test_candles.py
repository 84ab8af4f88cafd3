# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.features import table
from kernels.features.candles import BAR_US, Candles, build_candles
from kernels.features.market import Instrument
from tests.kernels import lob_data
from tests.kernels.features import histories, oracles


def recorded_trades() -> dict[str, np.ndarray]:
    columns = lob_data.event_columns(lob_data.NEXO)
    traded = columns["kind"] == 2
    names = {"time_us": "exch_ms", "price": "price", "qty": "qty", "bought": "side"}
    trades = {name: columns[column][traded].astype(np.int64) for name, column in names.items()}
    trades["time_us"] *= 1000
    return trades


@lob_data.needs_recordings
def test_candles_from_trades_equal_the_recorded_ones() -> None:
    expected = histories.recorded()
    trades = recorded_trades()
    if lob_data.INTERPRETED:
        trades = {name: column[:2000] for name, column in trades.items()}
    last = int(trades["time_us"][-1])
    got = build_candles(**trades, until_us=last - last % BAR_US + BAR_US)
    np.testing.assert_array_equal(got.start_us, expected.start_us[: len(got)])
    assert len(got) == len(expected) or lob_data.INTERPRETED
    exact = [0, 1, 2, 3, 4, 6, 7]
    done = slice(0, len(got) - 1) if lob_data.INTERPRETED else slice(None)
    np.testing.assert_array_equal(got.table[done][:, exact], expected.table[: len(got)][done][:, exact])
    np.testing.assert_allclose(got.table[done, 5], expected.table[: len(got)][done, 5], rtol=1e-12)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 20 * 60), st.integers(1, 50), st.integers(0, 9), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_candles_equal_a_plain_grouping(trades: list) -> None:
    trades = sorted(trades, key=lambda trade: trade[0])
    seconds, price, qty, bought = (np.array(column) for column in zip(*trades, strict=True))
    got = build_candles(
        time_us=seconds * 1_000_000, price=price, qty=qty, bought=bought, until_us=30 * BAR_US
    )
    first = seconds[0] // 60
    assert len(got) == 30 - first
    close = None
    for n, minute in enumerate(range(first, 30)):
        inside = seconds // 60 == minute
        row = got.table[n]
        assert got.start_us[n] == minute * BAR_US
        if inside.any():
            p, q = price[inside], qty[inside]
            close = p[-1]
            expected = [
                p[0],
                p.max(),
                p.min(),
                close,
                q.sum(),
                (p * q).sum(),
                inside.sum(),
                q[bought[inside]].sum(),
            ]
        else:
            expected = [close] * 4 + [0] * 4
        assert row.tolist() == expected


def test_a_late_trade_changes_no_candle() -> None:
    got = build_candles(
        time_us=[0, BAR_US, BAR_US - 1],
        price=[10, 11, 99],
        qty=[1, 1, 1],
        bought=[1, 1, 1],
        until_us=2 * BAR_US,
    )
    assert got.table[:, 1].tolist() == [10, 11]
    assert got.table[:, 4].tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_candle_features_follow_the_contract(seed: int) -> None:
    count = 130 if lob_data.INTERPRETED else 400
    candles = histories.random_walk(count, seed=seed, quiet=(0.0, 0.2, 0.7)[seed])
    instrument = Instrument(tick_size=0.01, lot_size=0.001)
    slow, _ = table.candle_table(candles, instrument)
    for t in range(count):
        expected = oracles.candle_features(candles.table, t, 0.01, 0.001)
        np.testing.assert_allclose(slow[t, :25], np.float32(expected), rtol=3e-6, atol=1e-9, err_msg=str(t))


@lob_data.needs_recordings
def test_candle_features_follow_the_contract_on_the_recording() -> None:
    candles = histories.recorded()[:300]
    slow, _ = table.candle_table(candles, histories.NEXO)
    for t in range(0, 300, 7):
        expected = oracles.candle_features(candles.table, t, 0.001, 0.01)
        np.testing.assert_allclose(slow[t, :25], np.float32(expected), rtol=3e-6, atol=1e-9, err_msg=str(t))
    assert not np.isnan(slow[60:]).any()


def test_a_candle_is_undefined_until_its_windows_are_full() -> None:
    slow, _ = table.candle_table(histories.random_walk(70, seed=3), Instrument(tick_size=1.0, lot_size=1.0))
    first = [int(np.flatnonzero(~np.isnan(slow[:, k]))[0]) for k in range(25)]
    assert first == [1, 5, 15, 60, 0, 0, 0, 0, 0, 1, 15, 60, 14, 14, 14, 15, 0, 59, 59, 59, 0, 0, 14, 59, 60]


def test_candles_refuse_what_no_market_traded() -> None:
    good = histories.random_walk(3, seed=0)
    with pytest.raises(ValueError, match="without holes"):
        Candles(good.start_us * 2, good.table)
    with pytest.raises(ValueError, match="whole multiple"):
        Candles(good.start_us + 1, good.table)
    with pytest.raises(ValueError, match="start_us: expected"):
        Candles(good.start_us[:2], good.table)
    with pytest.raises(ValueError, match="length_us"):
        Candles(good.start_us, good.table, 0)
    for column, value, message in (
        (1, 0.0, "prices"),
        (3, 1e9, "prices"),
        (4, -1.0, "volumes"),
        (7, 1e9, "volumes"),
    ):
        broken = good.table.copy()
        broken[1, column] = value
        with pytest.raises(ValueError, match=message):
            Candles(good.start_us, broken)
    broken = good.table.copy()
    broken[0, 5] = np.nan
    with pytest.raises(ValueError, match="finite"):
        Candles(good.start_us, broken)
    with pytest.raises(ValueError, match="table: expected"):
        Candles(good.start_us, good.table[:, :7])


def test_prices_off_the_tick_are_refused() -> None:
    columns = {name: [1.0] for name in ("volume", "quote_volume", "trades", "taker_buy_volume")}
    sizes = {"tick_size": 0.01, "lot_size": 1.0}
    with pytest.raises(ValueError, match="no multiple of tick_size"):
        Candles.from_prices(start_us=[0], prices=[[1.0, 1.005, 1.0, 1.0]], **columns, **sizes)
    kept = Candles.from_prices(start_us=[0], prices=[[1.0, 1.02, 1.0, 1.01]], **columns, **sizes)
    assert kept.table[0].tolist() == [100, 102, 100, 101, 1, 100, 1, 1]


def test_no_trades_make_no_candles() -> None:
    assert len(build_candles(time_us=[], price=[], qty=[], bought=[])) == 0
    with pytest.raises(ValueError, match="more than a year"):
        build_candles(time_us=[0], price=[1], qty=[1], bought=[1], until_us=400 * 86_400 * 1_000_000)
