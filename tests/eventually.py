# SPDX-License-Identifier: Apache-2.0
"""Waiting for what another process or task will do."""

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], bool], within_s: float = 120.0) -> None:
    """Return once the condition holds; fail after a generous limit."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.005)
