# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from server.research.scores import (
    Pool,
    Scored,
    brier,
    calibration_error,
    calibration_line,
    log_score,
)


@pytest.fixture
def drawn():
    chance = np.random.default_rng(0)
    p = chance.uniform(0.02, 0.98, size=400)
    y = (chance.random(400) < p).astype(float)
    return p, y, chance.integers(1, 4, size=400).astype(float)


def test_scores_are_those_of_scikit_learn(drawn):
    p, y, w = drawn
    assert np.average(brier(p, y), weights=w) == pytest.approx(brier_score_loss(y, p, sample_weight=w))
    assert np.average(log_score(p, y), weights=w) == pytest.approx(log_loss(y, p, sample_weight=w))


def test_the_line_is_a_logistic_regression(drawn):
    p, y, w = drawn
    x = np.log(p / (1 - p))
    wanted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x[:, None], y, sample_weight=w)
    slope, intercept = calibration_line(p, y, w)
    assert slope == pytest.approx(wanted.coef_[0, 0], abs=1e-5)
    assert intercept == pytest.approx(wanted.intercept_[0], abs=1e-5)


def test_outcomes_that_can_be_told_apart_have_no_line():
    assert np.isnan(calibration_line(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.0, 0, 1, 1]), np.ones(4))[0])


def test_calibration_error_by_hand():
    p = np.repeat(np.linspace(0.05, 0.95, 10), 5)
    y = np.where(np.arange(50) % 5 < 2, 1.0, 0.0)
    wanted = np.abs(np.linspace(0.05, 0.95, 10) - 0.4).mean()
    assert calibration_error(p, y, np.ones(50)) == pytest.approx(wanted)
    order = np.random.default_rng(0).permutation(50)
    assert calibration_error(p[order], y[order], np.ones(50)) == pytest.approx(wanted)


def test_every_cluster_counts_once():
    scored = Scored(np.zeros(4), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(scored.by_cluster(np.array([1.0, 2, 3, 8])), [2, 8])
    np.testing.assert_allclose(scored.by_cluster(np.array([[1.0, 2, 3, 8], [0, 0, 3, 1]])), [[2, 8], [1, 1]])


def test_the_interval_is_that_of_a_plain_bootstrap():
    chance = np.random.default_rng(1)
    values = [chance.normal(0, 1, size=80), chance.normal(1, 2, size=40)]
    pool = Pool(tuple(Scored(np.zeros(len(v)), np.arange(len(v))) for v in values))
    means = [
        np.concatenate([v[chance.integers(0, len(v), len(v))] for v in values]).mean() for _ in range(4000)
    ]
    low, high = pool.interval(values)
    np.testing.assert_allclose([low, high], np.percentile(means, [2.5, 97.5]), atol=0.03)
    assert pool.mean(values) == pytest.approx(np.concatenate(values).mean())


def test_the_interval_comes_out_again():
    values = np.random.default_rng(2).normal(size=(3, 30))
    pool = Pool((Scored(np.zeros(30), np.arange(30)),))
    np.testing.assert_array_equal(pool.interval([values]), pool.interval([values]))
    np.testing.assert_allclose(pool.interval([values])[0][1], pool.interval([values[1]])[0], rtol=1e-12)
