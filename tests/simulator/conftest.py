# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator

import pytest

from server.simulator.server import Simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running
