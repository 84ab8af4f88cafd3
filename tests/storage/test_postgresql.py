# SPDX-License-Identifier: Apache-2.0
import pytest
from sqlalchemy import text

from server.forecasting.errors import RecordError
from server.storage.errors import StorageError
from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.storage.conftest import Opener
from tests.storage.postgres_cluster import Cluster
from tests.storage.samples import record


@pytest.fixture
async def settings(postgres_settings: StorageSettings) -> StorageSettings:
    return postgres_settings


async def test_a_wrong_password_is_not_shown(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", f"postgresql://forecaster:hush@127.0.0.1:{cluster.port}/postgres")
    with pytest.raises(
        StorageError, match=r"storage\.url: postgresql://forecaster:\*\*\*@127.*password"
    ) as caught:
        await open_store(StorageSettings(url="env:STORE"))
    assert "hush" not in str(caught.value)


async def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(StorageError, match=r"storage\.url: .*127\.0\.0\.1:1/x cannot be reached"):
        await open_store(StorageSettings(url="postgresql://user@127.0.0.1:1/x"))


async def test_a_database_that_is_not_there_is_named(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE", cluster.url + "_not")
    with pytest.raises(StorageError, match=r"storage\.url: .*postgres_not.* does not exist"):
        await open_store(StorageSettings(url="env:STORE"))


async def test_a_commit_waits_for_the_disk_whatever_the_role_says(
    opener: Opener, settings: StorageSettings, cluster: Cluster
) -> None:
    await cluster.execute("ALTER ROLE forecaster SET synchronous_commit = off")
    try:
        store = await opener(settings)
        shown = text("SHOW synchronous_commit")
        assert await store._database.write(lambda connection: connection.scalar(shown)) == "on"
    finally:
        await cluster.execute("ALTER ROLE forecaster RESET synchronous_commit")


async def test_a_restarted_server_is_found_again(
    opener: Opener, settings: StorageSettings, cluster: Cluster
) -> None:
    store = await opener(settings)
    await store.save(record("before"))
    cluster.restart()
    await store.save(record("after"))
    assert await store.get("before") is not None
    assert await store.get("after") is not None


async def test_a_server_that_died_fails_the_callers(
    opener: Opener, settings: StorageSettings, cluster: Cluster
) -> None:
    store = await opener(settings)
    cluster.halt()
    try:
        with pytest.raises(RecordError, match="'lost' is not on disk"):
            await store.save(record("lost"))
        with pytest.raises(StorageError, match="cannot be read"):
            await store.get("lost")
    finally:
        cluster.resume()
    await store.save(record("found"))


async def test_a_server_that_does_not_sync_is_refused(settings: StorageSettings, cluster: Cluster) -> None:
    await cluster.execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    cluster.restart()
    try:
        with pytest.raises(StorageError, match="fsync = off"):
            await open_store(settings)
    finally:
        await cluster.execute("ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")
        cluster.restart()
