# SPDX-License-Identifier: Apache-2.0
"""What doors ask of whole arrays of probabilities, in one reading."""

import math

from kernels._jit import kernel
from kernels._types import Array

#: How far a row of probabilities may be from summing to 1.
SUM_TOLERANCE = 1e-6

SOUND = 0
OUTSIDE = 1
PARTLY_ABSENT = 2
NOT_ONE = 3


@kernel("b1(f8[::1])")
def inside_unit(values: Array) -> bool:
    """Whether every value of (N,) that is not NaN lies in 0..1, at reading speed."""
    outside = 0
    for n in range(values.shape[0]):
        outside |= int(values[n] < 0.0) | int(values[n] > 1.0)
    return outside == 0


@kernel(["i8(f8[:,::1])", "i8(f4[:,::1])"])
def first_fault(rows: Array) -> int:
    """What is wrong with rows (N, C) of probabilities, the least code of all rows.

    OUTSIDE: a value is not in 0..1. PARTLY_ABSENT: a row has some NaN, not all.
    NOT_ONE: a row does not sum to 1. SOUND: nothing is wrong.
    """
    outcomes = rows.shape[1]
    outside = False
    partly = False
    not_one = False
    for n in range(rows.shape[0]):
        total = 0.0
        absent = 0
        for c in range(outcomes):
            p = rows[n, c]
            outside |= p < 0.0 or p > 1.0
            absent += 1 if math.isnan(p) else 0
            total += p
        partly |= 0 < absent < outcomes
        not_one |= abs(total - 1.0) > SUM_TOLERANCE
    if outside:
        return OUTSIDE
    if partly:
        return PARTLY_ABSENT
    return NOT_ONE if not_one else SOUND
