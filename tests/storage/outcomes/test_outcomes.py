# SPDX-License-Identifier: Apache-2.0
import asyncio
import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, text

from server.forecasting.errors import RecordError
from server.forecasting.forecast import Forecast
from server.forecasting.outcomes import truth
from server.forecasting.prediction import MemberAnswer, PredictionRecord
from server.forecasting.question import Exclusive, FreeText, Numeric, Question, QuestionKind, Resolution
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore
from tests.storage.conftest import Opener
from tests.storage.samples import NOON, record

LATER = NOON + timedelta(days=3)


@pytest.fixture
def outcomes(store: SqlPredictionStore) -> SqlOutcomeStore:
    return SqlOutcomeStore(store.database, store.trail)


@pytest.fixture
async def another(opener: Opener, settings: StorageSettings, store: SqlPredictionStore) -> SqlOutcomeStore:
    """The same database through connections of their own, as another process has."""
    opened = await opener(settings)
    return SqlOutcomeStore(opened.database, opened.trail)


def yes(question_id: str = "question-1", **changes: Any) -> Resolution:
    return replace(Resolution(question_id, LATER, outcome="YES", version=0), **changes)


def fraction(share: float, **changes: Any) -> Resolution:
    return yes(outcome=None, fraction=share, **changes)


def answers(kind: QuestionKind, *forecasts: Forecast, question_id: str = "question-1") -> PredictionRecord:
    """A record of another kind of question."""
    stored = record("p-1", question_id=question_id)
    members = tuple(MemberAnswer(f"member-{i}", each, 1.0) for i, each in enumerate(forecasts))
    question = replace(stored.question, kind=kind)
    names = kind.outcomes if isinstance(kind, Exclusive) else ("A", "B")
    prediction = replace(stored.prediction, members=members, outcomes=names)
    return replace(stored, question=question, prediction=prediction)


async def scores(store: SqlPredictionStore) -> list[tuple[Any, ...]]:
    def read(connection: Connection) -> list[tuple[Any, ...]]:
        sql = "SELECT position, version, brier, log_score, correct FROM forecast_scores ORDER BY 2, 1"
        return [tuple(row) for row in connection.execute(text(sql))]

    return await store.database.read(read)


