# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from kernels._jit import kernel
from kernels.special import expit, incomplete_beta, logit, student_t_95

shape = st.floats(0.05, 500)


@kernel("f8(f8,f8,f8)")
def beta_of(a, b, x):
    return incomplete_beta(a, b, x)


@kernel("f8(f8)")
def t_of(degrees):
    return student_t_95(degrees)


@kernel("f8(f8)")
def there_and_back(p):
    return expit(logit(p))


@given(a=shape, b=shape, x=st.floats(0, 1))
def test_the_incomplete_beta_function_against_scipy(a, b, x):
    assert beta_of(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


def test_the_ends_of_the_incomplete_beta_function():
    assert beta_of(2, 3, -0.1) == beta_of(2, 3, 0.0) == 0
    assert beta_of(2, 3, 1.0) == beta_of(2, 3, 1.1) == 1
    assert np.isnan(beta_of(2, 3, np.nan))


@given(degrees=st.floats(1, 1e6))
def test_students_t_against_scipy(degrees):
    assert t_of(degrees) == pytest.approx(stats.t.ppf(0.95, degrees), rel=2e-8)


def test_fewer_than_one_degree_is_read_as_one():
    assert t_of(0.3) == t_of(1.0) == pytest.approx(stats.t.ppf(0.95, 1))


@given(p=st.floats(1e-6, 1 - 1e-6))
def test_the_logistic_function_inverts_log_odds(p):
    assert there_and_back(p) == pytest.approx(p, rel=1e-9)


def test_certainty_is_held():
    assert there_and_back(0.0) == pytest.approx(1e-6)
    assert there_and_back(1.0) == pytest.approx(1 - 1e-6)
    assert np.isnan(there_and_back(np.nan))
