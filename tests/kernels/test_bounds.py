# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.bounds import reachable
from kernels.consensus import Consensus
from kernels.methods import CHOSEN, DECIDED, PoolingMethod
from kernels.pooling import pool
from tests.kernels.test_consensus import parameters_for

TWO_SIDED = [
    PoolingMethod.LINEAR,
    PoolingMethod.LOG_ODDS,
    PoolingMethod.EXTREMISED,
    PoolingMethod.TRIMMED_MEAN,
    PoolingMethod.MEDIAN,
    PoolingMethod.CONFIDENCE_WEIGHTED,
    PoolingMethod.BETA_LINEAR,
]


def corners(outcomes):
    """Every certain answer, and no answer."""
    return [*np.eye(outcomes), np.full(outcomes, np.nan)]


def completions(p, waiting, random, draws):
    """Every corner of what those still out can say, then random answers of random subsets."""
    places = np.flatnonzero(waiting)
    for said in itertools.product(corners(p.shape[1]), repeat=len(places)):
        whole = p.copy()
        whole[places] = np.array(said).reshape(len(places), p.shape[1])
        yield whole
    for _ in range(draws):
        whole = p.copy()
        sharpness = 10 ** random.uniform(-1.5, 1.5)
        whole[places] = random.dirichlet(np.full(p.shape[1], sharpness), len(places))
        whole[places[random.random(len(places)) < 0.3]] = np.nan
        yield whole


def scene(seed, outcomes):
    """A half-finished query: heard, still out and absent members, now and then weights of 0 and ties."""
    random = np.random.default_rng(seed)
    members = int(random.integers(1, 6))
    p = random.dirichlet(np.full(outcomes, random.choice([0.3, 1.0, 5.0])), members)
    if random.random() < 0.4:
        p = np.round(p * 4) / 4
        p /= p.sum(1, keepdims=True)
    waiting = random.random(members) < 0.5
    waiting[np.cumsum(waiting) > 2] = False
    p[waiting | (random.random(members) < 0.15)] = np.nan
    weights = random.choice([0.0, 1.0, 1.0, 2.0, 0.3], members)
    return random, p, waiting, weights


@pytest.mark.parametrize("method", list(PoolingMethod))
@given(seed=st.integers(0, 2**32 - 1), outcomes=st.integers(2, 4), bare=st.booleans())
def test_nothing_happens_that_the_bounds_exclude(method, seed, outcomes, bare):
    random, p, waiting, weights = scene(seed, outcomes)
    parameters = parameters_for(method, len(p), outcomes, random)
    if bare and method != PoolingMethod.STACKED:
        parameters = np.empty(0)
    found = reachable(p, waiting, weights, method, parameters)
    assert found.chosen == pool(p, weights, method, parameters).chosen
    end = Consensus(*p.shape)
    for whole in completions(p, waiting, random, draws=6):
        pooled = end(whole, weights, int(method), parameters)
        if np.isnan(pooled[0]):
            continue
        assert np.all(pooled >= found.low - 1e-9)
        assert np.all(pooled <= found.high + 1e-9)
        assert found.can_change or end.summary[CHOSEN] == found.chosen
        assert found.can_decide or not end.summary[DECIDED]
        assert end.summary[DECIDED] or not found.must_decide


@pytest.mark.parametrize("method", TWO_SIDED)
def test_two_outcomes_reach_their_bounds(method):
    for seed in range(40):
        random, p, waiting, weights = scene(seed, 2)
        weights = weights + 0.1
        parameters = parameters_for(method, len(p), 2, random)
        if method == PoolingMethod.CONFIDENCE_WEIGHTED:
            parameters = np.empty(0)
        found = reachable(p, waiting, weights, method, parameters)
        if found.chosen < 0:
            continue
        ends = [
            pool(w, weights, method, parameters).probabilities for w in completions(p, waiting, random, 0)
        ]
        np.testing.assert_allclose(np.nanmin(ends, 0), found.low, atol=1e-9)
        np.testing.assert_allclose(np.nanmax(ends, 0), found.high, atol=1e-9)


@pytest.mark.parametrize(
    "method", [PoolingMethod.LINEAR, PoolingMethod.MAJORITY, PoolingMethod.WEIGHTED_VOTE]
)
def test_a_choice_that_can_change_does_so_at_some_corner(method):
    for seed in range(60):
        random, p, waiting, weights = scene(seed, 3)
        found = reachable(p, waiting, weights + 0.1, method)
        if found.chosen >= 0:
            ends = {pool(w, weights + 0.1, method).chosen for w in completions(p, waiting, random, 0)}
            assert found.can_change == (len(ends - {-1}) > 1)


def test_a_clear_lead_over_one_small_voice_is_final():
    heard = [[0.9, 0.1], [0.8, 0.2], [0.85, 0.15], [np.nan, np.nan]]
    out = [False, False, False, True]
    assert not reachable(heard, out, method=PoolingMethod.LINEAR).can_change
    assert reachable(heard, out, [1, 1, 1, 9], PoolingMethod.LINEAR).can_change
    found = reachable(heard, out, method=PoolingMethod.LINEAR)
    assert 0.5 < found.low[0] < 0.7 < found.high[0]


def test_a_tie_that_no_wins_anyway_is_final():
    assert not reachable(
        [[0.0, 1.0], [np.nan, np.nan]], [False, True], method=PoolingMethod.MAJORITY
    ).can_change
    assert reachable([[1.0, 0.0], [np.nan, np.nan]], [False, True], method=PoolingMethod.MAJORITY).can_change


def test_a_split_can_no_longer_be_unanimous():
    heard = [[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan]]
    found = reachable(heard, [False, False, True], method=PoolingMethod.UNANIMOUS)
    assert not found.can_decide
    assert not found.must_decide


def test_nobody_heard_means_anything():
    found = reachable([[np.nan, np.nan]], [True])
    assert (found.chosen, found.can_change, found.must_decide) == (-1, True, False)
    np.testing.assert_array_equal([found.low, found.high], [[0, 0], [1, 1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"waiting": [True, False]}, "waiting must have shape"),
        ({"waiting": [True], "weights": [-1]}, "weights must be finite and at least 0"),
        ({"waiting": [True], "weights": [1, 2]}, "weights must have shape"),
        ({"waiting": [True], "parameters": [1]}, "parameters of LOG_ODDS"),
    ],
)
def test_the_door_names_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        reachable([[0.5, 0.5]], **arguments)
