# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.scaling import ColumnScaling
from tests.kernels import lob_data


def table(rows: int, columns: int, *, seed: int = 0, centre: float = 50.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(rows, columns)) * rng.uniform(0.1, 30, columns) + centre).astype(np.float32)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    centre=st.sampled_from([0.0, 50.0, 6e6]),
    rows=st.integers(1, 40),
    columns=st.sampled_from([1, 3, 40, 80, 112]),
)
def test_scaling_equals_float64_rounded_once(seed: int, centre: float, rows: int, columns: int) -> None:
    x = table(rows, columns, seed=seed, centre=centre)
    scaling = ColumnScaling.z_score(x)
    expected = (x.astype(np.float64) - scaling.centre) / scaling.scale
    np.testing.assert_array_max_ulp(scaling.apply(x), expected.astype(np.float32), maxulp=1)
    in_place = x.copy()
    assert scaling.apply(in_place, in_place) is in_place
    np.testing.assert_array_equal(in_place, scaling.apply(x))


def test_z_score_by_column_and_by_kind() -> None:
    x = table(500, 40)
    np.testing.assert_allclose(ColumnScaling.z_score(x).apply(x).std(0), 1, rtol=1e-5)
    shared = ColumnScaling.z_score(x, shared=True)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(shared.centre[::2], wide[:, ::2].mean())
    np.testing.assert_allclose(shared.scale[1::2], wide[:, 1::2].std())


def test_min_max_spans_0_to_1() -> None:
    x = table(300, 40)
    scaled = ColumnScaling.min_max(x).apply(x)
    np.testing.assert_allclose(scaled.min(0), 0, atol=1e-7)
    np.testing.assert_allclose(scaled.max(0), 1, rtol=1e-6)
    shared = ColumnScaling.min_max(x, shared=True).apply(x)
    assert shared[:, ::2].min() == 0
    assert shared[:, ::2].max() == pytest.approx(1)


@given(st.floats(1e-6, 1e9, allow_subnormal=False))
def test_decimal_precision_takes_the_smallest_power(largest: float) -> None:
    scale = ColumnScaling.decimal_precision(np.array([[largest], [-largest / 2]])).scale[0]
    assert largest / scale < 1 <= largest / (scale / 10) * (1 + 1e-12)


def test_decimal_precision_of_whole_powers_and_zero() -> None:
    scaling = ColumnScaling.decimal_precision(np.array([[10.0, 0.1, 0.0, 9.99]]))
    np.testing.assert_allclose(scaling.scale, [100, 1, 1, 10])


def test_per_level_shares_one_scale_between_the_sides() -> None:
    rng = np.random.default_rng(3)
    windows = rng.normal(size=(7, 100, 20, 4)) * np.arange(1, 21)[:, None]
    scaling = ColumnScaling.per_level(windows)
    scale = scaling.scale.reshape(20, 4)
    assert not scaling.centre.any()
    np.testing.assert_array_equal(scale[:, :2], scale[:, 2:])
    np.testing.assert_allclose(scale[4, 0], math.sqrt((windows[:, :, 4, ::2] ** 2).mean()))
    np.testing.assert_allclose(scale[4, 1], math.sqrt((windows[:, :, 4, 1::2] ** 2).mean()))


def test_robust_scaling_clips_and_fills() -> None:
    x = table(1001, 112)
    x[::7, 3] = np.nan
    x[5, 0] = 1e9
    scaling = ColumnScaling.robust(x)
    wide = x.astype(np.float64)
    median = np.nanmedian(wide, axis=0)
    mad = np.nanmedian(np.abs(wide - median), axis=0)
    expected = np.nan_to_num(np.clip((wide - median) / (1.4826 * mad), -8, 8))
    got = scaling.apply(x)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)
    assert got[5, 0] == 8
    assert not got[::7, 3].any()
    infinite = np.full((1, 112), -np.inf, np.float32)
    np.testing.assert_array_equal(scaling.apply(infinite), np.full((1, 112), -8, np.float32))


def test_a_constant_column_is_centred_only() -> None:
    x = np.full((9, 2), 4, np.float32)
    for fitted in (ColumnScaling.z_score(x), ColumnScaling.min_max(x), ColumnScaling.robust(x)):
        np.testing.assert_array_equal(fitted.scale, [1, 1])
        assert not fitted.apply(x).any()


def test_nan_stays_where_nothing_is_said() -> None:
    scaling = ColumnScaling(np.zeros(1), np.ones(1))
    assert np.isnan(scaling.apply(np.array([[np.nan]], np.float32))).all()


@lob_data.needs_recordings
def test_fi2010_columns_of_a_recording() -> None:
    rows = lob_data.book_rows(lob_data.NEXO)
    names = ("ask_px", "ask_qty", "bid_px", "bid_qty")
    book = np.stack([rows[name][:2000, :10] for name in names], axis=-1).reshape(2000, 40).astype(np.float32)
    for fitted in (
        ColumnScaling.z_score(book),
        ColumnScaling.min_max(book),
        ColumnScaling.decimal_precision(book),
    ):
        expected = (book.astype(np.float64) - fitted.centre) / fitted.scale
        np.testing.assert_array_max_ulp(fitted.apply(book), expected.astype(np.float32), maxulp=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ColumnScaling(np.zeros(2), np.ones(3)), "scale: shape"),
        (lambda: ColumnScaling(np.zeros(2), np.zeros(2)), "scale: every column"),
        (lambda: ColumnScaling(np.array([np.nan]), np.ones(1)), "centre: every column"),
        (lambda: ColumnScaling(np.zeros(1), np.ones(1), clip=0.0), "clip"),
        (lambda: ColumnScaling.z_score(np.empty((0, 4))), "no rows"),
        (lambda: ColumnScaling.z_score([[np.nan]]), "finite"),
        (lambda: ColumnScaling.z_score(np.ones((2, 3)), shared=True), "3 columns"),
        (lambda: ColumnScaling.per_level(np.ones((2, 3))), "levels, 4"),
        (lambda: ColumnScaling.robust(np.full((2, 1), np.nan)), "holds no number"),
        (lambda: ColumnScaling(np.zeros(2), np.ones(2)).apply(np.zeros((4, 3), np.float32)), "trailing axes"),
        (lambda: ColumnScaling(np.zeros(2), np.ones(2)).apply(np.zeros((4, 2))), "x: dtype"),
        (
            lambda: ColumnScaling(np.zeros(2), np.ones(2)).apply(
                np.zeros((4, 2), np.float32), np.zeros((2, 2), np.float32)
            ),
            "out: shape",
        ),
    ],
)
def test_bad_arguments_are_refused_by_name(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