async def test_each_stored_forecast_is_scored_once(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    stored = record("p-1")
    await store.save(stored)
    (first,) = await outcomes.record([yes()], LATER)
    assert (first.version, first.scored, first.changed) == (1, 10, True)
    (again,) = await outcomes.record([yes()], LATER)
    assert (again.version, again.scored, again.changed) == (1, 0, False)
    found = await scores(store)
    said = {i: m.forecast.probabilities[0] for i, m in enumerate(stored.prediction.members) if m.forecast}
    assert {row[0]: row[2] for row in found} == pytest.approx({i: (1 - p) ** 2 for i, p in said.items()})
    assert {row[0]: row[3] for row in found} == pytest.approx({i: -math.log(p) for i, p in said.items()})


async def test_what_is_stored_later_is_scored_when_the_outcome_comes_again(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    await store.save(record("p-1"))
    await outcomes.record([yes()], LATER)
    await store.save(record("p-2", after=timedelta(hours=1)))
    (again,) = await outcomes.record([yes()], LATER)
    assert (again.scored, again.changed) == (10, False)


async def test_hindsight_is_not_scored(store: SqlPredictionStore, outcomes: SqlOutcomeStore) -> None:
    await store.save(record("p-1", after=timedelta(days=4)))
    await store.save(record("p-2"))
    (result,) = await outcomes.record([yes()], LATER)
    assert result.scored == 10


async def test_a_correction_scores_again_and_keeps_the_old_scores(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    await store.save(record("p-1"))
    await outcomes.record([yes()], LATER)
    (corrected,) = await outcomes.record([yes(outcome="NO")], LATER)
    assert (corrected.version, corrected.scored, corrected.changed) == (2, 10, True)
    assert {row[1] for row in await scores(store)} == {1, 2}
    (in_force,) = await outcomes.outcomes()
    assert (in_force.version, in_force.sequence, in_force.resolution.outcome) == (2, 2, "NO")


async def test_fractions_annulments_and_retractions(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    await store.save(record("p-1"))
    (part,) = await outcomes.record([fraction(0.25)], LATER)
    (annulled,) = await outcomes.record([yes(outcome=None, annulled=True)], LATER)
    (restored,) = await outcomes.record([yes()], LATER)
    (retracted,) = await outcomes.record([yes(outcome=None, retracted=True)], LATER)
    each = [(one.version, one.scored) for one in (part, annulled, restored, retracted)]
    assert each == [(1, 10), (2, 0), (3, 10), (4, 0)]
    (last,) = await outcomes.outcomes(after=3)
    (case,) = await outcomes.judged(["question-1"])
    assert truth(case, last.resolution) is None


async def test_what_cannot_be_is_refused_and_the_rest_is_kept(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    await store.save(record("p-1"))
    await outcomes.record([yes(version=5)], LATER)
    stale, nothing, fine = await outcomes.record(
        [yes(outcome="NO", version=5), yes("other", outcome=None, retracted=True), yes("third")], LATER
    )
    assert "version 5 is in force" in stale.error
    assert stale.version == 5
    assert "no earlier outcome" in nothing.error
    assert (fine.version, fine.error) == (1, "")


async def test_a_name_that_is_no_outcome_scores_nobody(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    await store.save(record("p-1"))
    (result,) = await outcomes.record([yes(outcome="MAYBE")], LATER)
    assert result.scored == 0


async def test_later_knowledge_of_the_same_says_nothing_new(outcomes: SqlOutcomeStore) -> None:
    await outcomes.record([yes()], LATER)
    (later,) = await outcomes.record([yes(known_time=LATER + timedelta(days=1))], LATER)
    (earlier,) = await outcomes.record([yes(known_time=LATER - timedelta(days=1))], LATER)
    assert (later.version, later.changed) == (1, False)
    assert (earlier.version, earlier.changed) == (2, True)


async def test_two_processes_score_each_forecast_once(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore, another: SqlOutcomeStore
) -> None:
    names = [f"question-{i}" for i in range(20)]
    for name in names:
        await store.save(record(f"p-{name}", question_id=name))
    news = [yes(name) for name in names]
    both = await asyncio.gather(*(each.record([one], LATER) for one in news for each in (outcomes, another)))
    assert sum(result.scored for (result,) in both) == 200
    assert sum(result.changed for (result,) in both) == 20
    assert await another.last_sequence() == 20
    assert [one.sequence for one in await outcomes.outcomes()] == list(range(1, 21))


async def test_exclusive_outcomes(store: SqlPredictionStore, outcomes: SqlOutcomeStore) -> None:
    kind = Exclusive(("A", "B", "C"))
    await store.save(answers(kind, Forecast((0.2, 0.5, 0.3)), Forecast((0.4, 0.4, 0.2))))
    (result,) = await outcomes.record([yes(outcome="B")], LATER)
    assert result.scored == 2
    found = await scores(store)
    assert found[0][2] == pytest.approx(0.5 * (0.04 + 0.25 + 0.09))
    assert [row[4] for row in found] == [1.0, 0.5]


async def test_numbers(store: SqlPredictionStore, outcomes: SqlOutcomeStore) -> None:
    await store.save(answers(Numeric((0.0, 10.0, 20.0)), Forecast((0.1, 0.5, 0.9))))
    await outcomes.record([yes(outcome=None, value=10.0)], LATER)
    ((_, _, brier, _, _),) = await scores(store)
    assert brier == pytest.approx(((0.1 - 0) ** 2 + (0.5 - 1) ** 2 + (0.9 - 1) ** 2) / 3)


async def test_words(store: SqlPredictionStore, outcomes: SqlOutcomeStore) -> None:
    said = (Forecast((), text=" Paris ", self_confidence=0.8), Forecast((), text="Rome"))
    await store.save(answers(FreeText(), *said))
    (result,) = await outcomes.record([yes(outcome="paris")], LATER)
    assert result.scored == 2
    assert [row[2] for row in await scores(store)] == pytest.approx([0.04, 1.0], abs=1e-5)


async def test_cases_are_what_was_stored(store: SqlPredictionStore, outcomes: SqlOutcomeStore) -> None:
    stored = record("p-1")
    await store.save(stored)
    (case,) = await outcomes.judged(["question-1"])
    members = stored.prediction.members
    assert case.members == tuple(member.member for member in members)
    for row, member in zip(case.probabilities, members, strict=True):
        said = member.forecast.probabilities if member.forecast else (math.nan, math.nan)
        np.testing.assert_array_equal(row, said)
    assert case.outcomes == ("YES", "NO")
    assert case.raw.tolist() == [1 / 3, 2 / 3]
    assert [name for name, _ in await outcomes.ids_since(0)] == ["p-1"]
    assert [each.prediction_id for each in await outcomes.answered(["p-1", "nobody"])] == ["p-1"]


async def test_a_question_asked_as_of_the_past_is_judged_by_then(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    stored = record("p-1", after=timedelta(days=30))
    question: Question = replace(stored.question, as_of_time=NOON)
    await store.save(replace(stored, question=question))
    (result,) = await outcomes.record([yes()], LATER)
    assert result.scored == 10


async def test_snapshots_replace_each_other(outcomes: SqlOutcomeStore) -> None:
    assert await outcomes.load("1/x") is None
    await outcomes.keep("1/x", 3, 4, b"state")
    await outcomes.keep("1/y", 5, 6, b"newer")
    assert await outcomes.load("1/x") is None
    assert await outcomes.load("1/y") == (5, 6, b"newer")


async def test_a_database_that_cannot_be_written_says_so(
    store: SqlPredictionStore, outcomes: SqlOutcomeStore
) -> None:
    def drop(connection: Connection) -> None:
        with connection.begin():
            connection.execute(text("DROP TABLE outcomes"))

    await store.database.write(drop)
    with pytest.raises(RecordError, match="not on disk"):
        await outcomes.record([yes()], LATER)


@pytest.mark.parametrize(
    ("kind", "forecast", "given", "mend"),
    [
        (None, None, {"outcome": "yes"}, "an outcome of YES, NO, or a fraction"),
        (None, None, {"outcome": None, "value": 1.0}, "an outcome of YES, NO, or a fraction"),
        (Exclusive(("A", "B", "C")), Forecast((0.2, 0.3, 0.5)), {"outcome": "D"}, "an outcome of A, B, C"),
        (
            Exclusive(("A", "B", "C")),
            Forecast((0.2, 0.3, 0.5)),
            {"outcome": None, "fraction": 0.5},
            "A, B, C",
        ),
        (Numeric((1.0, 2.0)), Forecast((0.2, 0.9)), {"outcome": "YES"}, "give a value"),
    ],
)
async def test_what_cannot_be_the_result_is_refused_and_replaces_nothing(
    store: SqlPredictionStore,
    outcomes: SqlOutcomeStore,
    kind: QuestionKind | None,
    forecast: Forecast | None,
    given: dict[str, Any],
    mend: str,
) -> None:
    await store.save(record("p-1") if kind is None or forecast is None else answers(kind, forecast))
    (refused,) = await outcomes.record([yes(**given)], LATER)
    assert (refused.version, refused.changed) == (0, False)
    assert mend in refused.error
    assert await outcomes.outcomes() == []
    (withdrawn,) = await outcomes.record([yes(outcome=None, annulled=True)], LATER)
    assert withdrawn.version == 1


async def test_the_result_of_what_nobody_asked_is_taken(outcomes: SqlOutcomeStore) -> None:
    (recorded,) = await outcomes.record([yes(outcome="anything")], LATER)
    assert recorded.version == 1
