# SPDX-License-Identifier: Apache-2.0
"""What every door in front of a raw kernel checks: shape, dtype and memory order.

A raw kernel trusts its arguments. The doors refuse what does not fit, name
the argument, and say how to mend it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Extent = int | None

_I8 = np.dtype(np.int64)


def is_vector(value: Any, dtype: np.dtype[Any], length: int) -> bool:
    """True where ``value`` already is what a kernel takes: a C-contiguous vector of this dtype and length."""
    return bool(
        type(value) is np.ndarray
        and value.dtype == dtype
        and value.shape == (length,)
        and value.flags.c_contiguous
    )


def checked(
    name: str,
    value: Any,
    dtype: DTypeLike,
    shape: Sequence[Extent],
    *,
    writeable: bool = False,
) -> NDArray[Any]:
    """Return ``value`` if it is a C-contiguous array of this dtype and shape.

    ``shape`` holds one entry per axis; ``None`` accepts any length.

    Raises:
        ValueError: naming the argument and the mend.
    """
    wanted = np.dtype(dtype)
    # What fits is told first and fast: this runs for every tick.
    if (
        type(value) is np.ndarray
        and value.shape == shape
        and value.dtype == wanted
        and value.flags.c_contiguous
        and (not writeable or value.flags.writeable)
    ):
        return value
    if not isinstance(value, np.ndarray):
        raise ValueError(
            f"{name}: expected a NumPy array of {wanted}; wrap it in np.asarray(..., {wanted!s})"
        )
    if value.dtype != wanted:
        raise ValueError(f"{name}: dtype is {value.dtype}; convert it with .astype(np.{wanted})")
    if not _fits(value.shape, shape):
        raise ValueError(f"{name}: shape is {value.shape}; expected {_spelled(shape)}")
    if not value.flags.c_contiguous:
        raise ValueError(f"{name}: memory is not C-contiguous; pass np.ascontiguousarray({name})")
    if writeable and not value.flags.writeable:
        raise ValueError(f"{name}: array is read-only; pass a writeable buffer")
    return value


def as_integers(name: str, value: Any, *shape: Extent) -> NDArray[np.int64]:
    """A C-contiguous int64 array of ``value``, converted where it is another integer type.

    Raises:
        ValueError: where the values are not integers or the shape does not fit.
    """
    if len(shape) == 1 and is_vector(value, _I8, len(value) if shape[0] is None else shape[0]):
        vector: NDArray[np.int64] = value
        return vector
    array = np.asarray(value)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: dtype is {array.dtype}; give whole numbers (ticks, lots, rows) as integers"
        )
    if not _fits(array.shape, shape):
        raise ValueError(f"{name}: shape is {array.shape}; expected {_spelled(shape)}")
    return np.ascontiguousarray(array, dtype=np.int64)


def _fits(shape: Sequence[int], wanted: Sequence[Extent]) -> bool:
    return len(shape) == len(wanted) and all(w is None or s == w for s, w in zip(shape, wanted, strict=True))


def _spelled(shape: Sequence[Extent]) -> str:
    inner = ", ".join("any" if extent is None else str(extent) for extent in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
