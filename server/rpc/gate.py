# SPDX-License-Identifier: Apache-2.0
"""Whether calls are let in, and how many are under way."""

import asyncio
from types import TracebackType

from server.forecasting.errors import ShuttingDownError


class Gate:
    """Open at first. Once closed, new calls are refused and ``empty`` tells when the last one has left.

    The transport's own refusal races with its accepting: a call that arrives in
    between is cancelled instead of refused. So calls are turned away here, with
    a status that says that trying again elsewhere is safe, and the transport is
    stopped when nobody is inside.
    """

    def __init__(self) -> None:
        self.closed = False
        self._inside = 0
        self._left = asyncio.Event()

    def check(self) -> None:
        """Raise if the gate is closed.

        Raises:
            ShuttingDownError: it is.
        """
        if self.closed:
            raise ShuttingDownError("the server is shutting down; try again elsewhere, or in a moment")

    def __enter__(self) -> None:
        self.check()
        self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside -= 1
        self._left.set()

    async def close(self, within_s: float) -> None:
        """Let nobody in any more, and wait until the last has left or time is up."""
        self.closed = True
        try:
            async with asyncio.timeout(within_s):
                while self._inside:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            return
