# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kernels.concord import concord_precisions, concord_rows


def rows(seed=0, count=50, members=5, absent=0.2):
    chance = np.random.default_rng(seed)
    x = chance.normal(0, 1.5, size=(count, 1)) + chance.normal(size=(count, members)) * np.linspace(
        0.2, 1.5, members
    )
    x[chance.random(x.shape) < absent] = np.nan
    return x


def plain_precisions(x, prior, freedom, rounds):
    present = ~np.isnan(x)
    logs = np.nan_to_num(x)
    precision, weights = np.ones(x.shape[1]), present.astype(float)
    for _ in range(rounds):
        with np.errstate(invalid="ignore"):
            centre = (weights * logs).sum(1) / weights.sum(1)
        squares = np.where(present, (logs - centre[:, None]) ** 2, 0)
        tails = (freedom + 1) / (freedom + squares * precision)
        squares = squares * tails
        typical = max(squares.sum() / present.sum(), 1e-9)
        precision = (present.sum(0) + prior) / (squares.sum(0) + prior * typical)
        weights = np.where(present, precision * tails, 0)
    return precision


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("prior", "freedom"), [(10.0, 8.0), (1e-6, 1e9), (3.0, 2.0)])
def test_precisions_match_plain_numpy(seed, prior, freedom):
    x = rows(seed)
    x = x[~np.isnan(x).all(1)]
    got = np.empty(5)
    concord_precisions(x, prior, freedom, 15, np.empty_like(x), np.empty(5), got)
    np.testing.assert_allclose(got, plain_precisions(x, prior, freedom, 15), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_row_weights_are_a_fixed_point(seed):
    x, precision = rows(seed), np.array([4.0, 2.0, 1.0, 0.7, 0.5])
    got = np.empty_like(x)
    concord_rows(x, precision, 8.0, 500, got)
    present = ~np.isnan(x)
    some = present.any(1)
    np.testing.assert_allclose(got.sum(1), some, atol=1e-12)
    assert (got[~present] == 0).all()
    centre = (got * np.nan_to_num(x)).sum(1)
    wanted = np.where(present, precision * 9 / (8 + (np.nan_to_num(x) - centre[:, None]) ** 2 * precision), 0)
    np.testing.assert_allclose(got[some], (wanted / wanted.sum(1, keepdims=True))[some], atol=1e-6)


def test_no_rounds_are_the_precisions_themselves():
    got = np.empty((1, 2))
    concord_rows(np.array([[0.0, 9.0]]), np.array([3.0, 1.0]), 8.0, 0, got)
    np.testing.assert_allclose(got, [[0.75, 0.25]])
