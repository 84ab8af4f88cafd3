# SPDX-License-Identifier: Apache-2.0
"""Servers on one PostgreSQL database, one of them between two statements of another."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest

from server.forecasting.errors import ConflictError
from server.forecasting.experiment import Standing, State
from server.forecasting.question import Resolution
from server.storage.audit.erasure import Eraser
from server.storage.audit.verify import verify
from server.storage.experiments.store import SqlExperimentStore
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.storage.interruption import Interruption
from tests.storage.samples import NOON, record

LATER = NOON + timedelta(days=3)
YES = Resolution("question-1", LATER, outcome="YES", version=0)


class Server:
    """What a server keeps in its database."""

    def __init__(self, store: SqlPredictionStore) -> None:
        self.store = store
        self.outcomes = SqlOutcomeStore(store.database, store.trail)
        self.experiments = SqlExperimentStore(store.database, store.trail)
        self._eraser = Eraser(store.database, store.trail)

    async def erase(self) -> int:
        return await self._eraser.erase("admin", "asked for", question_id="question-1")

    async def record_outcome(self) -> int:
        (result,) = await self.outcomes.record([YES], LATER)
        return result.scored

    async def decide(self, standing: Standing, present: Standing | None = None) -> None:
        await self.experiments.decide("pools", standing, "admin", lambda found: present in (None, found))


@pytest.fixture
async def servers(postgres_settings: StorageSettings) -> AsyncIterator[list[Server]]:
    opened = [Server(await open_store(postgres_settings)) for _ in range(2)]
    for number in range(2):
        await opened[0].store.save(record(f"p-{number}"))
    yield opened
    report = await opened[0].store.database.read(partial(verify, trusted=[]))
    assert report.findings == []
    for each in opened:
        await each.store.close()


async def test_the_same_requests_in_another_order_are_conflicts_and_no_deadlock(
    servers: list[Server],
) -> None:
    one, other = servers
    await one.store.save(record("p-again", request_id="0"))  # what is there already has each saved alone

    async def save(server: Server, *request_ids: str) -> list[type]:
        records = [record(request_id=each) for each in request_ids]
        results = await asyncio.gather(*map(server.store.save, records), return_exceptions=True)
        return [type(each) for each in results]

    interruption = Interruption(
        one.store.database, lambda: save(other, "0", "2", "1"), "INSERT INTO predictions", at=4
    )
    assert await save(one, "0", "1", "2") == [ConflictError, type(None), type(None)]
    assert await interruption.result() == [ConflictError] * 3


@pytest.mark.parametrize("before", ["DELETE", "INSERT"])
async def test_snapshots_are_kept_at_the_same_moment(servers: list[Server], before: str) -> None:
    one, other = servers
    await one.outcomes.keep("1/x", 1, 1, b"old")
    interruption = Interruption(
        one.store.database, lambda: other.outcomes.keep("1/x", 2, 2, b"other"), before
    )
    await one.outcomes.keep("1/x", 3, 3, b"own")
    await interruption.result()
    assert await one.outcomes.load("1/x") == (2, 2, b"other")


@pytest.mark.parametrize("before", ["FROM predictions", "INSERT INTO forecast_scores"])
async def test_what_is_being_scored_is_erased_after_that(servers: list[Server], before: str) -> None:
    one, other = servers
    interruption = Interruption(one.store.database, other.erase, before)
    assert await one.record_outcome() == 20
    assert await interruption.result() == 2


@pytest.mark.parametrize("before", ["FROM predictions", "DELETE", "INSERT INTO audit_entries"])
async def test_what_is_being_erased_is_not_scored(servers: list[Server], before: str) -> None:
    one, other = servers
    interruption = Interruption(one.store.database, other.record_outcome, before)
    assert await one.erase() == 2
    assert await interruption.result() == 0


@pytest.mark.parametrize("before", ["FROM predictions", "DELETE", "INSERT INTO audit_entries"])
async def test_what_two_servers_erase_is_erased_once(servers: list[Server], before: str) -> None:
    one, other = servers
    interruption = Interruption(one.store.database, other.erase, before)
    assert await one.erase() + await interruption.result() == 2


@pytest.mark.parametrize("before", ["FROM experiment_states", "INSERT"])
@pytest.mark.parametrize("decided", [True, False])
async def test_of_two_decisions_the_later_holds(servers: list[Server], decided: bool, before: str) -> None:
    one, other = servers
    if decided:
        await one.decide(Standing())
    interruption = Interruption(one.store.database, lambda: other.decide(Standing(State.ROLLED_BACK)), before)
    await one.decide(Standing(State.PROMOTED, "linear"))
    await interruption.result()
    assert await one.experiments.standings() == {"pools": Standing(State.ROLLED_BACK)}


async def test_of_two_decisions_about_the_same_one_is_refused(servers: list[Server]) -> None:
    one, other = servers
    interruption = Interruption(
        one.store.database, lambda: other.decide(Standing(State.ROLLED_BACK), Standing()), "DELETE"
    )
    await one.decide(Standing(State.PROMOTED, "linear"), Standing())
    with pytest.raises(ConflictError, match="somebody else"):
        await interruption.result()
    assert await one.experiments.standings() == {"pools": Standing(State.PROMOTED, "linear")}
