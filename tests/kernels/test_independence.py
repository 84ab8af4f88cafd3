# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.independence import independent_members, shared_votes


def correlations(seed, members):
    random = np.random.default_rng(seed)
    factors = random.normal(size=(members, members + 2)) + random.normal() * 2
    return random, np.corrcoef(factors) if members > 1 else np.ones((1, 1))


@given(seed=st.integers(0, 2**32 - 1), members=st.integers(1, 8))
def test_the_effective_number_is_the_variance_ratio(seed, members):
    random, r = correlations(seed, members)
    w = random.random(members) + 0.01
    plain = w.sum() ** 2 / (w @ r @ w)
    assert independent_members(w, r) == pytest.approx(np.clip(plain, 1, members))


def test_the_ends_of_correlation():
    w = [1.0, 2.0, 3.0]
    assert independent_members(w, np.eye(3)) == pytest.approx(36 / 14)
    assert independent_members(w, np.ones((3, 3))) == pytest.approx(1)
    assert independent_members([1.0, 0.0, 0.0], np.eye(3)) == 1
    assert np.isnan(independent_members([0.0, 0.0, 0.0], np.eye(3)))
    assert independent_members([1, 1], [[1, -1], [-1, 1]]) == 2


def test_unknown_correlations_take_the_given_value():
    r = np.full((2, 2), np.nan)
    assert independent_members([1, 1], r) == 2
    assert independent_members([1, 1], r, unknown=0.5) == pytest.approx(4 / 3)


def test_duplicates_share_one_vote():
    r = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]])
    np.testing.assert_allclose(shared_votes([1, 1, 1], r), [0.25, 0.25, 0.5])
    np.testing.assert_allclose(shared_votes([1, 0, 1], r), [0.5, 0, 0.5])
    np.testing.assert_allclose(shared_votes([0, 0, 0], r), 0)


@given(seed=st.integers(0, 2**32 - 1), members=st.integers(1, 8))
def test_sharing_against_numpy(seed, members):
    random, r = correlations(seed, members)
    w = random.random(members) * (random.random(members) < 0.8)
    crowd = 1 + (np.maximum(r - np.eye(members), 0) * (w > 0)).sum(1)
    expected = w / crowd
    np.testing.assert_allclose(shared_votes(w, r), expected / max(expected.sum(), 1e-300), atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "correlation", "message"),
    [
        ([1, 1], np.eye(3), "correlation must have shape"),
        ([1, 1], [[1, 2], [2, 1]], "correlation must lie in -1..1"),
        ([1, 1], [[1, 0.5], [0.1, 1]], "correlation must be symmetric"),
        ([-1, 1], np.eye(2), "weights must be finite"),
    ],
)
def test_the_door_names_what_is_wrong(weights, correlation, message):
    with pytest.raises(ValueError, match=message):
        independent_members(weights, correlation)
