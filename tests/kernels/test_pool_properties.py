# SPDX-License-Identifier: Apache-2.0
"""What every pool must keep, whatever the members say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.methods import PoolingMethod
from kernels.pooling import pool
from tests.kernels.test_consensus import parameters_for

EVERY = pytest.mark.parametrize("method", list(PoolingMethod))
#: Methods that give back what all members say, with default parameters.
FAITHFUL = [
    PoolingMethod.LINEAR,
    PoolingMethod.LOG_ODDS,
    PoolingMethod.TRIMMED_MEAN,
    PoolingMethod.MEDIAN,
    PoolingMethod.UNANIMOUS,
    PoolingMethod.BEST_CONFIDENCE,
    PoolingMethod.CONFIDENCE_WEIGHTED,
    PoolingMethod.BAYESIAN,
    PoolingMethod.BETA_LINEAR,
]
#: Methods whose pool stays, outcome by outcome, within what members say (two outcomes).
BETWEEN = [m for m in FAITHFUL if m != PoolingMethod.BAYESIAN]


def ensemble(seed, members=None, outcomes=None):
    random = np.random.default_rng(seed)
    members = members or int(random.integers(1, 8))
    outcomes = outcomes or int(random.integers(2, 5))
    p = random.dirichlet(np.full(outcomes, random.choice([0.2, 1.0, 8.0])), members)
    certain = random.random(members) < 0.15
    p[certain] = np.eye(outcomes)[random.integers(0, outcomes, certain.sum())]
    p[random.random(members) < 0.15] = np.nan
    return random, p, random.choice([0.0, 0.5, 1.0, 2.0], members)


def shuffled(parameters, method, order, outcomes):
    """The method's parameters for members in another order."""
    if method in (PoolingMethod.BEST_CONFIDENCE, PoolingMethod.CONFIDENCE_WEIGHTED):
        return parameters[order]
    if method == PoolingMethod.STACKED:
        return np.r_[parameters[:outcomes], parameters[outcomes:][order]]
    if method == PoolingMethod.BAYESIAN:
        head, tables = np.split(parameters, [1 + outcomes])
        return np.r_[head, tables.reshape(-1, outcomes**2)[order].ravel()]
    return parameters


@EVERY
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_members_decides_nothing(method, seed):
    random, p, weights = ensemble(seed)
    parameters = parameters_for(method, *p.shape, random)
    order = random.permutation(len(p))
    one = pool(p, weights, method, parameters)
    other = pool(p[order], weights[order], method, shuffled(parameters, method, order, p.shape[1]))
    np.testing.assert_allclose(other.probabilities, one.probabilities, atol=1e-12)
    np.testing.assert_allclose(other.contributions, one.contributions[order], atol=1e-11)
    np.testing.assert_allclose(other.used_weights, one.used_weights[order], atol=1e-15)
    assert (other.chosen, other.decided, other.present) == (one.chosen, one.decided, one.present)
    np.testing.assert_allclose(other.interval, one.interval, atol=1e-12)


@EVERY
@given(seed=st.integers(0, 2**32 - 1))
def test_pools_are_probabilities_and_summaries_keep_their_range(method, seed):
    random, p, weights = ensemble(seed)
    found = pool(p, weights, method, parameters_for(method, *p.shape, random))
    _members, outcomes = p.shape
    present = ~np.isnan(p[:, 0])
    assert found.present == present.sum()
    if not found.present:
        assert np.isnan(found.probabilities).all()
        return
    assert np.all((found.probabilities >= 0) & (found.probabilities <= 1))
    assert found.probabilities.sum() == pytest.approx(1)
    assert found.used_weights.sum() == pytest.approx(1)
    assert not found.used_weights[~present].any()
    assert not found.contributions[~present].any()
    assert 0 <= found.vote_share <= 1
    assert 0 <= found.normalised_dispersion <= 1 + 1e-12
    assert -1e-12 <= found.entropy <= np.log(outcomes) + 1e-12
    assert 1 - 1e-12 <= found.effective_members <= present.sum() + 1e-9
    low, high = found.interval
    assert 0 <= low <= found.probabilities[0] <= high <= 1


