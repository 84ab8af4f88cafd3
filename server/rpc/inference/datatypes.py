# SPDX-License-Identifier: Apache-2.0
"""Datatypes of the Open Inference Protocol, and their raw bytes.

Raw tensors are little-endian, row-major and without padding. An element of
BYTES is its length in four bytes, then itself. BF16 has no type in NumPy: such
values are float32 here, which holds each of them exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.inference.servable import Array

_LENGTH = 4


@dataclass(frozen=True, slots=True)
class DataType:
    """``wire``: an element as it is sent, None for BYTES. ``contents``: the typed field; empty: raw only.

    ``number``: as in ``ModelConfig``.
    """

    name: str
    wire: np.dtype[np.generic] | None
    contents: str
    number: int


def _numbers(name: str, wire: str, contents: str, number: int) -> DataType:
    return DataType(name, np.dtype(wire), contents, number)


BYTES, BF16 = "BYTES", "BF16"
DATATYPES = {
    kind.name: kind
    for kind in (
        _numbers("BOOL", "?", "bool_contents", 1),
        _numbers("UINT8", "<u1", "uint_contents", 2),
        _numbers("UINT16", "<u2", "uint_contents", 3),
        _numbers("UINT32", "<u4", "uint_contents", 4),
        _numbers("UINT64", "<u8", "uint64_contents", 5),
        _numbers("INT8", "<i1", "int_contents", 6),
        _numbers("INT16", "<i2", "int_contents", 7),
        _numbers("INT32", "<i4", "int_contents", 8),
        _numbers("INT64", "<i8", "int64_contents", 9),
        _numbers("FP16", "<f2", "", 10),
        _numbers("FP32", "<f4", "fp32_contents", 11),
        _numbers("FP64", "<f8", "fp64_contents", 12),
        DataType(BYTES, None, "bytes_contents", 13),
        _numbers(BF16, "<u2", "", 14),
    )
}


class RawError(ValueError):
    """Bytes that are no tensor of the size that their shape asks for."""


def from_raw(raw: bytes, kind: DataType, count: int) -> Array:
    """``count`` elements, flat. Numbers are a read-only view of ``raw``, copied only where BF16 is widened.

    Raises:
        RawError: the size is another, or a length inside leads out of the bytes.
    """
    if kind.wire is None:
        return _texts(raw, count)
    if len(raw) != count * kind.wire.itemsize:
        raise RawError(f"{len(raw)} bytes, expected {count * kind.wire.itemsize}")
    values = np.frombuffer(raw, kind.wire)
    if kind.name == BF16:
        return (values.astype(np.uint32) << 16).view(np.float32)
    if kind.name == "BOOL" and (values.view(np.uint8) > 1).any():
        raise RawError("bytes other than 0 and 1")
    return values


def to_raw(values: Array, kind: DataType) -> bytes:
    """The bytes of a tensor of any shape."""
    if kind.wire is None:
        return b"".join(len(item).to_bytes(_LENGTH, "little") + item for item in values.ravel())
    if kind.name == BF16:
        return _rounded(values).tobytes()
    return values.astype(kind.wire, copy=False).tobytes()


def texts(items: Iterable[str | bytes]) -> NDArray[np.object_]:
    """Texts as a flat array of ``bytes``, UTF-8."""
    encoded = [item if isinstance(item, bytes) else item.encode() for item in items]
    found = np.empty(len(encoded), dtype=object)
    found[:] = encoded
    return found


def _texts(raw: bytes, count: int) -> NDArray[np.object_]:
    items: list[bytes] = []
    place = 0
    while place < len(raw):
        begin = place + _LENGTH
        place = begin + int.from_bytes(raw[place:begin], "little")
        if begin > len(raw) or place > len(raw):
            raise RawError(f"element {len(items)} leads out of its {len(raw)} bytes")
        items.append(raw[begin:place])
    if len(items) != count:
        raise RawError(f"{len(items)} elements, expected {count}")
    return texts(items)


def _rounded(values: Array) -> NDArray[np.uint16]:
    """Float32 to the nearest BF16, ties to even; NaN stays NaN."""
    single = np.ascontiguousarray(values, np.float32)
    bits = single.view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(single), (bits >> 16) | 0x40, rounded).astype(np.uint16)
