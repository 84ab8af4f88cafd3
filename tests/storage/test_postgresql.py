# SPDX-License-Identifier: Apache-2.0
import asyncio
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from server.forecasting.errors import ConflictError, RecordError, UnreadableError
from server.forecasting.money import Payer, Spend
from server.forecasting.question import Resolution
from server.storage import postgresql
from server.storage.audit.verify import verify
from server.storage.errors import StorageError
from server.storage.ledger.ledger import open_ledger
from server.storage.ledger.tables import ledger_lock
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage.conftest import Opener
from tests.storage.ledger.bench import budget, charge, paid, taken
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
    opener: Opener, settings: StorageSettings, cluster: Cluster
) -> None:
    await cluster.execute("ALTER ROLE forecaster SET synchronous_commit = off")
    try:
        store = await opener(settings)
        shown = text("SHOW synchronous_commit")
        assert await store._database.write(lambda connection: connection.scalar(shown)) == "on"
    finally:
        await cluster.execute("ALTER ROLE forecaster RESET synchronous_commit")


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_each_statement_sees_what_others_committed_whatever_the_role_says(
    opener: Opener, settings: StorageSettings, cluster: Cluster, level: str
) -> None:
    await cluster.execute(f"ALTER ROLE forecaster SET default_transaction_isolation = '{level}'")
    store = await opener(settings)

    def isolation(connection: Connection) -> object:
        return connection.scalar(text("SHOW transaction_isolation"))

    found = await store.database.write(isolation), await store.database.read(isolation)
    await cluster.execute("ALTER ROLE forecaster RESET default_transaction_isolation")
    assert found == ("read committed", "read committed")


async def test_a_restarted_server_is_found_again(
    opener: Opener, settings: StorageSettings, cluster: Cluster
) -> None:
    store = await opener(settings)
    await store.save(record("before"))
    cluster.restart()
    await store.save(record("after"))
    assert await store.get("before") is not None
    assert await store.get("after") is not None


async def test_the_first_change_after_a_restart_is_made(
    opener: Opener, settings: StorageSettings, cluster: Cluster
) -> None:
    store = await opener(settings)
    outcomes = SqlOutcomeStore(store.database, store.trail)
    await outcomes.record([Resolution("q-1", NOON, outcome="YES")], NOON)
    await asyncio.to_thread(cluster.restart)
    await outcomes.record([Resolution("q-2", NOON, outcome="YES")], NOON)
    assert await outcomes.last_sequence() == 2


def lose_next_reply(store: SqlPredictionStore) -> None:
    """The next commit comes to the disk, and nobody hears of it."""

    def commit(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        await_only(driver.execute("COMMIT"))
        driver.terminate()

    engine = store.database._writing.sync_engine  # type: ignore[attr-defined]
    event.listen(engine, "commit", commit, once=True)


async def test_a_record_whose_commit_nobody_heard_of_is_on_disk_once(
    opener: Opener, settings: StorageSettings
) -> None:
    store = await opener(settings)
    await store.save(record("first"))
    lose_next_reply(store)
    unheard = record("unheard", request_id="r-1")
    await store.save(unheard)
    assert await store.find_request("alice", "r-1") == unheard
    with pytest.raises(ConflictError):
        await store.save(record("another", request_id="r-1"))
    report = await store.database.read(partial(verify, trusted=[]))
    assert (report.findings, report.entries, report.predictions) == ([], 3, 2)


async def test_a_commit_of_the_ledger_that_nobody_heard_of_counts_once(
    opener: Opener, settings: StorageSettings
) -> None:
    store = await opener(settings)
    ledger = await open_ledger(store.database)
    await ledger.set_budget(budget(100))
    call = charge(60)
    lose_next_reply(store)
    assert await ledger.reserve(call) is None
    assert await taken(ledger) == (0, 60)
    lose_next_reply(store)
    ledger.settle(call, paid(20))
    assert await taken(ledger) == (20, 0)
    lose_next_reply(store)
    payer = Payer("p-1", "alice", request_id="r-1")
    assert await ledger.claim(payer) == {}
    assert await ledger.spend() == [Spend("", 20, 0, 0, 1)]
    await ledger.close()


async def test_a_server_that_stops_in_a_transaction_does_not_stop_the_others(
    opener: Opener, settings: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(postgresql, "IDLE_MS", 1_000)
        stopped = await opener(settings)
    other = await opener(settings)
    ledgers = [await open_ledger(each.database) for each in (stopped, other)]
    holding, goes_on = asyncio.Event(), asyncio.Event()

    def stop(connection: Connection) -> None:
        with connection.begin():
            connection.execute(select(ledger_lock).with_for_update())
            holding.set()
            await_only(goes_on.wait())

    writing = asyncio.create_task(stopped.database.write(stop))
    await holding.wait()
    await asyncio.wait_for(ledgers[1].set_budget(budget(1)), 30.0)
    goes_on.set()
    with pytest.raises(DBAPIError):
        await writing
    await ledgers[0].set_budget(budget(2))
    for each in ledgers:
        await each.close()


async def test_a_server_that_died_fails_the_callers(
    opener: Opener, settings: StorageSettings, cluster: Cluster
) -> None:
    store = await opener(settings)
    cluster.halt()
    try:
        with pytest.raises(RecordError, match="'lost' is not on disk"):
            await store.save(record("lost"))
        with pytest.raises(UnreadableError, match="cannot be read"):
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
