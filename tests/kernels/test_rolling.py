# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.rolling import DAY_NS, HOUR_NS, RollingWindows


def by_hand(events, now, window, buckets):
    """Events of the newest buckets, from the list of all."""
    width = -(-window // buckets)
    kept = [v for t, v in events if t // width > now // width - (buckets + 1)]
    columns = np.array(kept, float).reshape(len(kept), 2).T
    return [[np.nansum(c), np.sum(~np.isnan(c))] for c in columns]


times = st.lists(st.integers(-50, 2_000), max_size=60)


@given(times=times, seed=st.integers(0, 2**32 - 1), buckets=st.sampled_from([1, 4, 10]))
def test_windows_hold_what_a_list_of_all_events_says(times, seed, buckets):
    random = np.random.default_rng(seed)
    windows = (100, 333)
    rolling = RollingWindows(2, windows, buckets)
    events = []
    latest = None
    for time in times:
        values = np.where(random.random(2) < 0.2, np.nan, random.normal(size=2))
        latest = time if latest is None else max(latest, time)
        rolling.add(time, values)
        for w, window in enumerate(windows):
            width = -(-window // buckets)
            if time // width > latest // width - (buckets + 1):
                events.append((w, time, values))
    now = (latest or 0) + int(random.integers(0, 300))
    found = rolling.read(now)
    for w, window in enumerate(windows):
        own = [(t, v) for i, t, v in events if i == w]
        np.testing.assert_allclose(found[w], by_hand(own, now, window, buckets), atol=1e-12)


@given(age=st.integers(0, 40 * 24), buckets=st.sampled_from([1, 24, 96]))
def test_a_window_holds_its_length_and_at_most_one_bucket_more(age, buckets):
    rolling = RollingWindows(1, buckets=buckets)
    rolling.add(0, [1.0])
    counts = rolling.read(age * HOUR_NS)[:, 0, 1]
    for days, count in zip((1, 7, 30), counts, strict=True):
        if age <= days * 24:
            assert count == 1
        if age > days * 24 * (1 + 1 / buckets):
            assert count == 0


def test_means_and_missing_values():
    rolling = RollingWindows(3)
    rolling.add(0, [1.0, np.nan, 5.0])
    rolling.add(DAY_NS * 3, [3.0, np.nan, np.nan])
    np.testing.assert_allclose(
        rolling.means(DAY_NS * 3), [[3, np.nan, np.nan], [2, np.nan, 5], [2, np.nan, 5]]
    )


def test_late_values_count_where_they_still_lie_inside():
    rolling = RollingWindows(1)
    rolling.add(DAY_NS * 10, [1.0])
    rolling.add(DAY_NS * 8, [1.0])
    np.testing.assert_array_equal(rolling.read(DAY_NS * 10)[:, 0, 1], [1, 2, 2])


def test_rounding_does_not_pile_up():
    rolling = RollingWindows(1, (10,), 10)
    for time in range(4_000):
        rolling.add(time, [1e9 if time % 7 == 0 else 1e-3])
    rolling.add(5_000, [1e-3])
    assert rolling.read(5_000)[0, 0, 0] == 1e-3


def test_reading_fills_a_given_buffer():
    rolling = RollingWindows(1)
    out = np.empty((3, 1, 2))
    assert rolling.read(0, out) is out
    np.testing.assert_array_equal(out, 0)


def test_the_future_cannot_be_read():
    rolling = RollingWindows(1)
    rolling.add(10, [1.0])
    with pytest.raises(ValueError, match="now_ns must not lie before"):
        rolling.read(9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RollingWindows(0), "measures and buckets must be at least 1"),
        (lambda: RollingWindows(1, (5,), 6), "windows_ns must be at least one nanosecond a bucket"),
        (lambda: RollingWindows(2).add(0, [1.0]), "values must have shape"),
        (lambda: RollingWindows(2).read(0, np.empty((3, 1, 2))), "out: shape"),
    ],
)
def test_the_door_names_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
