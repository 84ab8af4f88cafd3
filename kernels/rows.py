# SPDX-License-Identifier: Apache-2.0
"""Rows copied inside kernels.

``target[:] = source`` asks numba for memory, in case the two overlap, and
kernels have none to give.
"""

from kernels._jit import part
from kernels._types import Array


@part()
def copy_row(source: Array, target: Array) -> None:
    """Fill target (N,) from source (at least N,), another piece of memory."""
    for i in range(len(target)):
        target[i] = source[i]
