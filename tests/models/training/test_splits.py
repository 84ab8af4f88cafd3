# SPDX-License-Identifier: Apache-2.0
"""No row of an earlier part's labels lies in a window of a later part."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.splits import chronological, walk_forward

WINDOW = 100


def assert_apart(split, horizon):
    parts = [part for part in (split.train, split.validation, split.test) if len(part)]
    for earlier, later in pairwise(parts):
        last_row_seen = earlier.stop - 1 + horizon
        first_row_shown = later.start - WINDOW + 1
        assert first_row_shown > last_row_seen
        assert later.start - earlier.stop >= horizon


@given(st.integers(5_000, 100_000), st.integers(1, 100), st.integers(1, 6))
def test_parts_are_apart(rows, horizon, folds):
    splits = walk_forward(rows, folds=folds, validation_share=0.2, horizon=horizon, window=WINDOW)
    assert len(splits) == folds
    for split in splits:
        assert_apart(split, horizon)
        assert split.test.stop + horizon <= rows
    for before, after in pairwise(splits):
        assert before.test.stop <= after.test.start
        assert len(after.train) > len(before.train)


@given(st.integers(2_000, 100_000), st.integers(1, 100))
def test_the_shipped_network_uses_all_rows(rows, horizon):
    split = chronological(rows, validation_share=0.2, horizon=horizon, window=WINDOW)
    assert_apart(split, horizon)
    assert not len(split.test)
    assert split.validation.stop + horizon == rows


def test_too_few_rows():
    with pytest.raises(ValueError, match="rows: 204 are too few for parts with gaps of 200 rows"):
        walk_forward(300, folds=5, validation_share=0.2, horizon=100, window=WINDOW)
