# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import windows
from kernels.windows import BookWindow, encode_rows
from tests.kernels import lob_data


def random_rows(count: int, *, seed: int = 0, start: int = 50_000, jump: int = 3) -> list[np.ndarray]:
    """Books as a random walk: ask_px, ask_qty, bid_px, bid_qty, each (count, 20) int64."""
    rng = np.random.default_rng(seed)
    mid = start + np.cumsum(rng.integers(-jump, jump + 1, count))[:, None]
    gaps = np.cumsum(rng.integers(1, 4, (2, count, 20)), axis=-1)
    sizes = rng.integers(1, 10_000_000, (2, count, 20))
    return [mid + gaps[0], sizes[0], mid - gaps[1], sizes[1]]


def plain_window(rows: list[np.ndarray], end: int, lot_size: float) -> np.ndarray:
    """The encoding in float64, rounded once at the end."""
    ask_px, ask_qty, bid_px, bid_qty = (column[end - 99 : end + 1] for column in rows)
    mid = (float(ask_px[-1, 0]) + float(bid_px[-1, 0])) / 2
    channels = [ask_px - mid, np.log1p(ask_qty * lot_size), bid_px - mid, np.log1p(bid_qty * lot_size)]
    return np.stack(channels, axis=-1).astype(np.float32)


def assert_equal_to_rounding(got: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(got[..., ::2], expected[..., ::2])
    # log1p of two libraries may differ in its last bit before it is rounded.
    np.testing.assert_allclose(got[..., 1::2], expected[..., 1::2], rtol=1.2e-7)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    start=st.sampled_from([200, 50_000, 3_000_000, 10**12]),
    count=st.integers(100, 150),
    lot_size=st.sampled_from([1.0, 0.01, 1e-8]),
)
def test_ring_and_batch_equal_float64_on_the_same_ticks(
    seed: int, start: int, count: int, lot_size: float
) -> None:
    rows = random_rows(count, seed=seed, start=start, jump=1)
    window = BookWindow(lot_size=lot_size)
    for row in zip(*rows, strict=True):
        window.push(*row)
    out = np.empty((100, 20, 4), np.float32)
    assert window.read(out)
    assert_equal_to_rounding(out, plain_window(rows, count - 1, lot_size))
    ends = np.arange(99, count)
    for end, batch in zip(ends, encode_rows(*rows, lot_size=lot_size).windows(ends), strict=True):
        assert_equal_to_rounding(batch, plain_window(rows, end, lot_size))


@lob_data.needs_recordings
def test_the_stream_equals_the_batch_on_a_recording() -> None:
    table = lob_data.book_rows(lob_data.NEXO)
    rows = [table[name][:400].astype(np.int64) for name in ("ask_px", "ask_qty", "bid_px", "bid_qty")]
    window = BookWindow(lot_size=0.01)
    batch = encode_rows(*rows, lot_size=0.01)
    out = np.empty((100, 20, 4), np.float32)
    for end, row in enumerate(zip(*rows, strict=True)):
        window.push(*row)
        assert window.warm == (end >= 99)
        if window.read(out):
            np.testing.assert_array_equal(out, batch.windows([end])[0])


def test_prices_relative_to_each_rows_own_mid() -> None:
    rows = random_rows(130)
    mids = (rows[0][:, 0] + rows[2][:, 0]) / 2
    window = BookWindow(lot_size=1.0)
    for row in zip(*rows, strict=True):
        window.push(*row)
    expected = np.stack([rows[0][30:] - mids[30:, None], rows[2][30:] - mids[30:, None]], axis=-1)
    out = np.empty((100, 20, 4), np.float32)
    window.read(out, own_mid=True)
    np.testing.assert_array_equal(out[..., ::2], expected.astype(np.float32))
    np.testing.assert_array_equal(encode_rows(*rows, lot_size=1.0).windows([129], own_mid=True)[0], out)


def test_the_anchor_follows_a_market_that_runs_away() -> None:
    rows = random_rows(2000, start=10**9, jump=100_000)
    window = BookWindow(lot_size=1.0)
    out = np.empty((100, 20, 4), np.float32)
    for end, row in enumerate(zip(*rows, strict=True)):
        window.push(*row)
        if end % 97 == 0 and window.read(out):
            assert_equal_to_rounding(out, plain_window(rows, end, 1.0))
    assert np.ptp(rows[0][:, 0]) > windows.EXACT_TICKS


def test_missing_rows_are_zero_at_the_front() -> None:
    rows = random_rows(3)
    window = BookWindow(lot_size=1.0)
    for row in zip(*rows, strict=True):
        window.push(*row)
    out = np.full((100, 20, 4), np.nan, np.float32)
    assert not window.read(out)
    assert not out[:97].any()
    assert out[97:, :, 1::2].all()
    assert window.filled == 3
    window.clear()
    assert window.filled == 0
    window.read(out)
    assert not out.any()


def test_bad_arguments_are_refused_by_name() -> None:
    rows = random_rows(120)
    first = [column[0] for column in rows]
    window = BookWindow(lot_size=1.0)
    encoded = encode_rows(*rows, lot_size=1.0)
    with pytest.raises(ValueError, match="lot_size"):
        BookWindow(lot_size=0.0)
    with pytest.raises(ValueError, match="bid_px: dtype"):
        window.push(first[0], first[1], first[2].astype(np.int32), first[3])
    with pytest.raises(ValueError, match="a side is empty"):
        window.push(first[0], np.zeros(20, np.int64), first[2], first[3])
    with pytest.raises(ValueError, match="out: shape"):
        window.read(np.empty((100, 20, 2), np.float32))
    with pytest.raises(ValueError, match="out: memory"):
        window.read(np.empty((20, 100, 4), np.float32).swapaxes(0, 1))
    with pytest.raises(ValueError, match="ends"):
        encoded.windows([98])
    with pytest.raises(ValueError, match="ends"):
        encoded.windows([120])
    with pytest.raises(ValueError, match="out: shape"):
        encoded.windows([99], np.empty((2, 100, 20, 4), np.float32))
    with pytest.raises(ValueError, match="bid_qty: shape"):
        encode_rows(*rows[:3], rows[3][:5], lot_size=1.0)
    far = rows[0].copy()
    far[7, 3] += 2 * windows.EXACT_TICKS
    with pytest.raises(ValueError, match="ask_px: prices lie"):
        encode_rows(far, *rows[1:], lot_size=1.0)


def test_no_rows_make_no_windows() -> None:
    nothing = np.empty((0, 20), np.int64)
    assert encode_rows(nothing, nothing, nothing, nothing, lot_size=1.0).windows([]).shape == (0, 100, 20, 4)
