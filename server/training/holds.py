# SPDX-License-Identifier: Apache-2.0
"""Locks between the servers of one machine: files that one of them holds at a time.

The system frees a lock with the end of whoever holds it, however it ended, so
what is not held has nobody any more.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

#: How often a lock that another server has is tried again.
AGAIN_S = 0.2


class Hold:
    """A lock that is held until the end of the context, or of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let others have it. Once is enough."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def try_to_hold(file: Path) -> Hold | None:
    """The lock, or None where another has it."""
    return _lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(file: Path) -> bool:
    """Whether somebody has it now."""
    found = _lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    if found is None:
        return True
    found.release()
    return False


@contextmanager
def briefly_alone(file: Path) -> Iterator[None]:
    """Blocks until the lock is free; for what takes no time."""
    found = _lock(file, fcntl.LOCK_EX)
    assert found is not None, "a lock that is waited for is had"  # noqa: S101
    with found:
        yield


@asynccontextmanager
async def alone(file: Path) -> AsyncIterator[None]:
    """Waits until the lock is free; for what takes long."""
    while (found := try_to_hold(file)) is None:  # noqa: ASYNC110 - another process has it
        await asyncio.sleep(AGAIN_S)
    with found:
        yield


def _lock(file: Path, how: int) -> Hold | None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return Hold(descriptor)
