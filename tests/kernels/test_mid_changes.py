# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kernels.mid_changes import SPANS, MidChanges, mid_change_shares


def by_hand(mids, row, span):
    rows = range(max(0, row - span + 1), row + 1)
    return sum(t > 0 and mids[t] != mids[t - 1] for t in rows) / len(rows)


@pytest.fixture
def mids():
    steps = np.random.default_rng(3).choice([-1, 0, 0, 0, 2], 2_500)
    return 2_000 + np.cumsum(steps)


def test_shares_are_counted_over_the_rows_there_are(mids):
    found = mid_change_shares(mids)
    for row in (0, 1, 2, 298, 299, 300, 301, 999, 1000, 1001, 2_499):
        np.testing.assert_allclose(found[row], [by_hand(mids, row, span) for span in SPANS], rtol=1e-6)


def test_a_stream_says_what_a_table_says(mids):
    stream = MidChanges()
    np.testing.assert_array_equal(stream.read(), [0, 0])
    for mid2, expected in zip(mids.tolist(), mid_change_shares(mids), strict=True):
        stream.push(mid2)
        np.testing.assert_array_equal(stream.read(), expected)


def test_a_cleared_stream_begins_again(mids):
    stream = MidChanges()
    for mid2 in mids.tolist():
        stream.push(mid2)
    stream.clear()
    stream.push(7)
    np.testing.assert_array_equal(stream.read(), [0, 0])
    stream.push(8)
    np.testing.assert_array_equal(stream.read(), [0.5, 0.5])


def test_later_rows_change_nothing(mids):
    np.testing.assert_array_equal(mid_change_shares(mids[:700]), mid_change_shares(mids)[:700])
