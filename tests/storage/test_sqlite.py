# SPDX-License-Identifier: Apache-2.0
import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from server.forecasting.errors import RecordError
from server.storage import sqlite
from server.storage.errors import StorageError
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage.conftest import Opener
from tests.storage.samples import record


@pytest.fixture
def settings(sqlite_settings: StorageSettings) -> StorageSettings:
    return sqlite_settings


def pragma(name: str) -> Callable[[Connection], object]:
    def ask(connection: Connection) -> object:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    return ask


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
async def test_the_writer_keeps_its_promise(store: SqlPredictionStore, name: str, value: object) -> None:
    assert await store._database.write(pragma(name)) == value


async def test_readers_cannot_write(store: SqlPredictionStore) -> None:
    assert await store._database.read(pragma("query_only")) == 1


async def test_the_log_is_laid_out_in_advance(store: SqlPredictionStore, tmp_path: Path) -> None:
    log = tmp_path / "var" / "predictions.db-wal"
    assert log.stat().st_size == sqlite.LOG_BYTES
    await store.save(record())
    assert log.stat().st_size == sqlite.LOG_BYTES


async def test_the_log_is_copied_before_it_grows(store: SqlPredictionStore, tmp_path: Path) -> None:
    for _ in range(6):
        await asyncio.gather(*(store.save(record()) for _ in range(100)))
    await store._database.write(lambda _: None)  # behind the last checkpoint
    assert (tmp_path / "var" / "predictions.db-wal").stat().st_size == sqlite.LOG_BYTES
    assert (tmp_path / "var" / "predictions.db").stat().st_size > 3_000_000


async def test_records_in_a_prepared_log_are_recovered(
    opener: Opener, tmp_path: Path, store: SqlPredictionStore
) -> None:
    """The copy is what a machine that lost its power finds: a log with zeros behind the last record."""
    saved = [record() for _ in range(5)]
    for stored in saved:
        await store.save(stored)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("predictions.db", "predictions.db-wal"):
        (crashed / name).write_bytes((tmp_path / "var" / name).read_bytes())
    again = await opener(StorageSettings(url=f"sqlite:///{crashed}/predictions.db"))
    assert [await again.get(stored.prediction.id) for stored in saved] == saved


async def test_another_process_that_holds_the_lock_costs_one_batch(opener: Opener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    store = await opener(StorageSettings(url=url, lock_timeout_s=0.01))
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="locked"):
            await store.save(record("p-1"))
        other.execute("ROLLBACK")
    await store.save(record("p-2"))
    assert await store.get("p-1") is None
    assert await store.get("p-2") is not None


async def test_work_that_forgot_its_transaction_harms_nobody(store: SqlPredictionStore) -> None:
    for _ in range(2):
        await store._database.write(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
    await store.save(record("p-1"))
    assert await store.get("p-1") is not None


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"storage\.url: .*file/x\.db cannot be used .*name a file"):
        await open_store(StorageSettings(url=f"sqlite:///{tmp_path}/file/x.db"))


async def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"storage\.url: .* cannot be used \(unable to open"):
        await open_store(StorageSettings(url=f"sqlite:///{tmp_path}"))


async def test_a_read_only_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"storage\.url: /proc/consilience/x\.db cannot be used"):
        await open_store(StorageSettings(url="sqlite:////proc/consilience/x.db"))


async def test_a_link_to_a_database_prepares_the_right_log(opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "x.db")
    store = await opener(StorageSettings(url=f"sqlite:///{tmp_path}/link.db"))
    await store.save(record("p-1"))
    assert (tmp_path / "real" / "x.db-wal").stat().st_size == sqlite.LOG_BYTES
