# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kernels.filters import choose_unless_neutral, confident_members


def test_members_below_their_own_minimum_become_absent():
    p = [[0.6, 0.4], [0.55, 0.45], [0.9, 0.1], [np.nan, np.nan]]
    kept, count = confident_members(p, [0.6, 0.6, 0.5, 0.0])
    np.testing.assert_array_equal(np.isnan(kept[:, 0]), [False, True, False, True])
    assert count == 2


def test_a_stated_confidence_goes_before_the_probabilities():
    kept, count = confident_members([[0.9, 0.1], [0.5, 0.5]], 0.7, [0.2, 0.8])
    np.testing.assert_array_equal(kept, [[np.nan, np.nan], [0.5, 0.5]])
    assert count == 1
    assert confident_members([[0.9, 0.1]], 0.7, [np.nan])[1] == 1


@pytest.mark.parametrize(
    ("pooled", "neutral", "threshold", "chosen"),
    [
        ([0.30, 0.20, 0.50], 1, 0.1, 2),
        ([0.42, 0.16, 0.42], 1, 0.1, 1),
        ([0.35, 0.20, 0.45], 1, 0.1, 2),  # the lean is the threshold itself
        ([0.36, 0.20, 0.44], 1, 0.1, 1),
        ([0.30, 0.60, 0.10], 1, 0.1, 1),
        ([0.54, 0.46], -1, 0.1, -1),
        ([0.56, 0.44], -1, 0.1, 0),
        ([0.50, 0.50], -1, 0.0, 1),
        ([np.nan, np.nan, np.nan], 1, 0.1, -1),
    ],
)
def test_a_lean_under_the_threshold_is_neutral(pooled, neutral, threshold, chosen):
    assert choose_unless_neutral(np.array(pooled), neutral, threshold) == chosen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.5, 0.5]], 1.5), "minimum must lie in 0..1"),
        (([[0.5, 0.5]], np.nan), "minimum must not be NaN"),
        (([[0.5, 0.5]], 0.5, [0.1, 0.2]), "stated must have shape"),
        (([[0.5, 0.5]], 0.5, [2.0]), "stated must lie in 0..1"),
    ],
)
def test_the_door_names_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        confident_members(*arguments)
