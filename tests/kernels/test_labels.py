# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import labels
from kernels.labels import LabelKind
from tests.kernels import lob_data


def plain_change(kind: LabelKind, mid2: np.ndarray, h: int) -> np.ndarray:
    """The definitions, word for word, one row at a time."""
    m = mid2 / 2
    out = np.full(len(m), np.nan)
    for t in range(len(m)):
        s = min(10, h)
        if kind is LabelKind.DECOUPLED and t - s + 1 >= 0 and t + h < len(m):
            before, after = m[t - s + 1 : t + 1].mean(), m[t + h - s + 1 : t + h + 1].mean()
        elif kind is LabelKind.TWO_SIDED and t - h + 1 >= 0 and t + h < len(m):
            before, after = m[t - h + 1 : t + 1].mean(), m[t + 1 : t + h + 1].mean()
        elif kind is LabelKind.FORWARD_MEAN and t + h < len(m):
            before, after = m[t], m[t + 1 : t + h + 1].mean()
        elif kind is LabelKind.FI2010 and t + h < len(m):
            before, after = m[t], m[t + 10 : t + h + 1 : 10].mean()
        else:
            continue
        out[t] = (after - before) / before
    return out


@given(
    kind=st.sampled_from(list(LabelKind)),
    horizon=st.sampled_from([10, 20, 30]),
    mid2=st.lists(st.integers(1900, 2100), max_size=90),
)
def test_changes_follow_their_definitions(kind: LabelKind, horizon: int, mid2: list[int]) -> None:
    mids = np.array(mid2, np.int64)
    got = labels.label_changes(kind, mids, horizon=horizon)
    np.testing.assert_allclose(got, plain_change(kind, mids, horizon), rtol=0, atol=1e-15)


@given(horizon=st.integers(1, 9), mid2=st.lists(st.integers(19, 21), max_size=40))
def test_a_horizon_below_ten_shortens_the_decoupled_window(horizon: int, mid2: list[int]) -> None:
    mids = np.array(mid2, np.int64)
    got = labels.label_changes("decoupled", mids, horizon=horizon)
    np.testing.assert_allclose(got, plain_change(LabelKind.DECOUPLED, mids, horizon), rtol=0, atol=1e-15)


def reference_cases() -> list[tuple[str, int, str]]:
    if not lob_data.PRESENT:
        return []
    cases = [
        (name.removesuffix(".book20.npz"), horizon, kind)
        for name in reference()
        for horizon in (10, 20, 50, 100)
        for kind in ("decoupled", "forward_mean")
    ]
    return [case for case in cases if not lob_data.INTERPRETED or "btcusdt_spot_2024" in case[0]]


def reference() -> dict:
    return json.loads(lob_data.path("labels_reference.json").read_text())


@lob_data.needs_recordings
@pytest.mark.parametrize(("recording", "horizon", "kind"), reference_cases())
def test_labels_equal_the_reference_counts(recording: str, horizon: int, kind: str) -> None:
    table = reference()[f"{recording}.book20.npz"]
    expected = table[f"h{horizon}"][kind]
    rows = lob_data.book_rows(recording)
    mid2 = labels.doubled_mid(rows["ask_px"], rows["bid_px"])
    training = mid2[: table["threshold_rows"]]
    alpha = labels.half_mean_change(labels.label_changes(kind, training, horizon=horizon))
    classes = labels.classify(labels.label_changes(kind, mid2, horizon=horizon), alpha)
    assert alpha == pytest.approx(expected["alpha"], rel=1e-12)
    assert [np.sum(classes == c) for c in (0, 1, 2)] == expected["down_flat_up"]
    assert np.sum(classes >= 0) == expected["labelled"]


def test_a_change_at_the_threshold_is_flat() -> None:
    classes = labels.classify(np.array([-0.2, -0.1, 0.0, 0.1, 0.2, np.nan]), 0.1)
    assert classes.tolist() == [0, 1, 1, 1, 2, -1]


def test_spread_threshold_makes_a_move_pay_the_spread() -> None:
    assert labels.spread_threshold([102, 104], [98, 100]) == pytest.approx(4 / 101)


def test_net_returns_cross_the_spread_twice() -> None:
    long, short = labels.net_returns([101, 105, 111], [99, 103, 109], horizon=1)
    np.testing.assert_allclose(long, [(103 - 101) / 100, (109 - 105) / 104, np.nan])
    np.testing.assert_allclose(short, [(99 - 105) / 100, (103 - 111) / 104, np.nan])


def test_persistence_repeats_the_label_whose_window_has_ended() -> None:
    got = labels.persistence(np.array([0, 1, 2, 2, 1], np.int8), horizon=2)
    assert got.tolist() == [-1, -1, 0, 1, 2]


@pytest.mark.parametrize("up", [1, 3])
def test_fi2010_direction_is_read_off_the_data(up: int) -> None:
    rng = np.random.default_rng(4)
    moves = rng.integers(-1, 2, 500)
    mids = np.cumsum(np.append(1000, moves))[:-1]
    codes = np.where(moves > 0, up, np.where(moves < 0, 4 - up, 2))
    assert np.array_equal(labels.fi2010_classes(codes, mids), moves + 1)


def test_fi2010_refuses_data_that_does_not_tell() -> None:
    with pytest.raises(ValueError, match="does not tell"):
        labels.fi2010_classes([2, 2, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="1, 2 or 3"):
        labels.fi2010_classes([0, 2, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: labels.label_changes("decoupled", [1.5], horizon=10), "mid2: dtype"),
        (lambda: labels.label_changes("decoupled", [2, 0], horizon=10), "mid2: every"),
        (lambda: labels.label_changes("fi2010", [2, 2], horizon=15), "horizon: 15"),
        (lambda: labels.label_changes("two_sided", [2, 2], horizon=0), "horizon: 0"),
        (lambda: labels.label_changes("median", [2, 2], horizon=1), "median"),
        (lambda: labels.classify(np.zeros(2), -1.0), "alpha"),
        (lambda: labels.classify(np.zeros(2, np.float32), 0.1), "changes: dtype"),
        (lambda: labels.doubled_mid([1, 2], [1]), "bid_px: shape"),
        (lambda: labels.half_mean_change(np.full(3, np.nan)), "no row is defined"),
    ],
)
def test_bad_arguments_are_refused_by_name(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
