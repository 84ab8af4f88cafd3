# SPDX-License-Identifier: Apache-2.0
import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from server.storage.errors import StorageError
from server.storage.schema import HEAD, MIGRATIONS, current_revision
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from server.storage.tables import metadata
from tests.storage.conftest import Opener
from tests.storage.samples import record


def test_head_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_an_empty_database_is_brought_to_head(store: SqlPredictionStore) -> None:
    assert await store._database.read(current_revision) == HEAD


async def test_migrations_lead_to_the_tables_of_the_code(store: SqlPredictionStore) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await store._database.read(differences) == []


async def test_names_compare_by_code_point(store: SqlPredictionStore) -> None:
    if store._database.dialect.name != "postgresql":
        pytest.skip("SQLite compares by code point unless told otherwise")

    def collations(connection: Connection) -> set[str]:
        columns = inspect(connection).get_columns("predictions")
        return {str(column["type"]) for column in columns if column["name"] in ("id", "question_id")}

    assert await store._database.read(collations) == {'TEXT COLLATE "C"'}


async def test_opening_again_changes_nothing(opener: Opener, settings: StorageSettings) -> None:
    for _ in range(2):
        store = await opener(settings)
        await store.save(record())
        await store.close()
    store = await opener(settings)
    assert len(await store.list(limit=10)) == 2


async def test_servers_that_start_together_migrate_once(opener: Opener, settings: StorageSettings) -> None:
    stores = await asyncio.gather(*(opener(settings) for _ in range(4)))
    await asyncio.gather(*(store.save(record(f"p-{number}")) for number, store in enumerate(stores)))
    assert len(await stores[0].list(limit=10)) == 4


async def test_a_database_from_the_future_is_refused_and_left_alone(
    opener: Opener, settings: StorageSettings
) -> None:
    def set_revision(connection: Connection, revision: str) -> None:
        with connection.begin():
            connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})

    store = await opener(settings)
    await store._database.write(lambda connection: set_revision(connection, "0999"))
    await store.close()
    with pytest.raises(StorageError, match=r"storage\.url: .* migration 0999, later than " + HEAD):
        await open_store(settings)


async def test_another_programs_database_is_refused(sqlite_settings: StorageSettings, tmp_path: Path) -> None:
    path = tmp_path / "var" / "predictions.db"
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match=r"storage\.url: .*predictions\.db cannot be used \(file is not"):
        await open_store(sqlite_settings)
