# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta
from functools import partial

import pytest

from server.forecasting.experiment import Standing, State
from server.forecasting.question import Resolution
from server.storage.audit.verify import verify
from server.storage.experiments.store import SqlExperimentStore
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore
from tests.storage.conftest import Opener
from tests.storage.samples import NOON, record, with_prediction


async def save(
    store: SqlPredictionStore, number: int, arm: str, said: float, experiment: str = "pools"
) -> None:
    base = record(f"p-{number}", question_id=f"q-{number}")
    drawn = with_prediction(
        base,
        experiment=experiment,
        arm=arm,
        probabilities=(said, 1 - said),
        raw_probabilities=(said, 1 - said),
    )
    await store.save(drawn)


async def test_observations_are_scored_in_the_order_of_their_outcomes(store: SqlPredictionStore) -> None:
    experiments = SqlExperimentStore(store.database, store.trail)
    for number, arm in enumerate(["control", "linear", "control", "linear"]):
        await save(store, number, arm, 0.2 + 0.1 * number)
    await save(store, 9, "", 0.5, experiment="")
    later = NOON + timedelta(days=1)
    resolutions = [
        Resolution("q-2", later + timedelta(hours=1), outcome="YES"),
        Resolution("q-0", later + timedelta(hours=2), outcome="NO"),
        Resolution("q-1", later + timedelta(hours=3), fraction=0.5),
        Resolution("q-3", later + timedelta(hours=4), annulled=True),
        Resolution("q-9", later + timedelta(hours=5), outcome="YES"),
    ]
    await SqlOutcomeStore(store.database, store.trail).record(resolutions, later + timedelta(days=1))
    found = await experiments.observations("pools")
    assert [(one.arm, one.question_id) for one in found] == [
        ("control", "q-2"),
        ("control", "q-0"),
        ("linear", "q-1"),
    ]
    assert [one.brier for one in found] == pytest.approx([0.36, 0.04, 0.04])
    assert await experiments.counts("pools") == {"control": 2, "linear": 2}
    assert await experiments.observations("others") == []


def anything(_: Standing) -> bool:
    return True


async def test_decisions_survive_and_are_in_the_audit_log(opener: Opener, settings: StorageSettings) -> None:
    first = await opener(settings)
    experiments = SqlExperimentStore(first.database, first.trail)
    await experiments.decide("pools", Standing(State.ROLLED_BACK), "bob", anything)
    await experiments.decide("pools", Standing(State.PROMOTED, "linear"), "alice", anything)
    await first.close()
    second = await opener(settings)
    again = SqlExperimentStore(second.database, second.trail)
    assert await again.standings() == {"pools": Standing(State.PROMOTED, "linear")}
    report = await second.database.read(partial(verify, trusted=[]))
    assert (report.findings, report.entries) == ([], 3)
