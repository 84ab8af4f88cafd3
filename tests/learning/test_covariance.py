# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.optimize import minimize

from server.learning.batches import Resolved
from server.learning.covariance import Covariance, least_variance
from tests.learning.cases import asked


@pytest.mark.parametrize("seed", range(20))
def test_no_other_weights_have_less_variance(seed):
    chance = np.random.default_rng(seed)
    root = chance.normal(size=(5, 7))
    moments = root @ root.T
    got = least_variance(moments)
    assert got.sum() == pytest.approx(1)
    assert (got >= 0).all()
    best = minimize(
        lambda w: w @ moments @ w,
        np.full(5, 0.2),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-12},
    )
    assert got @ moments @ got <= best.fun * 1.02 + 1e-9


def test_two_copies_share_one_vote():
    chance = np.random.default_rng(0)
    errors = chance.normal(0, 0.1, size=(3000, 2))
    said = np.clip(0.5 + np.column_stack([errors[:, 0], errors[:, 0], errors[:, 1]]), 0, 1)
    learner = Covariance(prior_cases=1.0)
    learner.observe(Resolved.of(asked(said), np.full(3000, 0.5)))
    weights = learner.weights(asked([[0.5, 0.5, 0.5]]))[0]
    assert weights[2] == pytest.approx(0.5, abs=0.05)
    assert weights[0] == pytest.approx(weights[1])
