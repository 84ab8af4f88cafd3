# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kernels.window_norms import WindowNormaliser
from kernels.windows import encode_rows
from tests.kernels import lob_data
from tests.kernels.test_windows import random_rows

COUNT = 2 if lob_data.INTERPRETED else 16


def encoded(seed: int = 0) -> np.ndarray:
    rows = random_rows(99 + COUNT, seed=seed)
    return encode_rows(*rows, lot_size=0.01).windows(np.arange(99, 99 + COUNT))


def hard() -> np.ndarray:
    """A first row far from the rest, a constant column, a constant row, prices of six digits."""
    x = encoded(5)
    x[0, 0, :, ::2] += 1000
    x[0, :, 3, 1] = 2.5
    x[1, 7] = 3.0
    x[1, :, :, ::2] += 500_000
    return x


def z(x: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    wide = x.astype(np.float64)
    deviation = wide.std(axis=axis, keepdims=True)
    return (wide - wide.mean(axis=axis, keepdims=True)) / np.maximum(deviation, 1e-4)


def plain_rows(x: np.ndarray) -> np.ndarray:
    out = np.empty(x.shape)
    for channel in (0, 1):
        out[..., channel::2] = z(x[..., channel::2], (2, 3))
    return out


@pytest.mark.parametrize("make", [encoded, hard])
def test_columns_are_standardised_over_the_window(make) -> None:
    x = make()
    out = np.empty_like(x)
    WindowNormaliser().standardise_columns(x, out)
    np.testing.assert_allclose(out, z(x, 1), rtol=2e-6, atol=2e-6)
    one = np.empty((100, 20, 4), np.float32)
    WindowNormaliser().standardise_columns(x[1], one)
    np.testing.assert_array_equal(one, out[1])
    WindowNormaliser().standardise_columns(x, x)
    np.testing.assert_array_equal(x, out)


def test_rows_are_standardised_by_kind() -> None:
    x = encoded()
    out = np.empty_like(x)
    WindowNormaliser().standardise_rows(x, out)
    np.testing.assert_allclose(out, plain_rows(x), rtol=2e-6, atol=2e-6)
    spread = out[..., 0] - out[..., 2]
    assert np.all(spread > 0)  # every ask stays above the bid of its level
    WindowNormaliser().standardise_rows(x, x)
    np.testing.assert_array_equal(x, out)


def test_a_constant_row_becomes_zero() -> None:
    x = np.full((100, 20, 4), 7.0, np.float32)
    WindowNormaliser().standardise_rows(x, x)
    assert not x.any()


def test_bilinear_normalisation_follows_the_paper() -> None:
    x = encoded(2)
    rng = np.random.default_rng(1)
    l1, b1, l2, b2 = (rng.normal(size=n).astype(np.float32) for n in (80, 80, 100, 100))
    out = np.empty_like(x)
    WindowNormaliser().bilinear(x, out, l1=l1, b1=b1, l2=l2, b2=b2, y1=0.7, y2=0.3)
    flat = x.reshape(-1, 100, 80)
    by_column = l1 * z(flat, 1) + b1
    by_row = l2[:, None] * z(flat, 2) + b2[:, None]
    expected = (0.7 * by_column + 0.3 * by_row).reshape(x.shape)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=3e-5)
    WindowNormaliser().bilinear(x, x, l1=l1, b1=b1, l2=l2, b2=b2, y1=0.7, y2=0.3)
    np.testing.assert_array_equal(x, out)


@lob_data.needs_recordings
def test_real_windows_are_standardised_to_float32_rounding() -> None:
    rows = lob_data.book_rows(lob_data.NEXO)
    book = encode_rows(
        *(rows[name][:3000] for name in ("ask_px", "ask_qty", "bid_px", "bid_qty")), lot_size=0.01
    )
    x = book.windows(np.linspace(99, 2999, COUNT).astype(np.int64))
    out = np.empty_like(x)
    WindowNormaliser().standardise_columns(x, out)
    np.testing.assert_allclose(out, z(x, 1), rtol=2e-6, atol=2e-6)
    WindowNormaliser().standardise_rows(x, out)
    np.testing.assert_allclose(out, plain_rows(x), rtol=2e-6, atol=2e-6)


def test_bad_arguments_are_refused_by_name() -> None:
    x = np.zeros((2, 100, 20, 4), np.float32)
    norms = WindowNormaliser()
    with pytest.raises(ValueError, match="x: shape"):
        norms.standardise_columns(np.zeros((2, 99, 20, 4), np.float32), x)
    with pytest.raises(ValueError, match="out: shape"):
        norms.standardise_rows(x, x[:1])
    with pytest.raises(ValueError, match="x: dtype"):
        norms.standardise_rows(x.astype(np.float64), x)
    with pytest.raises(ValueError, match="x: memory"):
        norms.standardise_rows(np.zeros((100, 2, 20, 4), np.float32).swapaxes(0, 1), x)
    ones = {name: np.ones(n, np.float32) for name, n in (("l1", 80), ("b1", 80), ("l2", 100), ("b2", 100))}
    with pytest.raises(ValueError, match="y1, y2"):
        norms.bilinear(x, x, **ones, y1=-1.0, y2=1.0)
    with pytest.raises(ValueError, match="b2: shape"):
        norms.bilinear(x, x, **{**ones, "b2": np.ones(80, np.float32)}, y1=1.0, y2=1.0)
