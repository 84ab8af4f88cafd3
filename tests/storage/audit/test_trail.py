# SPDX-License-Identifier: Apache-2.0
"""Servers that share a PostgreSQL database begin their chains whenever they like."""

import pytest

from server.storage.audit.verify import verify
from server.storage.settings import StorageSettings
from tests.storage.conftest import Opener
from tests.storage.interruption import Interruption
from tests.storage.samples import record


@pytest.mark.parametrize("before", range(1, 7))  # the seventh locks a row for which the other would wait
async def test_a_chain_that_begins_during_the_start_of_another(
    opener: Opener, postgres_settings: StorageSettings, before: int
) -> None:
    first, store, other = [await opener(postgres_settings) for _ in range(3)]
    await first.save(record("earlier"))
    interruption = Interruption(store.database, lambda: other.save(record("of the other")), at=before)
    await store.save(record("interrupted"))
    await interruption.result()
    report = await store.database.read(lambda connection: verify(connection, []))
    assert (report.findings, report.writers, report.predictions) == ([], 3, 3)
