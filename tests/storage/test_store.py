# SPDX-License-Identifier: Apache-2.0
"""The port's promises, the same on both databases."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Connection, Select, select

from server.forecasting.errors import ConflictError, RecordError
from server.forecasting.ports import PredictionStore
from server.forecasting.prediction import PredictionRecord
from server.storage import queries
from server.storage.documents import decode, encode
from server.storage.errors import StorageError
from server.storage.records import rows_of
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from server.storage.tables import member_forecasts, predictions
from tests.storage.conftest import Opener
from tests.storage.samples import NOON, record, with_prediction
from tests.storage.strategies import bits, records


async def member_rows(store: SqlPredictionStore, prediction_id: str) -> list[tuple[object, ...]]:
    table = member_forecasts
    query = select(table).where(table.c.prediction_id == prediction_id).order_by(table.c.position)

    def work(connection: Connection) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.execute(query)]

    return await store._database.read(work)


def ids(records: Sequence[PredictionRecord]) -> list[str]:
    return [stored.prediction.id for stored in records]


def test_it_is_a_prediction_store(store: SqlPredictionStore) -> None:
    port: PredictionStore = store
    assert port is store


async def test_what_was_saved_is_read(store: SqlPredictionStore) -> None:
    stored = record()
    await store.save(stored)
    assert await store.get(stored.prediction.id) == stored
    assert store.pending == 0


async def test_nothing_is_none(store: SqlPredictionStore) -> None:
    assert await store.get("nobody") is None
    assert await store.find_request("alice", "nothing") is None
    assert list(await store.list(limit=10)) == []


async def test_records_survive_a_restart(opener: Opener, settings: StorageSettings) -> None:
    stored = record()
    first = await opener(settings)
    await first.save(stored)
    await first.close()
    second = await opener(settings)
    assert await second.get(stored.prediction.id) == stored


@hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(generated=records)
def test_any_record_survives_the_database(settings: StorageSettings, generated: PredictionRecord) -> None:
    stored = without_nul(with_prediction(generated, id=str(uuid4()), request_id=""))

    async def round_trip() -> PredictionRecord | None:
        store = await open_store(settings)
        try:
            await store.save(stored)
            return await store.get(stored.prediction.id)
        finally:
            await store.close()

    assert bits(asyncio.run(round_trip())) == bits(stored)


def without_nul(stored: PredictionRecord) -> PredictionRecord:
    """The record without the one character that PostgreSQL cannot hold in a column."""
    return decode(encode(stored).decode().replace("\\u0000", "0"))


async def test_members_can_be_scored_without_the_document(store: SqlPredictionStore) -> None:
    stored = record()
    await store.save(stored)
    rows = await member_rows(store, stored.prediction.id)
    assert rows == [tuple(row) for row in rows_of(stored).members]


async def test_members_leave_with_their_prediction(store: SqlPredictionStore) -> None:
    kept, erased = record(), record()
    await store.save(kept)
    await store.save(erased)

    def erase(connection: Connection) -> None:
        with connection.begin():
            connection.execute(predictions.delete().where(predictions.c.id == erased.prediction.id))

    await store._database.write(erase)
    assert await member_rows(store, erased.prediction.id) == []
    assert len(await member_rows(store, kept.prediction.id)) == 12


async def test_a_prediction_without_members_is_saved(store: SqlPredictionStore) -> None:
    stored = with_prediction(record(), members=())
    await store.save(stored)
    assert await store.get(stored.prediction.id) == stored


async def test_a_request_is_found_by_its_caller_only(store: SqlPredictionStore) -> None:
    stored = record(caller="alice", request_id="r-1")
    await store.save(stored)
    assert await store.find_request("alice", "r-1") == stored
    assert await store.find_request("bob", "r-1") is None
    await store.save(record(caller="bob", request_id="r-1"))


async def test_an_empty_request_is_no_request(store: SqlPredictionStore) -> None:
    await store.save(record(request_id=""))
    await store.save(record(request_id=""))
    assert await store.find_request("alice", "") is None


async def test_a_second_answer_to_a_request_is_a_conflict(store: SqlPredictionStore) -> None:
    first = record(request_id="r-1")
    await store.save(first)
    with pytest.raises(ConflictError, match=r"request_id 'r-1' of caller 'alice'"):
        await store.save(record(request_id="r-1"))
    assert await store.find_request("alice", "r-1") == first


async def test_of_concurrent_answers_to_one_request_one_wins(store: SqlPredictionStore) -> None:
    rivals = [record(request_id="r-1") for _ in range(5)]
    outcomes = await asyncio.gather(*map(store.save, rivals), return_exceptions=True)
    winners = [rival for rival, outcome in zip(rivals, outcomes, strict=True) if outcome is None]
    assert [await store.find_request("alice", "r-1")] == winners
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 4


async def test_the_same_record_may_be_saved_again(store: SqlPredictionStore) -> None:
    stored = record(request_id="r-1")
    await store.save(stored)
    await store.save(stored)
    assert len(await store.list(limit=10)) == 1


async def test_another_content_under_an_id_is_a_conflict(store: SqlPredictionStore) -> None:
    stored = record()
    await store.save(stored)
    with pytest.raises(ConflictError, match="another content"):
        await store.save(with_prediction(stored, outcome="YES"))
    assert await store.get(stored.prediction.id) == stored


async def test_one_that_cannot_be_written_takes_no_other_with_it(store: SqlPredictionStore) -> None:
    good = [record() for _ in range(6)]
    twice = replace(good[0].prediction.members[0], member="twice")
    poison = replace(record("poison"), caller="\0")  # PostgreSQL has no NUL in text
    conflict = with_prediction(good[0], outcome="YES", members=(twice,))
    batch = [*good[:3], poison, conflict, *good[3:]]
    outcomes = await asyncio.gather(*map(store.save, batch), return_exceptions=True)
    assert outcomes[:3] == [None] * 3
    assert outcomes[5:] == [None] * 3
    assert isinstance(outcomes[4], ConflictError)
    assert outcomes[3] is None or isinstance(outcomes[3], RecordError)
    assert [await store.get(stored.prediction.id) for stored in good] == good


async def test_a_record_that_is_no_json_harms_nobody(store: SqlPredictionStore) -> None:
    good = record()
    outcomes = await asyncio.gather(
        store.save(with_prediction(record(), explanation="\udfff")), store.save(good), return_exceptions=True
    )
    assert isinstance(outcomes[0], RecordError)
    assert await store.get(good.prediction.id) == good


async def test_a_thousand_at_once(store: SqlPredictionStore) -> None:
    batch = [record() for _ in range(1000)]
    await asyncio.gather(*map(store.save, batch))
    assert len(await store.list(limit=2000)) == 1000
    assert await store.get(batch[777].prediction.id) == batch[777]


async def test_the_newest_come_first(store: SqlPredictionStore) -> None:
    for second in (2, 0, 1):
        await store.save(record(f"p-{second}", after=timedelta(seconds=second)))
    assert ids(await store.list(limit=10)) == ["p-2", "p-1", "p-0"]
    assert ids(await store.list(limit=2)) == ["p-2", "p-1"]


async def test_pages_meet_without_gap_or_overlap(store: SqlPredictionStore) -> None:
    names = ["a", "B", "b", "Z", "ä", "a-1", "a_1", "aa"]  # the same instant: order by code point
    await asyncio.gather(*(store.save(record(name)) for name in names))
    seen: list[str] = []
    before = None
    while page := await store.list(limit=3, before=before):
        seen += ids(page)
        before = (page[-1].prediction.create_time, page[-1].prediction.id)
    assert seen == sorted(names, reverse=True)


async def test_a_list_keeps_to_its_question_and_its_time(store: SqlPredictionStore) -> None:
    for hour in range(5):
        for question in ("q-1", "q-2"):
            await store.save(record(f"{question}-{hour}", question_id=question, after=timedelta(hours=hour)))
    found = await store.list(
        limit=10, question_id="q-1", start=NOON + timedelta(hours=1), end=NOON + timedelta(hours=3)
    )
    assert ids(found) == ["q-1-2", "q-1-1"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (queries.page(10, (NOON, "x"), "q-1", NOON, NOON), "predictions_by_question"),
        (queries.page(10, (NOON, "x"), "", None, None), "predictions_by_time"),
        (queries._BY_REQUEST, "predictions_by_request"),
    ],
)
async def test_a_query_uses_its_index(
    opener: Opener, sqlite_settings: StorageSettings, query: Select[Any], index: str
) -> None:
    store = await opener(sqlite_settings)

    def explain(connection: Connection) -> list[str]:
        compiled = query.params(of_caller="c", of_request="r").compile(
            connection, compile_kwargs={"literal_binds": True}
        )
        return [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]

    plan = await store._database.read(explain)
    assert len(plan) == 1
    assert f"USING INDEX {index}" in plan[0]


async def test_closing_writes_what_is_queued(opener: Opener, settings: StorageSettings) -> None:
    store = await opener(settings)
    batch = [record() for _ in range(300)]
    saves = [asyncio.create_task(store.save(stored)) for stored in batch]
    await asyncio.sleep(0)  # let the saves reach the queue
    await store.close()
    await asyncio.gather(*saves)
    again = await opener(settings)
    assert len(await again.list(limit=1000)) == 300


async def test_a_closed_store_says_so(opener: Opener, settings: StorageSettings) -> None:
    store = await opener(settings)
    await store.close()
    await store.close()
    with pytest.raises(RecordError, match="closed"):
        await store.save(record())
    with pytest.raises(StorageError):
        await store.get("p-1")


async def test_a_cancelled_caller_loses_nothing(store: SqlPredictionStore) -> None:
    batch = [record() for _ in range(50)]
    saves = [asyncio.create_task(store.save(stored)) for stored in batch]
    await asyncio.sleep(0)
    for save in saves[::2]:
        save.cancel()
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes[::2])
    assert outcomes[1::2] == [None] * 25
    await store.save(record())  # behind all of them in the queue
    assert [await store.get(stored.prediction.id) for stored in batch] == batch


async def test_a_cancelled_reader_leaves_the_pool_whole(store: SqlPredictionStore) -> None:
    stored = record()
    await store.save(stored)
    for _ in range(10):
        reads = [asyncio.create_task(store.get(stored.prediction.id)) for _ in range(5)]
        await asyncio.sleep(0)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    assert await asyncio.gather(*(store.get(stored.prediction.id) for _ in range(5))) == [stored] * 5


async def test_a_damaged_document_is_an_error_of_ours(store: SqlPredictionStore) -> None:
    await store.save(record("p-1"))

    def damage(connection: Connection) -> None:
        with connection.begin():
            connection.execute(predictions.update().values(document="{"))

    await store._database.write(damage)
    with pytest.raises(StorageError, match="cannot be read"):
        await store.get("p-1")
