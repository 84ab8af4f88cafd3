# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kernels import book_errors, windows
from kernels.features.candles import BAR_US, Candles
from kernels.features.market import Instrument, MarketFeatures
from kernels.features.names import FEATURE_NAMES
from kernels.features.table import book_row_events, candle_table, feature_table
from kernels.recording import SNAPSHOT, TRADE, UPDATE, Events, replay
from tests.kernels import lob_data
from tests.kernels.features import histories, oracles

ONE = Instrument(tick_size=1.0, lot_size=1.0)
#: Event rows used of each recording: enough for every window, few enough for plain Python.
SLICE = 7_000 if lob_data.INTERPRETED else 40_000


def instrument(recording: str) -> Instrument:
    meta = lob_data.meta(recording)
    return Instrument(meta["tick_size"], meta["lot_size"])


def plain_rows(recording: str, events: Events) -> oracles.Rows:
    rows = replay(events)
    return oracles.Rows(
        rows.ask_px, rows.ask_qty, rows.bid_px, rows.bid_qty, rows.buy_qty, rows.sell_qty,
        events.time_us[rows.message] / 1e6, instrument(recording).lot_size,
    )  # fmt: skip


def whole_messages(recording: str) -> Events:
    """The first SLICE rows of a recording, without a last message that the cut would split."""
    msg = lob_data.event_columns(recording)["msg"]
    stop = min(SLICE, len(msg))
    while stop < len(msg) and msg[stop] == msg[stop - 1]:
        stop -= 1
    return lob_data.events(recording, stop)


def history_for(events: Events, *, bars: int = 1600) -> Candles:
    """Random candles that end right before a recording's first trade, at its price."""
    first = int(np.flatnonzero(events.kind[events.starts[:-1]] == TRADE)[0])
    start = int(events.time_us[first]) // BAR_US * BAR_US
    walk = histories.random_walk(bars, seed=1, price=int(events.price[events.starts[first]]), quiet=0.1)
    return Candles(walk.start_us + start - bars * BAR_US, walk.table)


RECORDINGS = lob_data.names(".events.npz")[:: 4 if lob_data.INTERPRETED else 1]


