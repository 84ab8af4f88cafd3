# SPDX-License-Identifier: Apache-2.0
"""Logarithm, log-odds, exponential and logistic function, as arithmetic that vectorises.

numba from PyPI has no vector mathematics: ``math.log`` in a loop is one scalar
call an element. These are bit tricks and polynomials, so LLVM turns a loop
over them into vector instructions (16 float32 at once with AVX-512).

A number x > 0 is m 2^e. With s = (m - 1) / (m + 1),

    log x = e log 2 + 2 atanh s,    2 atanh s = s (2 + 2/3 s² + 2/5 s⁴ + …)

and the series is replaced by a polynomial in s², fitted at Chebyshev nodes on
the interval that s can reach. Error bounds are measured over every 257th
float32 of the domain, and over random float64, by
``tests/kernels/test_logarithm.py``.
Source: Muller, Elementary Functions, 3rd ed., chapters 3 and 11.
"""

import numpy as np

from kernels._jit import part

f4 = np.float32
f8 = np.float64
i4 = np.int32
i8 = np.int64

#: Multiply and add in one step; never "nnan", NaN marks the absent.
FUSED = frozenset({"contract", "nsz", "arcp"})

LOG_2 = f4(0.6931471805599453)
ONE_BITS = i4(0x3F800000)  # 1.0
MANTISSA = i4(0x007FFFFF)
ROOT_HALF_BITS = i4(0x3F3504F3)  # √½
EXPONENT_SHIFT = i4(23)

CONTRACTED = frozenset({"contract"})
ROOT_HALF_BITS_64 = i8(0x3FE6A09E667F3BCD)  # √½
BIAS_BITS_64 = i8(1023 << 52)
EXPONENT_SHIFT_64 = i8(52)
TWO_52_BITS = i8(0x4330000000000000)
TWO_52_AND_BIAS = 4503599627370496.0 + 1023.0
LOG_2_HIGH = 0.6931471803691238  # its last 21 bits are 0, so e × it is exact
LOG_2_LOW = 1.9082149292705877e-10


@part(fastmath=CONTRACTED)
def log64(x: float) -> float:
    """Natural logarithm of a normal float64 x in 2⁻¹⁰²²..1.7e308, relative error at most 4e-16.

    Zero, negative, infinite, subnormal or NaN x give garbage: clamp first. The
    exponent becomes a float by adding it to the bits of 2⁵², because AVX2 has no
    instruction for it. With f = m - 1, log m = f - ½ f² + s (½ f² + R(s²)) keeps
    the first term exact.
    """
    bits = i8(f8(x).view(i8) - ROOT_HALF_BITS_64 + BIAS_BITS_64)
    biased = i8(bits >> EXPONENT_SHIFT_64)
    e = i8(biased | TWO_52_BITS).view(f8) - TWO_52_AND_BIAS
    m = i8(f8(x).view(i8) - i8(biased << EXPONENT_SHIFT_64) + BIAS_BITS_64).view(f8)  # √½ <= m < √2
    f = m - 1.0
    s = f / (m + 1.0)
    t = s * s
    r = 0.1461645192038882
    r = r * t + 0.15331721419709152
    r = r * t + 0.18182889130702387
    r = r * t + 0.22222211134720407
    r = r * t + 0.2857142862597594
    r = r * t + 0.39999999999899505
    r = r * t + 0.666666666666667
    half = 0.5 * f * f
    return e * LOG_2_HIGH + (f - (half - (s * (half + r * t) + e * LOG_2_LOW)))


@part(inline=True, fastmath=FUSED)
def log32(x: np.float32) -> np.float32:
    """Natural logarithm of a normal float32 x in 2⁻¹²⁶..3e38.

    Relative error at most 3e-7. Zero, negative, infinite, subnormal or NaN x
    give garbage: clamp first.
    """
    bits = f4(x).view(i4)
    e = i4(i4(bits - ROOT_HALF_BITS) >> EXPONENT_SHIFT)
    m = i4(bits - i4(e << EXPONENT_SHIFT)).view(f4)  # √½ <= m < √2
    s = (m - f4(1.0)) / (m + f4(1.0))
    t = s * s
    y = f4(0.29925895561636634)
    y = y * t + f4(0.3997478736682815)
    y = y * t + f4(0.6666681599838523)
    y = y * t + f4(1.9999999986211388)
    return f4(e) * LOG_2 + s * y


@part(inline=True, fastmath=FUSED)
def logit32(p: np.float32) -> np.float32:
    """Log-odds log(p / (1 - p)) of a float32 in 0..1, from one polynomial instead of two logs.

    With p = m 2^e and 1 - p = n 2^f the mantissas' ratio lies in ½..2, so
    log(m / n) = 2 atanh((m - n) / (m + n)) with an argument inside ±⅓.
    Absolute error at most 1.5e-6, and at most 2e-7 for p in 0.1..0.9. 0 and 1
    give about ∓88: clamp the result. NaN gives garbage.
    """
    q = f4(1.0) - p
    p_bits = f4(p).view(i4)
    q_bits = f4(q).view(i4)
    e = f4(i4(i4(p_bits >> EXPONENT_SHIFT) - i4(q_bits >> EXPONENT_SHIFT)))
    m = i4(i4(p_bits & MANTISSA) | ONE_BITS).view(f4)
    n = i4(i4(q_bits & MANTISSA) | ONE_BITS).view(f4)
    s = (m - n) / (m + n)
    t = s * s
    y = f4(0.28174657265805864)
    y = y * t + f4(0.27961418834307755)
    y = y * t + f4(0.40024853723493004)
    y = y * t + f4(0.6666631593508083)
    y = y * t + f4(2.0000000078777482)
    return e * LOG_2 + s * y


@part(inline=True, fastmath=FUSED)
def exp32(x: np.float32) -> np.float32:
    """Exponential of a float32, relative error at most 2e-7; x is held in ±87.

    x = k log 2 + r with |r| <= ½ log 2; exp r by a polynomial, 2^k by its bits.
    Source: Cody & Waite (1980) for the two-step reduction by log 2.
    """
    held = min(max(x, f4(-87.0)), f4(87.0))
    k = np.floor(held * f4(1.4426950408889634) + f4(0.5))
    r = held - k * f4(0.693359375)
    r = r - k * f4(-2.12194440054690583e-4)
    y = f4(0.0013948592793250215)
    y = y * r + f4(0.008375137267674181)
    y = y * r + f4(0.04166621809461303)
    y = y * r + f4(0.166664153766048)
    y = y * r + f4(0.5000000107814149)
    y = y * r + f4(1.000000037750114)
    y = y * r + f4(0.9999999999595167)
    return y * i4(i4(i4(k) + i4(127)) << EXPONENT_SHIFT).view(f4)


@part(inline=True, fastmath=FUSED)
def expit32(x: np.float32) -> np.float32:
    """Logistic function 1 / (1 + exp(-x)) of a float32; relative error at most 4e-7 within ±87."""
    return f4(1.0) / (f4(1.0) + exp32(-x))
