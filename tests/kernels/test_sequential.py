# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from kernels.sequential import learn_logistic, most_likely_sum, predict_logistic


def learn(places, values, outcomes, weights, mean, covariance):
    mean, covariance = mean.copy(), covariance.copy()
    learn_logistic(
        np.asarray(places, np.int64), np.asarray(values, float), outcomes, weights, mean, covariance, mean * 0
    )
    return mean, covariance


@pytest.mark.parametrize("outcome", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("variance", [1e-6, 0.5, 1e4])
@pytest.mark.parametrize("mean", [-30.0, 0.2, 30.0])
def test_the_sum_moves_to_the_mode(mean, variance, outcome):
    def loss(x):
        return (
            outcome * np.logaddexp(0, -x)
            + (1 - outcome) * np.logaddexp(0, x)
            + (x - mean) ** 2 / variance / 2
        )

    move = variance * (outcome - 1 / (1 + np.exp(-mean)))
    found = minimize_scalar(
        loss, bounds=sorted((mean - 1e-9, mean + move + 1e-9)), method="bounded", options={"xatol": 1e-12}
    )
    assert loss(most_likely_sum(mean, variance, outcome, 1.0)) <= loss(found.x) + 1e-9


def test_one_case_gives_the_exact_mode_of_the_posterior():
    chance = np.random.default_rng(0)
    root = chance.normal(size=(4, 4))
    covariance = root @ root.T + np.eye(4)
    mean, x = chance.normal(size=4), chance.normal(size=4)
    inverse = np.linalg.inv(covariance)

    def loss(theta):
        return np.logaddexp(0, -theta @ x) + (theta - mean) @ inverse @ (theta - mean) / 2

    wanted = minimize(loss, mean, tol=1e-12).x
    got, spread = learn([[0, 1, 2, 3]], [x], np.ones(1), np.ones(1), mean, covariance)
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    p = 1 / (1 + np.exp(-wanted @ x))
    np.testing.assert_allclose(spread, np.linalg.inv(inverse + p * (1 - p) * np.outer(x, x)), atol=1e-5)


def test_many_cases_come_close_to_the_batch_solution():
    chance = np.random.default_rng(1)
    values = chance.normal(size=(4000, 3))
    truth = np.array([0.5, -1.0, 2.0])
    outcomes = (chance.random(4000) < 1 / (1 + np.exp(-values @ truth))).astype(float)

    def loss(theta):
        return np.logaddexp(0, values @ theta).sum() - outcomes @ values @ theta + theta @ theta / 2

    wanted = minimize(loss, np.zeros(3)).x
    places = np.tile(np.arange(3), (4000, 1))
    got, spread = learn(places, values, outcomes, np.ones(4000), np.zeros(3), np.eye(3))
    np.testing.assert_allclose(got, wanted, atol=0.03)
    np.testing.assert_allclose(spread, spread.T, atol=1e-12)


def test_places_select_coefficients_and_negative_ones_are_none():
    places = np.array([[2, -1]])
    got, _ = learn(places, [[1.0, 5.0]], np.ones(1), np.ones(1), np.zeros(4), np.eye(4))
    assert got[2] > 0
    np.testing.assert_array_equal(got[[0, 1, 3]], 0)


def test_weight_zero_and_certain_coefficients_learn_nothing():
    mean, covariance = np.array([0.3]), np.array([[1.0]])
    for weight, spread in ((0.0, covariance), (1.0, covariance * 0)):
        got, _ = learn([[0]], [[1.0]], np.ones(1), np.full(1, weight), mean, spread)
        np.testing.assert_array_equal(got, mean)


def test_prediction_matches_plain_algebra():
    chance = np.random.default_rng(2)
    root = chance.normal(size=(5, 5))
    covariance, mean = root @ root.T, chance.normal(size=5)
    places = np.array([[0, 3, -1], [4, 1, 2]])
    values = chance.normal(size=(2, 3))
    sums, variances = np.empty(2), np.empty(2)
    predict_logistic(places, values, mean, covariance, sums, variances)
    for row in range(2):
        x = np.zeros(5)
        for place, value in zip(places[row], values[row], strict=True):
            if place >= 0:
                x[place] += value
        assert sums[row] == pytest.approx(x @ mean)
        assert variances[row] == pytest.approx(x @ covariance @ x)
