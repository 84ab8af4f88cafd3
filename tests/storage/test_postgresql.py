# SPDX-License-Identifier: Apache-2.0
import asyncio

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from server.forecasting.errors import RecordError
from server.forecasting.money import Budget
from server.forecasting.question import Resolution
from server.storage import postgresql
from server.storage.errors import StorageError
from server.storage.ledger.ledger import open_ledger
from server.storage.ledger.tables import ledger_lock
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.storage.postgres_cluster import Cluster
from tests.storage.samples import NOON, record


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
    settings: StorageSettings, cluster: Cluster
) -> None:
    await cluster.execute("ALTER ROLE forecaster SET synchronous_commit = off")
    store = await open_store(settings)
    mode = await store._database.write(lambda connection: connection.scalar(text("SHOW synchronous_commit")))
    await store.close()
    await cluster.execute("ALTER ROLE forecaster RESET synchronous_commit")
    assert mode == "on"


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_each_statement_sees_what_others_committed_whatever_the_role_says(
    settings: StorageSettings, cluster: Cluster, level: str
) -> None:
    await cluster.execute(f"ALTER ROLE forecaster SET default_transaction_isolation = '{level}'")
    store = await open_store(settings)

    def isolation(connection: Connection) -> object:
        return connection.scalar(text("SHOW transaction_isolation"))

    found = await store.database.write(isolation), await store.database.read(isolation)
    await store.close()
    await cluster.execute("ALTER ROLE forecaster RESET default_transaction_isolation")
    assert found == ("read committed", "read committed")


async def test_a_restarted_server_is_found_again(settings: StorageSettings, cluster: Cluster) -> None:
    store = await open_store(settings)
    await store.save(record("before"))
    cluster.restart()
    await store.save(record("after"))
    assert await store.get("before") is not None
    assert await store.get("after") is not None
    await store.close()


async def test_the_first_change_after_a_restart_is_made(settings: StorageSettings, cluster: Cluster) -> None:
    store = await open_store(settings)
    outcomes = SqlOutcomeStore(store.database, store.trail)
    await outcomes.record([Resolution("q-1", NOON, outcome="YES")], NOON)
    await asyncio.to_thread(cluster.restart)
    await outcomes.record([Resolution("q-2", NOON, outcome="YES")], NOON)
    assert await outcomes.last_sequence() == 2
    await store.close()


async def test_a_server_that_stops_in_a_transaction_does_not_stop_the_others(
    settings: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(postgresql, "IDLE_MS", 1_000)
        stopped = await open_store(settings)
    other = await open_store(settings)
    ledgers = [await open_ledger(each.database) for each in (stopped, other)]
    holding, goes_on = asyncio.Event(), asyncio.Event()

    def stop(connection: Connection) -> None:
        with connection.begin():
            connection.execute(select(ledger_lock).with_for_update())
            holding.set()
            await_only(goes_on.wait())

    writing = asyncio.create_task(stopped.database.write(stop))
    await holding.wait()
    await asyncio.wait_for(ledgers[1].set_budget(Budget("b", "all", 1)), 30.0)
    goes_on.set()
    with pytest.raises(DBAPIError):
        await writing
    await ledgers[0].set_budget(Budget("b", "all", 2))
    for each in (*ledgers, stopped, other):
        await each.close()


async def test_a_server_that_died_fails_the_callers(settings: StorageSettings, cluster: Cluster) -> None:
    store = await open_store(settings)
    cluster.halt()
    try:
        with pytest.raises(RecordError, match="'lost' is not on disk"):
            await store.save(record("lost"))
        with pytest.raises(StorageError, match="cannot be read"):
            await store.get("lost")
    finally:
        cluster.resume()
    await store.save(record("found"))
    await store.close()


async def test_a_server_that_does_not_sync_is_refused(settings: StorageSettings, cluster: Cluster) -> None:
    await cluster.execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    cluster.restart()
    try:
        with pytest.raises(StorageError, match="fsync = off"):
            await open_store(settings)
    finally:
        await cluster.execute("ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")
        cluster.restart()
