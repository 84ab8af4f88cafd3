# SPDX-License-Identifier: Apache-2.0
"""Special functions that numba does not have: logistic pair, incomplete beta, Student's t."""

import math

from kernels._jit import part
from kernels.methods import CLAMP

LENTZ_STEPS = 300
LENTZ_TINY = 1e-300
LENTZ_ENOUGH = 1e-15


@part()
def expit(x: float) -> float:
    """Logistic function 1 / (1 + exp(-x)), without overflow at either end.

    NaN gives NaN.
    """
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


@part()
def logit(p: float) -> float:
    """Log-odds log(p / (1 - p)) of a probability held in [1e-6, 1 - 1e-6].

    NaN gives NaN.
    """
    q = min(max(p, CLAMP), 1.0 - CLAMP)
    return math.log(q) - math.log1p(-q)


@part()
def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function, by modified Lentz."""
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > LENTZ_TINY else LENTZ_TINY)
    h = d
    for m in range(1, LENTZ_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 + term * d
            c = 1.0 + term / c
            d = 1.0 / (d if abs(d) > LENTZ_TINY else LENTZ_TINY)
            c = c if abs(c) > LENTZ_TINY else LENTZ_TINY
            h *= d * c
        if abs(d * c - 1.0) < LENTZ_ENOUGH:
            break
    return h


@part()
def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b), for a, b > 0.

    x at or under 0 gives 0, at or over 1 gives 1, NaN gives NaN. Within 1e-12
    of SciPy's ``betainc`` for a and b in 0.05..500.
    Source: continued fraction DLMF 8.17.22, evaluated by Lentz's method.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


@part()
def student_t_95(degrees: float) -> float:
    """95th percentile of Student's t for any real degrees of freedom >= 1.

    log t is a polynomial in 1/degrees (least squares at Chebyshev nodes);
    relative error under 1e-8. Fewer than 1 degree is read as 1.
    """
    x = 1.0 / max(degrees, 1.0)
    s = 0.011924106275965577
    s = s * x - 0.061990511042448695
    s = s * x + 0.12884181379803747
    s = s * x - 0.13432561352675088
    s = s * x + 0.09742467338251223
    s = s * x - 0.12189884499770161
    s = s * x + 0.06448118504624473
    s = s * x + 0.4342340392527575
    s = s * x + 0.9263878005056965
    s = s * x + 0.4976513931065668
    return math.exp(s)
