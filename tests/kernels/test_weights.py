# SPDX-License-Identifier: Apache-2.0
"""Hedge, and covariance-optimal weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from sklearn import covariance as sklearn_covariance

from kernels.covariance import fill_errors, least_variance_weights, optimal_weights
from kernels.hedge import best_rate, hedge_weights


def losses(seed, rounds, members, absent=0.2):
    random = np.random.default_rng(seed)
    found = random.random((rounds, members))
    found[random.random((rounds, members)) < absent] = np.nan
    return found


@given(
    seed=st.integers(0, 2**32 - 1),
    rounds=st.integers(0, 12),
    members=st.integers(1, 6),
    rate=st.floats(0.01, 5),
    share=st.sampled_from([0.0, 0.05, 1.0]),
)
def test_hedge_against_plain_numpy(seed, rounds, members, rate, share):
    given_losses = losses(seed, rounds, members)
    path, last = hedge_weights(given_losses, rate, share)
    w = np.full(members, 1 / members)
    for t in range(rounds):
        np.testing.assert_allclose(path[t], w, atol=1e-12)
        awake = ~np.isnan(given_losses[t])
        if awake.any():
            mass = w[awake].sum()
            new = w[awake] * np.exp(-rate * given_losses[t, awake])
            w[awake] = mass * ((1 - share) * new / new.sum() + share / awake.sum())
    np.testing.assert_allclose(last, w, atol=1e-12)
    assert last.sum() == pytest.approx(1)


@given(seed=st.integers(0, 2**32 - 1), members=st.integers(2, 8), rounds=st.integers(1, 60))
def test_hedge_keeps_its_promise(seed, members, rounds):
    given_losses = losses(seed, rounds, members, absent=0.0)
    rate = best_rate(members, rounds)
    path, _ = hedge_weights(given_losses)
    regret = (path * given_losses).sum() - given_losses.sum(0).min()
    assert regret <= np.log(members) / rate + rate * rounds / 8 + 1e-9


def test_hedge_never_looks_ahead():
    given_losses = losses(0, 10, 4)
    path, _ = hedge_weights(given_losses, 0.5)
    changed = given_losses.copy()
    changed[6:] = 1 - changed[6:]
    np.testing.assert_array_equal(hedge_weights(changed, 0.5)[0][:7], path[:7])


def test_huge_losses_leave_finite_weights():
    _, last = hedge_weights([[1e6, 0.0], [1e6, 0.0]], 10.0)
    np.testing.assert_array_equal(last, [0, 1])
    _, back = hedge_weights([[1e6, 0.0], [0.0, 1e6]], 10.0, share=0.1)
    assert back[0] > 0.9


def factor_errors(seed, rows=60, members=5, absent=0.0):
    random = np.random.default_rng(seed)
    errors = random.normal(size=(rows, 1)) * 0.3 + random.normal(size=(rows, members)) * random.random(
        members
    )
    errors += random.normal(size=members) * 0.1
    errors[random.random(errors.shape) < absent] = np.nan
    return errors


@pytest.mark.parametrize("centred", [True, False])
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(2, 40), members=st.integers(1, 6))
def test_shrinkage_against_scikit_learn(centred, seed, rows, members):
    errors = factor_errors(seed, rows, members)
    found = optimal_weights(errors, centred)
    expected, share = sklearn_covariance.ledoit_wolf(errors, assume_centered=not centred)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-9, atol=1e-12)
    assert found.shrinkage == pytest.approx(share, abs=1e-9)
    assert found.questions == rows


@given(seed=st.integers(0, 2**32 - 1), members=st.integers(1, 8))
def test_no_other_weights_have_less_variance(seed, members):
    random = np.random.default_rng(seed)
    found = optimal_weights(factor_errors(seed, 30, members))
    w, sigma = found.weights, found.covariance
    assert np.all(w >= 0)
    assert w.sum() == pytest.approx(1)
    best = w @ sigma @ w
    marginal = sigma @ w
    # Every used member is equally worth more weight, every unused one is worth less.
    np.testing.assert_allclose(marginal[w > 0], best, rtol=1e-7)
    assert np.all(marginal >= best * (1 - 1e-7))
    for other in random.dirichlet(np.ones(members), 20):
        assert other @ sigma @ other >= best * (1 - 1e-9)


def test_the_weights_against_a_general_optimiser():
    for seed in range(5):
        found = optimal_weights(factor_errors(seed))
        sigma = found.covariance * 100
        solved = optimize.minimize(
            lambda w, sigma=sigma: w @ sigma @ w,
            np.full(5, 0.2),
            jac=lambda w, sigma=sigma: 2 * sigma @ w,
            bounds=[(0, 1)] * 5,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-15},
        )
        np.testing.assert_allclose(found.weights, solved.x, atol=1e-5)


def test_duplicates_share_and_the_better_wins():
    random = np.random.default_rng(0)
    good, other = random.normal(size=(2, 4000)) * 0.2
    found = optimal_weights(np.stack([good, good, other], 1))
    np.testing.assert_allclose(found.weights[:2].sum(), 0.5, atol=0.05)
    worse = optimal_weights(np.stack([good, 3 * good + 0.01 * other], 1))
    assert worse.weights[0] > 0.95
    assert worse.correlation[0, 1] > 0.9


def test_absent_members_are_taken_to_err_like_the_others():
    out = np.empty((3, 3))
    errors = np.array([[0.1, np.nan, 0.3], [np.nan] * 3, [0.0, 0.5, np.nan]])
    assert fill_errors(errors, False, out) == 2
    np.testing.assert_allclose(out[:2], [[0.1, 0.2, 0.3], [0.0, 0.5, 0.25]])
    assert fill_errors(errors, True, out) == 2
    np.testing.assert_allclose(out[:2].mean(0), 0, atol=1e-15)
    found = optimal_weights(factor_errors(1, absent=0.3))
    assert found.weights.sum() == pytest.approx(1)


def test_what_is_not_definite_is_told_apart():
    weights, workspace = np.empty(2), np.empty(10)
    assert least_variance_weights(np.array([[1.0, 2.0], [2.0, 1.0]]), weights, workspace) in (-1, 1)
    assert least_variance_weights(-np.eye(2), weights, workspace) == -1
    np.testing.assert_array_equal(weights, 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hedge_weights([[np.inf]]), "losses must be finite"),
        (lambda: hedge_weights([[0.1]], rate=0), "rate must be above 0"),
        (lambda: hedge_weights([[0.1]], share=2), "share must lie in 0..1"),
        (lambda: hedge_weights([[0.1]], start=[1, 1]), "start must have shape"),
        (lambda: hedge_weights([[0.1]], start=[0]), "start must have a weight above 0"),
        (lambda: optimal_weights([[np.inf]]), "errors must be finite"),
        (lambda: optimal_weights([[np.nan]]), "errors must hold a question"),
        (lambda: optimal_weights(np.empty((3, 0))), "errors must have at least one member"),
        (lambda: optimal_weights([[0.0, 0.0]]), "error other than 0"),
    ],
)
def test_the_doors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
