# SPDX-License-Identifier: Apache-2.0
"""Servers that share a PostgreSQL database begin their chains whenever they like."""

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.util import await_only

from server.storage.audit.verify import verify
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore
from tests.storage.conftest import Opener
from tests.storage.samples import record


class Interruption:
    """Another server saves its first prediction between two statements of a first save."""

    def __init__(self, store: SqlPredictionStore, other: SqlPredictionStore, before: int) -> None:
        self._other = other
        self._before = before
        self._statements = 0
        self._engine = store.database._writing.sync_engine  # type: ignore[attr-defined]
        event.listen(self._engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self._statements += 1
        if self._statements == self._before:
            await_only(self._other.save(record("of the other")))

    @property
    def happened(self) -> bool:
        return self._statements >= self._before


@pytest.mark.parametrize("before", range(1, 7))  # the seventh locks a row for which the other would wait
async def test_a_chain_that_begins_during_the_start_of_another(
    opener: Opener, postgres_settings: StorageSettings, before: int
) -> None:
    first, store, other = [await opener(postgres_settings) for _ in range(3)]
    await first.save(record("earlier"))
    interruption = Interruption(store, other, before)
    await store.save(record("interrupted"))
    report = await store.database.read(lambda connection: verify(connection, []))
    assert interruption.happened
    assert (report.findings, report.writers, report.predictions) == ([], 3, 3)
