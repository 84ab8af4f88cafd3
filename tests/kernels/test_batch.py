# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from kernels.batch import consensus_many, pool_many
from kernels.binary32 import pool_binary32
from kernels.consensus import Consensus
from kernels.methods import PoolingMethod
from tests.kernels.test_consensus import parameters_for

CLAMP = 1e-6


def queries(seed, count, members, outcomes):
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(outcomes, 0.7), (count, members))
    p[random.random((count, members)) < 0.25] = np.nan
    weights = random.random((count, members)) * (random.random((count, members)) < 0.8)
    return random, p, weights


@pytest.mark.parametrize("method", list(PoolingMethod))
def test_a_batch_equals_its_queries_one_by_one(method):
    random, p, weights = queries(int(method), 9, 5, 3)
    parameters = parameters_for(method, 5, 3, random)
    many = consensus_many(p, weights, method, parameters)
    pooled = pool_many(p, weights, method, parameters)
    single = pool_many(p.astype(np.float32), weights, method, parameters)
    one = Consensus(5, 3)
    for n in range(len(p)):
        np.testing.assert_array_equal(one(p[n], weights[n], int(method), parameters), many.pooled[n])
        np.testing.assert_array_equal(one.pooled, pooled[n])
        np.testing.assert_array_equal(one.used_weights, many.used_weights[n])
        np.testing.assert_array_equal(one.contributions, many.contributions[n])
        np.testing.assert_array_equal(one.summary, many.summary[n])
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, pooled, atol=2e-5)


def test_one_row_of_weights_and_parameters_serves_all():
    _, p, _ = queries(1, 6, 4, 2)
    out = np.empty((6, 2))
    found = pool_many(p, [1, 2, 3, 4], PoolingMethod.EXTREMISED, [2.0], out=out)
    assert found is out
    rows = pool_many(p, [[1, 2, 3, 4]] * 6, PoolingMethod.EXTREMISED, [[2.0]] * 6)
    np.testing.assert_array_equal(found, rows)


def pooled64(p, weights, exponent=1.0):
    """Plain NumPy float64, probability of YES (M, N)."""
    present = ~np.isnan(p)
    w = np.where(present, weights[:, None], 0.0)
    w = np.where(w.sum(0) > 0, w, present)
    q = np.clip(np.where(present, p, 0.5).astype(float), CLAMP, 1 - CLAMP)
    with np.errstate(invalid="ignore"):
        return special.expit(exponent * (w * special.logit(q)).sum(0) / w.sum(0))


@given(
    seed=st.integers(0, 2**32 - 1),
    members=st.integers(1, 7),
    count=st.sampled_from([0, 1, 17, 2048, 2100]),
    exponent=st.sampled_from([1.0, 2.5]),
)
def test_float32_pooling_is_right_to_float32(seed, members, count, exponent):
    random = np.random.default_rng(seed)
    count = min(count, 60) if members > 2 else count
    p = random.beta(0.3, 0.3, (members, count)).astype(np.float32)
    p[random.random(p.shape) < 0.2] = np.nan
    p[random.random(p.shape) < 0.05] = 0.0
    p[random.random(p.shape) < 0.05] = 1.0
    weights = random.choice([0.0, 0.5, 1.0, 3.0], members)
    found = pool_binary32(p, weights, exponent=exponent)
    np.testing.assert_allclose(found, pooled64(p, weights, exponent), atol=1.5e-6 * exponent)
    linear = pool_binary32(p, weights, PoolingMethod.LINEAR)
    present = ~np.isnan(p)
    w = np.where(present, weights[:, None], 0.0)
    w = np.where(w.sum(0) > 0, w, present)
    with np.errstate(invalid="ignore"):
        expected = (w * np.where(present, p, 0)).sum(0) / w.sum(0)
    np.testing.assert_allclose(linear, expected, atol=1e-6)


def test_float32_pooling_within_its_documented_error():
    random = np.random.default_rng(0)
    p = random.beta(0.5, 0.5, (8, 500)).astype(np.float32)
    weights = random.random(8)
    assert np.abs(pool_binary32(p, weights) - pooled64(p, weights)).max() < 5e-7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pool_many([[[0.5, 0.5]]]), "probabilities must be a NumPy array"),
        (lambda: pool_many(np.full((1, 2), 0.5)), "probabilities: shape"),
        (lambda: pool_many(np.full((2, 2, 2), 0.5)[:, ::2]), "probabilities: memory is not C-contiguous"),
        (lambda: pool_many(np.full((1, 0, 2), 0.5)), "at least one member"),
        (lambda: pool_many(np.full((1, 1, 2), 0.6)), "does not sum to 1"),
        (lambda: pool_many(np.array([[[np.nan, 1.0]]])), "partly NaN"),
        (lambda: pool_many(np.array([[[1.5, -0.5], [0.6, 0.6]]], np.float32)), "must lie in 0..1"),
        (
            lambda: pool_many(np.full((3, 1, 2), 0.5), [[1], [1]]),
            "weights must have one row for all queries or 3",
        ),
        (lambda: pool_many(np.full((3, 1, 2), 0.5), [1, 1]), "weights must have shape"),
        (lambda: pool_many(np.full((1, 1, 2), 0.5), [-1]), "weights must be finite"),
        (lambda: pool_many(np.full((1, 1, 2), 0.5), parameters=[2.0]), "parameters of LOG_ODDS"),
        (lambda: pool_many(np.full((1, 1, 2), 0.5), out=np.empty((2, 2))), "out: shape"),
        (lambda: consensus_many(np.full((1, 1, 2), 0.5, np.float32)), "probabilities: dtype"),
        (lambda: pool_binary32(np.full((1, 1), 0.5)), "probabilities: dtype"),
        (lambda: pool_binary32(np.full((1, 1), 1.5, np.float32)), "probabilities must lie in 0..1"),
        (lambda: pool_binary32(np.full((0, 1), 0.5, np.float32)), "at least one member"),
        (lambda: pool_binary32(np.full((1, 1), 0.5, np.float32), [1, 2]), "weights must have shape"),
        (lambda: pool_binary32(np.full((1, 1), 0.5, np.float32), exponent=0), "exponent must be above 0"),
        (
            lambda: pool_binary32(np.full((1, 1), 0.5, np.float32), method=PoolingMethod.MEDIAN),
            "method must be",
        ),
        (lambda: pool_binary32(np.full((1, 1), 0.5, np.float32), out=np.empty(1)), "out: dtype"),
    ],
)
def test_the_doors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
