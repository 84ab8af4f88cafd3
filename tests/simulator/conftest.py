# SPDX-License-Identifier: Apache-2.0
import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest

from server.simulator.server import Simulator

#: Made once and without roots: loading them for every client takes longer than all tests together.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_client(seconds: float = 5.0) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=PLAIN, timeout=seconds)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running
