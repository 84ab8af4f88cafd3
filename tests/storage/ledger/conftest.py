# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from server.storage.ledger.ledger import SqlLedger, open_ledger
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage.ledger.bench import Time

OpenLedger = Callable[..., Awaitable[SqlLedger]]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def open_another(settings: StorageSettings, time: Time) -> AsyncIterator[OpenLedger]:
    """Opens ledgers, each with a connection of its own, as processes would; all by the same clock."""
    opened: list[tuple[SqlPredictionStore, SqlLedger]] = []

    async def make(*budgets: Any, **terms: Any) -> SqlLedger:
        store = await open_store(settings)
        ledger = await open_ledger(store.database, budgets or None, clock=time, **terms)
        opened.append((store, ledger))
        return ledger

    yield make
    for store, ledger in opened:
        await ledger.close()
        await store.close()


@pytest.fixture
async def ledger(open_another: OpenLedger) -> SqlLedger:
    return await open_another()
