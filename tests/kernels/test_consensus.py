# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import stats

from kernels import methods
from kernels.consensus import Consensus
from kernels.methods import PoolingMethod
from kernels.pooling import pool
from tests.kernels import pool_oracle as oracle


def parameters_for(method, members, outcomes, random):
    """Parameters that use everything the method takes."""
    stated = np.where(random.random(members) < 0.3, np.nan, random.random(members))
    likelihoods = random.dirichlet(np.ones(outcomes), (members, outcomes)).swapaxes(1, 2)
    return {
        PoolingMethod.EXTREMISED: np.array([1.7]),
        PoolingMethod.TRIMMED_MEAN: np.array([0.2]),
        PoolingMethod.MAJORITY: np.array([0.55]),
        PoolingMethod.WEIGHTED_VOTE: np.array([0.55]),
        PoolingMethod.BEST_CONFIDENCE: stated,
        PoolingMethod.CONFIDENCE_WEIGHTED: stated,
        PoolingMethod.BAYESIAN: np.r_[0.4, random.dirichlet(np.ones(outcomes)), likelihoods.ravel()],
        PoolingMethod.BETA_LINEAR: np.array([2.0, 1.5]),
        PoolingMethod.STACKED: random.normal(size=outcomes + members),
    }.get(method, np.empty(0))


def case(seed, members, outcomes, absent=0.25):
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(outcomes, 0.7), members)
    p[random.random(members) < absent] = np.nan
    return random, p, random.random(members) * (random.random(members) < 0.8)


@pytest.mark.parametrize("method", list(PoolingMethod))
@pytest.mark.parametrize(("members", "outcomes"), [(1, 2), (2, 2), (3, 3), (7, 2), (6, 5)])
def test_every_method_equals_its_plain_statement(method, members, outcomes):
    for seed in range(6):
        random, p, weights = case(seed, members, outcomes)
        for parameters in (np.empty(0), parameters_for(method, members, outcomes, random)):
            if method == PoolingMethod.STACKED and not len(parameters):
                continue
            found = Consensus(members, outcomes)
            pooled = found(p, weights, int(method), parameters)
            expected = oracle.pool(p, weights, method, parameters)
            np.testing.assert_allclose(pooled, expected, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(found.used_weights, oracle.used(p, weights), rtol=1e-12)
            if not np.isnan(expected[0]):
                np.testing.assert_allclose(
                    found.contributions, oracle.contributions(p, weights, method, parameters), atol=1e-9
                )


def test_the_summary_of_an_absent_ensemble_says_so():
    result = pool(np.full((3, 2), np.nan))
    assert np.isnan(result.probabilities).all()
    assert (result.chosen, result.present, result.decided, result.interval) == (-1, 0, False, (0.0, 1.0))
    assert np.isnan([result.vote_share, result.dispersion, result.entropy, result.effective_members]).all()
    assert not result.contributions.any()
    assert not result.used_weights.any()


def test_the_summary_against_scipy():
    _, p, weights = case(3, 9, 4)
    result = pool(p, weights, PoolingMethod.LINEAR)
    w = oracle.used(p, weights)
    q, w = p[w > 0], w[w > 0]
    divergence = stats.entropy(w @ q) - w @ stats.entropy(q, axis=1)
    choices = [oracle.choice(row) for row in p[~np.isnan(p[:, 0])]]
    assert result.dispersion == pytest.approx(divergence)
    assert result.normalised_dispersion == pytest.approx(divergence / np.log(4))
    assert result.entropy == pytest.approx(stats.entropy(result.probabilities))
    assert result.effective_members == pytest.approx(1 / (w**2).sum())
    assert result.vote_share == pytest.approx(np.mean(np.equal(choices, result.chosen)))


def test_two_outcomes_tie_to_no_and_more_outcomes_to_the_first():
    assert pool([[0.5, 0.5]]).chosen == 1
    assert pool([[0.3, 0.7], [0.7, 0.3]], method=PoolingMethod.LINEAR).chosen == 1
    assert pool([[0.4, 0.2, 0.4]]).chosen == 0


def test_the_only_member_is_measured_against_equal_probabilities():
    result = pool([[0.8, 0.2], [np.nan, np.nan]])
    np.testing.assert_allclose(result.contributions, [0.3, 0.0])


def test_decided_follows_each_methods_rule():
    split = [[0.9, 0.1], [0.2, 0.8]]
    assert pool(split, method=PoolingMethod.LINEAR).decided
    assert not pool(split, method=PoolingMethod.UNANIMOUS).decided
    assert not pool(split, method=PoolingMethod.MAJORITY).decided
    assert not pool(split, method=PoolingMethod.WEIGHTED_VOTE).decided
    assert pool(split, [2, 1], PoolingMethod.WEIGHTED_VOTE).decided
    assert not pool(split, method=PoolingMethod.MAJORITY, parameters=[0.95]).decided
    assert pool([[0.9, 0.1], [0.6, 0.4]], method=PoolingMethod.UNANIMOUS).decided


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probabilities": [0.5, 0.5]}, "probabilities must have 2 dimension"),
        ({"probabilities": [["a", "b"]]}, "probabilities must be numbers"),
        ({"probabilities": [[1.0]]}, "probabilities must have at least two outcomes"),
        ({"probabilities": np.empty((0, 2))}, "probabilities must have at least one member"),
        ({"probabilities": [[1.2, -0.2]]}, "probabilities must lie in 0..1"),
        ({"probabilities": [[0.5, 0.4]]}, "probabilities has a row that does not sum to 1"),
        ({"probabilities": [[0.5, np.nan]]}, "probabilities has a row that is partly NaN"),
        ({"probabilities": [[0.5, 0.5]], "weights": [-1]}, "weights must be finite and at least 0"),
        ({"probabilities": [[0.5, 0.5]], "weights": [np.nan]}, "weights must be finite and at least 0"),
        ({"probabilities": [[0.5, 0.5]], "weights": [1, 1]}, r"weights must have shape \(1,\)"),
        ({"probabilities": [[0.5, 0.5]], "parameters": [1.0]}, "parameters of LOG_ODDS must have length"),
        (
            {"probabilities": [[0.5, 0.5]], "method": PoolingMethod.EXTREMISED, "parameters": [0.0]},
            "parameters of EXTREMISED must be above 0",
        ),
        (
            {"probabilities": [[0.5, 0.5]], "method": PoolingMethod.TRIMMED_MEAN, "parameters": [0.6]},
            "at most 0.5",
        ),
    ],
)
def test_the_door_names_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        pool(**arguments)


def test_the_numbers_of_the_methods_are_those_of_the_enum():
    for method in PoolingMethod:
        assert getattr(methods, method.name) == method