@EVERY
@given(seed=st.integers(0, 2**32 - 1))
def test_absent_members_change_nothing(method, seed):
    random, p, weights = ensemble(seed)
    parameters = parameters_for(method, *p.shape, random)
    if method == PoolingMethod.STACKED:
        return  # there the absent are taken to say the mean, see its own test
    heard = np.flatnonzero(~np.isnan(p[:, 0]))
    if len(heard) == 0:
        return
    kept = shuffled(parameters, method, heard, p.shape[1])
    one = pool(p, weights, method, parameters)
    other = pool(p[heard], weights[heard], method, kept)
    np.testing.assert_allclose(other.probabilities, one.probabilities, atol=1e-12)
    np.testing.assert_allclose(other.contributions, one.contributions[heard], atol=1e-11)


@EVERY
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1e-3, 1e3))
def test_only_ratios_of_weights_count(method, seed, factor):
    random, p, weights = ensemble(seed)
    parameters = parameters_for(method, *p.shape, random)
    one = pool(p, weights, method, parameters)
    other = pool(p, weights * factor, method, parameters)
    np.testing.assert_allclose(other.probabilities, one.probabilities, atol=1e-9)


@pytest.mark.parametrize("method", FAITHFUL)
@given(seed=st.integers(0, 2**32 - 1), members=st.integers(1, 6))
def test_identical_members_are_believed(method, seed, members):
    random = np.random.default_rng(seed)
    row = random.dirichlet(np.ones(int(random.integers(2, 5))))
    found = pool(np.tile(row, (members, 1)), random.random(members) + 0.01, method)
    np.testing.assert_allclose(found.probabilities, row, atol=2e-6)
    assert found.vote_share == 1
    assert found.dispersion == pytest.approx(0, abs=1e-12)
    if members > 1:
        np.testing.assert_allclose(found.contributions, 0, atol=1e-12)


@pytest.mark.parametrize("method", BETWEEN)
@given(seed=st.integers(0, 2**32 - 1))
def test_binary_pools_stay_between_their_members(method, seed):
    _, p, weights = ensemble(seed, outcomes=2)
    found = pool(p, weights, method).probabilities
    heard = p[oracle_counts(p, weights)]
    if len(heard):
        assert heard[:, 0].min() - 2e-6 <= found[0] <= heard[:, 0].max() + 2e-6


def oracle_counts(p, weights):
    present = ~np.isnan(p[:, 0])
    return present & (weights > 0) if weights[present].any() else present


@pytest.mark.parametrize("method", [m for m in PoolingMethod if m != PoolingMethod.STACKED])
@given(seed=st.integers(0, 2**32 - 1))
def test_outcomes_are_symmetric(method, seed):
    """Renaming outcomes renames the pool. Binary votes at exactly one half go to NO and are left out."""
    random, p, weights = ensemble(seed)
    if np.any(np.abs(p - 0.5) < 1e-9) or len(np.unique(np.round(p[0], 9))) < p.shape[1]:
        return
    turn = random.permutation(p.shape[1])
    if method == PoolingMethod.BETA_LINEAR:
        parameters = [1.7, 1.7]
    elif method == PoolingMethod.BAYESIAN:
        parameters = [0.3]
    else:
        parameters = parameters_for(method, *p.shape, random)
    np.testing.assert_allclose(
        pool(p[:, turn], weights, method, parameters).probabilities,
        pool(p, weights, method, parameters).probabilities[turn],
        atol=1e-9,
    )


