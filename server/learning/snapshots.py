# SPDX-License-Identifier: Apache-2.0
"""A memory as bytes and back, so that a start need not learn it all again.

A snapshot is read with a list of what may be in it: a database that somebody has
written to cannot make the server run their code.
"""

import io
import pickle
import zlib
from typing import Any

from server.learning.memory import Memory

#: Raised by one when a learner's fields change their meaning.
FORM = 3

_NUMPY = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.numeric", "_frombuffer"),
}
_PLAIN = {
    ("collections", "deque"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("collections", "Counter"),
}
_CURVES = ("kernels.calibrators", "CalibrationMethod")
_LEARNERS = "server.learning."


class SnapshotError(Exception):
    """The bytes are no snapshot, or one of another form."""


def dump(memory: Memory) -> bytes:
    """The memory as bytes."""
    return zlib.compress(pickle.dumps(memory, protocol=5), level=1)


def load(state: bytes) -> Memory:
    """The memory.

    Raises:
        SnapshotError: the bytes are damaged, or hold something that no memory has.
    """
    try:
        memory = _Reader(io.BytesIO(zlib.decompress(state))).load()
    except Exception as error:
        raise SnapshotError(f"the snapshot cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(memory, Memory):
        raise SnapshotError("the snapshot holds no memory")
    return memory


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = (module, name) in _NUMPY | _PLAIN or (module, name) == _CURVES
        own = module.startswith(_LEARNERS) and name[:1] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ_" and "." not in name
        if not (known or own):
            raise pickle.UnpicklingError(f"{module}.{name} may not be in a snapshot")
        found = super().find_class(module, name)
        if own and not isinstance(found, type):
            raise pickle.UnpicklingError(f"{module}.{name} may not be in a snapshot")
        return found