@lob_data.needs_recordings
@pytest.mark.parametrize("recording", RECORDINGS)
def test_book_features_follow_the_contract(recording: str) -> None:
    events = whole_messages(recording)
    table = feature_table(events, instrument(recording))
    rows = plain_rows(recording, events)
    assert len(table) == len(rows.time_s)
    chosen = sorted({*range(0, 120, 7), *range(len(table) // 2, len(table), 41), len(table) - 1})
    for n in (row for row in chosen if row < len(table)):
        expected = np.float32(oracles.snapshot_features(rows, n))
        np.testing.assert_allclose(table[n, :36], expected, rtol=3e-6, atol=2e-6, err_msg=f"row {n}")
        expected = np.float32(oracles.window_features(rows, n))
        got = table[n, [*range(36, 47), 48, 49]]
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6, err_msg=f"row {n}")


@lob_data.needs_recordings
@pytest.mark.parametrize("recording", RECORDINGS)
def test_the_stream_equals_the_batch(recording: str) -> None:
    events = whole_messages(recording)
    history = history_for(events, bars=200 if lob_data.INTERPRETED else 1600)
    table = feature_table(events, instrument(recording), history=history)
    market = MarketFeatures(instrument(recording))
    market.seed(history)
    window = np.empty((100, 20, 4), np.float32)
    row = 0
    for m, start in enumerate(events.starts[:-1]):
        stop, time_us = events.starts[m + 1], int(events.time_us[m])
        levels = events.side[start:stop], events.price[start:stop], events.qty[start:stop]
        if events.kind[start] == SNAPSHOT:
            market.snapshot(*levels, time_us=time_us)
        elif events.kind[start] == TRADE:
            market.trade(int(levels[1][0]), int(levels[2][0]), bought=bool(levels[0][0]), time_us=time_us)
        elif events.kind[start] == UPDATE:
            assert market.update(*levels, time_us=time_us)
            np.testing.assert_array_equal(market.features, table[row], err_msg=f"row {row}")
            row += 1
    assert row == len(table)
    rows = replay(events)
    levels = [getattr(rows, name) for name in ("ask_px", "ask_qty", "bid_px", "bid_qty")]
    encoded = windows.encode_rows(*levels, lot_size=instrument(recording).lot_size)
    assert market.read_window(window) == (row >= 100)
    if row >= 100:
        np.testing.assert_array_equal(window, encoded.windows([row - 1])[0])


@lob_data.needs_recordings
@pytest.mark.parametrize("recording", RECORDINGS)
def test_a_seeded_short_recording_is_defined_after_100_rows(recording: str) -> None:
    events = whole_messages(recording)
    table = feature_table(events, instrument(recording), history=history_for(events))
    assert len(table) > 101
    undefined = {FEATURE_NAMES[k] for k in np.flatnonzero(np.isnan(table[100:]).any(0))}
    assert not undefined
    unseeded = feature_table(events, instrument(recording))
    assert np.isnan(unseeded[:100, 50:]).any()


@lob_data.needs_recordings
def test_candles_join_as_of_the_row() -> None:
    events = whole_messages(lob_data.NEXO)
    table = feature_table(events, histories.NEXO)
    slow, _ = candle_table(histories.recorded(), histories.NEXO)
    first_us = histories.recorded().start_us[0]
    times = events.time_us[replay(events).message]
    for n in range(0, len(table), 13):
        closed = int((times[n] - first_us) // BAR_US)
        expected = slow[closed - 1] if closed > 0 else np.full(62, np.nan, np.float32)
        np.testing.assert_array_equal(table[n, 50:], expected, err_msg=f"row {n}")


@lob_data.needs_recordings
def test_vpin_equals_plain_buckets() -> None:
    events = lob_data.events(lob_data.NEXO, SLICE if lob_data.INTERPRETED else None)
    history = history_for(events, bars=1500)
    table = feature_table(events, histories.NEXO, history=history)
    flows = [("candle", row[4], row[7]) for row in history.table]
    steps: list[tuple[str, float, float]] = []
    for _, volume, taken in flows:
        steps += [("trade", taken, volume - taken), ("candle", volume, 0.0)]
    closed_until = int(history.start_us[-1]) + BAR_US
    volume, marks = 0.0, []
    for m, start in enumerate(events.starts[:-1]):
        kind, time_us = events.kind[start], int(events.time_us[m])
        while kind in (TRADE, UPDATE) and time_us >= closed_until + BAR_US:
            steps.append(("candle", volume, 0.0))
            volume, closed_until = 0.0, closed_until + BAR_US
        if kind == TRADE:
            qty = float(events.qty[start])
            steps.append(("trade", qty, 0.0) if events.side[start] else ("trade", 0.0, qty))
            volume += qty
        elif kind == UPDATE:
            marks.append(len(steps) - 1)
    expected = np.array(oracles.vpin(steps))[marks]
    np.testing.assert_allclose(table[:, 47], expected, rtol=1e-5)
    assert np.ptp(table[:, 47]) > 0


def levels(ask: int, bid: int, *, size: int = 5) -> tuple[list[int], list[int], list[int]]:
    """A book of 20 levels a side, one tick apart."""
    return [0] * 20 + [1] * 20, [*range(ask, ask + 20), *range(bid, bid - 20, -1)], [size] * 40


def walked(market: MarketFeatures, rows: int, *, start_us: int = 0) -> None:
    for n in range(rows):
        market.update([0], [110], [n % 7 + 1], time_us=start_us + 1000 * n)


def test_a_snapshot_after_a_gap_starts_the_rows_anew() -> None:
    market = MarketFeatures(ONE)
    market.snapshot(*levels(101, 99), time_us=0, last_update_id=10)
    walked(market, 150)
    assert market.window_warm
    with pytest.raises(book_errors.SequenceGapError):
        market.update([0], [110], [1], time_us=1, first_update_id=13, last_update_id=14)
    before = market.features.copy()
    market.snapshot(*levels(101, 99), time_us=200_000, last_update_id=20)
    assert not market.window_warm
    np.testing.assert_array_equal(market.features, before)
    fresh = MarketFeatures(ONE)
    fresh.snapshot(*levels(101, 99), time_us=200_000)
    for one in (market, fresh):
        walked(one, 120, start_us=300_000)
    np.testing.assert_array_equal(market.features, fresh.features)


def test_whole_books_may_be_rows_themselves() -> None:
    market = MarketFeatures(ONE)
    updated = MarketFeatures(ONE)
    updated.snapshot(*levels(101, 99, size=1), time_us=0)
    for n in range(120):
        market.snapshot(*levels(101, 99, size=n % 7 + 1), time_us=1000 * n, is_row=True)
        updated.update(*levels(101, 99, size=n % 7 + 1), time_us=1000 * n)
        np.testing.assert_array_equal(market.features, updated.features)
    assert market.window_warm


@lob_data.needs_recordings
@pytest.mark.parametrize("recording", sorted(set(lob_data.names(".book20.npz")) - set(RECORDINGS))[:2])
def test_recordings_of_rows_alone_have_features_too(recording: str) -> None:
    rows = {name: column[:400] for name, column in lob_data.book_rows(recording).items() if name != "meta"}
    events = book_row_events(
        **{name: rows[name] for name in ("ask_px", "ask_qty", "bid_px", "bid_qty")},
        time_us=rows["exch_ms"] * 1000,
        buy_qty=rows["trade_buy_qty"], sell_qty=rows["trade_sell_qty"], trade_px=rows["last_trade_px"],
    )  # fmt: skip
    table = feature_table(events, instrument(recording), history=history_for(events))
    assert table.shape == (400, 112)
    assert not np.isnan(table[100:]).any()
    plain = oracles.Rows(
        rows["ask_px"], rows["ask_qty"], rows["bid_px"], rows["bid_qty"], rows["trade_buy_qty"],
        rows["trade_sell_qty"], rows["exch_ms"] / 1e3, instrument(recording).lot_size,
    )  # fmt: skip
    for n in range(100, 400, 37):
        expected = np.float32([*oracles.snapshot_features(plain, n), *oracles.window_features(plain, n)])
        got = table[n, [*range(47), 48, 49]]
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6, err_msg=f"row {n}")


def test_stale_and_one_sided_messages_make_no_row() -> None:
    market = MarketFeatures(ONE)
    market.snapshot(*levels(101, 99), time_us=0, last_update_id=10)
    assert market.update([0], [101], [9], time_us=1, last_update_id=11)
    before = market.features.copy()
    assert not market.update([0], [101], [1], time_us=2, last_update_id=11)
    np.testing.assert_array_equal(market.features, before)
    assert market.book.ask_qty[0] == 9
    assert not market.update([0] * 20, list(range(101, 121)), [0] * 20, time_us=3, last_update_id=12)
    assert market.feature_rows == 1
    assert market.update([0], [101], [1], time_us=4, last_update_id=13)
    assert market.feature_rows == 2


def test_the_last_60_feature_rows_are_kept() -> None:
    market = MarketFeatures(ONE)
    market.snapshot(*levels(101, 99), time_us=0)
    out = np.zeros((60, 112), np.float32)
    seen = []
    for n in range(90):
        walked(market, 1, start_us=n * 1000)
        market.update([0], [101], [n + 1], time_us=n * 1000)
        seen += [market.features.copy()]
    assert market.read_feature_rows(out)
    np.testing.assert_array_equal(out[-1], seen[-1])
    np.testing.assert_array_equal(out[-3], seen[-2])
    young = MarketFeatures(ONE)
    young.snapshot(*levels(101, 99), time_us=0)
    walked(young, 2)
    assert not young.read_feature_rows(out)
    assert np.isnan(out[:58]).all()
    assert not np.isnan(out[58:, 0]).any()


def test_silence_closes_empty_candles_and_a_broken_clock_is_refused() -> None:
    market = MarketFeatures(ONE)
    market.trade(100, 5, bought=True, time_us=BAR_US * 3)
    market.advance(BAR_US * 4 - 1)
    assert market.candles_closed == 0
    market.advance(BAR_US * 64)
    assert market.candles_closed == 61
    with pytest.raises(book_errors.ClockJumpError, match="week"):
        market.trade(100, 5, bought=True, time_us=BAR_US * 200_000)
    assert market.candles_closed == 61
    market.trade(100, 5, bought=True, time_us=BAR_US * 3)
    assert market.late_trades == 1


def test_the_features_of_a_silent_market_are_finite() -> None:
    """No trade, no move, flat candles: every 0/0 is 0."""
    market = MarketFeatures(ONE)
    market.seed(histories.random_walk(1500, seed=7, quiet=1.0, start_us=0, price=100))
    end = 1500 * BAR_US
    market.snapshot(*levels(101, 99), time_us=end)
    for n in range(120):
        assert market.update([0], [110], [5], time_us=end + n)
    assert market.undefined() == ["vpin"]  # without volume there is no bucket
    assert not market.warm
    values = dict(zip(FEATURE_NAMES, market.features, strict=True))
    assert values["trade_imb"] == values["kyle_lambda"] == values["ofi_int_10"] == values["clv"] == 0
    assert values["taker_buy_ratio"] == 0.5


@pytest.mark.parametrize(
    ("trade", "error"),
    [((0, 1), book_errors.InvalidLevelError), ((5, -1), book_errors.NegativeSizeError)],
)
def test_malformed_trades_are_refused(trade: tuple[int, int], error: type[Exception]) -> None:
    market = MarketFeatures(ONE)
    with pytest.raises(error):
        market.trade(*trade, bought=True, time_us=0)


def test_bad_arguments_are_refused_by_name() -> None:
    market = MarketFeatures(ONE)
    with pytest.raises(ValueError, match="tick_size"):
        Instrument(tick_size=0.0, lot_size=1.0)
    with pytest.raises(ValueError, match="lot_size"):
        Instrument(tick_size=1.0, lot_size=float("nan"))
    with pytest.raises(ValueError, match="bar_us"):
        MarketFeatures(ONE, bar_us=0)
    with pytest.raises(ValueError, match="history: candles last"):
        MarketFeatures(ONE, bar_us=BAR_US * 5).seed(histories.random_walk(3, seed=0))
    market.seed(histories.random_walk(3, seed=0))
    with pytest.raises(ValueError, match="history: candles or trades"):
        market.seed(histories.random_walk(3, seed=0))
    with pytest.raises(ValueError, match="out: shape"):
        market.read_window(np.empty((100, 20), np.float32))
    with pytest.raises(ValueError, match="out: dtype"):
        market.read_feature_rows(np.empty((60, 112)))
    events = Events.from_columns(kind=[0], side=[0], price=[5], qty=[1], msg=[0])
    with pytest.raises(ValueError, match="ids: shape"):
        market.apply(events, np.zeros((2, 3), np.int64))
    with pytest.raises(ValueError, match="out: shape"):
        market.apply(events, out=np.empty((1, 112), np.float32))


def test_a_fault_in_a_batch_names_its_message() -> None:
    market = MarketFeatures(ONE)
    events = Events.from_columns(
        kind=[0, 0, 1, 1], side=[0, 1, 0, 1], price=[11, 9, 12, 12], qty=[1, 1, 1, 1], msg=[0, 0, 1, 2]
    )
    with pytest.raises(book_errors.CrossedBookError, match="message 2"):
        market.apply(events)
