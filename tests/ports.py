# SPDX-License-Identifier: Apache-2.0
"""Ports on which nobody listens, and nobody will by chance."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port() -> Iterator[int]:
    """Connections to it are refused. It is taken, so no server gets it unless it asks for this one."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