@EVERY
def test_certain_members_on_both_sides_give_a_number(method):
    parameters = [0, 0, 0.5, 0.5] if method == PoolingMethod.STACKED else ()
    found = pool([[1.0, 0.0], [0.0, 1.0]], method=method, parameters=parameters)
    np.testing.assert_allclose(found.probabilities, [0.5, 0.5], atol=1e-12)
    assert found.dispersion == pytest.approx(np.log(2))


@EVERY
@pytest.mark.parametrize("outcomes", [2, 3])
def test_the_only_member_is_the_pool(method, outcomes):
    row = np.r_[0.7, np.full(outcomes - 1, 0.3 / (outcomes - 1))]
    parameters = np.r_[np.zeros(outcomes), 1.0] if method == PoolingMethod.STACKED else ()
    found = pool([row], method=method, parameters=parameters)
    if method in (PoolingMethod.MAJORITY, PoolingMethod.WEIGHTED_VOTE):
        np.testing.assert_allclose(found.probabilities, np.eye(outcomes)[0])
    elif method != PoolingMethod.EXTREMISED:
        np.testing.assert_allclose(found.probabilities, row, atol=1e-9)
    assert found.contributions[0] == pytest.approx(found.probabilities[0] - 1 / outcomes)


def test_special_cases_meet_their_neighbours():
    _, p, weights = ensemble(5, members=7, outcomes=3)
    same = np.testing.assert_allclose
    linear = pool(p, weights, PoolingMethod.LINEAR).probabilities
    log_odds = pool(p, weights, PoolingMethod.LOG_ODDS).probabilities
    same(pool(p, weights, PoolingMethod.TRIMMED_MEAN, [0.0]).probabilities, linear)
    same(pool(p, weights, PoolingMethod.BETA_LINEAR, [1, 1]).probabilities, linear)
    same(pool(p, weights, PoolingMethod.EXTREMISED, [1.0]).probabilities, log_odds)
    same(pool(p, weights, PoolingMethod.BAYESIAN, [1.0, 0.6, 0.3, 0.1]).probabilities, log_odds)
    used = pool(p, weights).used_weights
    same(pool(p, weights, PoolingMethod.STACKED, np.r_[0, 0, 0, used]).probabilities, log_odds)
    same(
        pool(p, weights, PoolingMethod.TRIMMED_MEAN, [0.5]).probabilities,
        pool(p, weights, PoolingMethod.MEDIAN).probabilities,
    )


def test_independent_evidence_multiplies():
    """Two independent members at 0.8 against a prior of one half are worth odds of 16."""
    found = pool([[0.8, 0.2]] * 2, method=PoolingMethod.BAYESIAN, parameters=[0.0, 0.5, 0.5])
    assert found.probabilities[0] == pytest.approx(16 / 17)


def test_the_prior_counts_once():
    found = pool([[0.3, 0.7]] * 3, method=PoolingMethod.BAYESIAN, parameters=[0.0, 0.3, 0.7])
    assert found.probabilities[0] == pytest.approx(0.3)


def test_all_medians_zero_fall_back_to_the_mean():
    found = pool(np.eye(3), method=PoolingMethod.MEDIAN)
    np.testing.assert_allclose(found.probabilities, 1 / 3)


def test_the_more_confident_of_two_is_best_and_ties_share():
    p = [[0.9, 0.1], [0.3, 0.7], [0.1, 0.9]]
    assert pool(p, method=PoolingMethod.BEST_CONFIDENCE).probabilities[0] == pytest.approx(0.5)
    best = pool(p, method=PoolingMethod.BEST_CONFIDENCE, parameters=[0.1, 0.85, np.nan])
    assert best.probabilities[0] == pytest.approx(0.3)


def test_the_interval_narrows_with_members_and_widens_with_their_spread():
    def width(p):
        low, high = pool([[x, 1 - x] for x in p]).interval
        return high - low

    assert width([0.6]) > 0.99
    assert width([0.6] * 2) > width([0.6] * 4) > width([0.6] * 20) > 0
    assert width([0.5, 0.7] * 6) > width([0.6] * 12)
