# SPDX-License-Identifier: Apache-2.0
"""The float32 polynomials against float64 NumPy, on a grid that takes every 257th float of the domain."""

import math
import os

import numpy as np
import pytest
from scipy import special

from kernels._jit import kernel
from kernels.logarithm import exp32, expit32, log32, log64, logit32

f4 = np.float32
PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"


def over(function):
    """The function applied to every element of an array."""

    @kernel("void(f4[::1],f4[::1])")
    def loop(x, out):
        for n in range(x.shape[0]):
            out[n] = function(x[n])

    def apply(x):
        out = np.empty_like(x)
        loop(x, out)
        return out.astype(float)

    return apply


@kernel("void(f8[::1],f8[::1])")
def loop64(x, out):
    for n in range(x.shape[0]):
        out[n] = log64(x[n])


def floats(low, high):
    """Every 257th float32 between two positive numbers (every 100,003rd in plain Python)."""
    step = 100_003 if PLAIN else 257
    first, last = (np.float32(x).view(np.int32) for x in (low, high))
    return np.arange(first, last, step, dtype=np.int32).view(np.float32)


def test_the_logarithm_is_right_to_3e_7():
    x = floats(1.2e-38, 3e38)
    exact = np.log(x.astype(float))
    found = over(log32)(x)
    near_one = np.abs(exact) < 1e-6
    assert np.abs(found / np.where(near_one, 1, exact) - 1)[~near_one].max() < 3e-7
    assert np.abs(found - exact)[near_one].max(initial=0.0) < 1e-13


def test_the_float64_logarithm_is_right_to_4e_16():
    random = np.random.default_rng(0)
    count = 20_000 if PLAIN else 1_000_000
    wide = np.exp(random.uniform(-700, 700, count))
    near_one = 1 + random.normal(size=count) * 10.0 ** random.uniform(-15, -1, count)
    x = np.concatenate([wide, near_one[near_one > 0], random.random(count), [1.0, 1e-300, 1.7e308]])
    x = np.maximum(x, 3e-308)
    out = np.empty_like(x)
    loop64(x, out)
    exact = np.log(x.astype(np.longdouble))
    one = exact == 0
    assert np.abs(out / np.where(one, 1, exact) - 1)[~one].max() < 4e-16
    assert not out[one].any()


def test_log_odds_are_right_to_1_5e_6_and_in_the_middle_to_2e_7():
    low = floats(1e-6, 0.5)
    p = np.concatenate([low, f4(1) - low])
    p = p[p < f4(1)]
    error = np.abs(over(logit32)(p) - special.logit(p.astype(float)))
    assert error.max() < 1.5e-6
    assert error[(p > 0.1) & (p < 0.9)].max() < 2e-7


def test_the_exponential_and_the_logistic_function():
    x = np.concatenate([-floats(1e-8, 87)[::-1], floats(1e-8, 87)])
    wide = x.astype(float)
    assert np.abs(over(exp32)(x) / np.exp(wide) - 1).max() < 2e-7
    assert np.abs(over(expit32)(x) / special.expit(wide) - 1).max() < 4e-7


@pytest.mark.parametrize(("p", "log_odds"), [(0.0, -80), (1.0, 80)])
def test_certainty_gives_log_odds_beyond_every_clamp(p, log_odds):
    found = over(logit32)(np.array([p], f4))[0]
    assert math.copysign(found, log_odds) == found
    assert abs(found) > 80


def test_the_exponential_holds_its_ends():
    found = over(exp32)(np.array([-200, 200], f4))
    np.testing.assert_allclose(found, np.exp([-87.0, 87.0]), rtol=2e-7)
