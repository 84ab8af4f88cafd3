# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from server.storage.ledger.ledger import SqlLedger, open_ledger
from server.storage.settings import StorageSettings
from tests.storage.conftest import Opener
from tests.storage.ledger.bench import LEASE, Time

OpenLedger = Callable[..., Awaitable[SqlLedger]]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def open_another(opener: Opener, settings: StorageSettings, time: Time) -> AsyncIterator[OpenLedger]:
    """Opens ledgers, each with a connection of its own, as processes would; all by the same clock."""
    async with AsyncExitStack() as stack:

        async def make(*budgets: Any, **terms: Any) -> SqlLedger:
            store = await opener(settings)
            # A lease whose beats, which come by the machine's clock, are no part of a test.
            given = {"lease_s": LEASE.total_seconds(), **terms}
            ledger = await open_ledger(store.database, budgets or None, clock=time, **given)
            stack.push_async_callback(ledger.close)
            return ledger

        yield make


@pytest.fixture
async def ledger(open_another: OpenLedger) -> SqlLedger:
    return await open_another()
