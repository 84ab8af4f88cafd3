# SPDX-License-Identifier: Apache-2.0
"""One test body, two databases."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage import faulty_disk
from tests.storage.postgres_cluster import Cluster, programs

Opener = Callable[[StorageSettings], Awaitable[SqlPredictionStore]]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    folder = programs()
    if folder is None or not find_spec("asyncpg"):
        reason = "needs initdb and pg_ctl (Debian: apt-get install postgresql) and the extra `postgres`"
        if os.environ.get("CI_REQUIRE_POSTGRES"):
            pytest.fail(f"CI_REQUIRE_POSTGRES is set; {reason}")
        pytest.skip(reason)
    server = Cluster(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> StorageSettings:
    return StorageSettings(url=f"sqlite:///{tmp_path}/var/predictions.db")


@pytest.fixture
async def postgres_settings(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> StorageSettings:
    await cluster.empty()
    monkeypatch.setenv("TEST_DATABASE_URL", cluster.url)
    return StorageSettings(url="env:TEST_DATABASE_URL")


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest) -> StorageSettings:
    found: StorageSettings = request.getfixturevalue(f"{request.param}_settings")
    return found


@pytest.fixture
async def opener() -> AsyncIterator[Opener]:
    """Opens stores that are closed at the end of the test, however it ends."""
    async with AsyncExitStack() as stack:

        async def opened(settings: StorageSettings) -> SqlPredictionStore:
            store = await open_store(settings)
            stack.push_async_callback(store.close)
            return store

        yield opened


@pytest.fixture
async def store(opener: Opener, settings: StorageSettings) -> SqlPredictionStore:
    return await opener(settings)


@pytest.fixture(scope="session")
def faulty_disk_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := faulty_disk.why_unavailable():
        pytest.skip(reason)
    return faulty_disk.build(tmp_path_factory.mktemp("faulty_disk"))
