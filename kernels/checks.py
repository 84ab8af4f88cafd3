# SPDX-License-Identifier: Apache-2.0
"""Checks at the Python doors: one clear ValueError that names the argument and the mend.

Raw kernels trust their arguments; the doors beside them call these.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kernels import row_checks
from kernels._types import Array, Matrix, Vector


def as_array(name: str, value: ArrayLike, dimensions: int, dtype: Any = np.float64) -> Array:
    """The value as a C-contiguous, writeable array of that dtype and number of dimensions.

    Copied only where it is not one already; numba takes a read-only array for another type.

    Raises:
        ValueError: It is not numeric, or has another number of dimensions.
    """
    try:
        array = np.require(value, dtype, ["C_CONTIGUOUS", "WRITEABLE"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers ({np.dtype(dtype).name}): {error}") from None
    if np.ndim(value) != dimensions:
        raise ValueError(f"{name} must have {dimensions} dimension(s), not {np.ndim(value)}")
    return array


def require_shape(name: str, array: Array, shape: tuple[int, ...], meaning: str) -> None:
    """Raises ValueError unless the array has exactly this shape."""
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape} ({meaning}), not {array.shape}")


def require_weights(name: str, weights: Vector) -> None:
    """Raises ValueError where a weight is negative or not finite."""
    if not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError(f"{name} must be finite and at least 0")


def require_unit(name: str, values: Array) -> None:
    """Raises ValueError where one of the values, C-contiguous float64, is not NaN and lies outside 0..1."""
    if not row_checks.inside_unit(values.reshape(-1)):
        raise ValueError(f"{name} must lie in 0..1 (NaN for none)")


def as_probabilities(name: str, value: ArrayLike, dimensions: int = 2, dtype: Any = np.float64) -> Matrix:
    """Probabilities (…, C >= 2) in 0..1 whose rows sum to 1, or are NaN throughout.

    Raises:
        ValueError: Says which rule is broken.
    """
    array = as_array(name, value, dimensions, dtype)
    if array.shape[-1] < 2:
        raise ValueError(f"{name} must have at least two outcomes in its last dimension")
    fault = row_checks.first_fault(array.reshape(-1, array.shape[-1]))
    if fault != row_checks.SOUND:
        raise ValueError(f"{name} {_FAULTS[fault]}")
    return array


_FAULTS = {
    row_checks.OUTSIDE: "must lie in 0..1 (NaN for none)",
    row_checks.PARTLY_ABSENT: "has a row that is partly NaN; an absent member's row is NaN throughout",
    row_checks.NOT_ONE: "has a row that does not sum to 1; normalise each member's row",
}
