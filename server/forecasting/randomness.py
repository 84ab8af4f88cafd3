# SPDX-License-Identifier: Apache-2.0
"""The system's random bytes, fetched by the page: a system call for each id costs more than the id."""

import os
from threading import Lock

_PAGE = 4_096
_left = bytearray()
_lock = Lock()


def random_bytes(count: int) -> bytes:
    """So many bytes that nobody has been given before; as good as ``os.urandom``'s, whose they are."""
    with _lock:
        if len(_left) < count:
            _left.extend(os.urandom(max(count, _PAGE)))
        taken = bytes(_left[-count:]) if count else b""
        del _left[len(_left) - count :]
    return taken


def random_hex(count: int) -> str:
    """``count`` random bytes in hexadecimal digits."""
    return random_bytes(count).hex()


if hasattr(os, "register_at_fork"):  # a child must not hand out what its parent will
    os.register_at_fork(after_in_child=_left.clear)
