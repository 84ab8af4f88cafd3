# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.ports import Forecaster, Identity
from server.forecasting.query import Query
from server.forecasting.question import Exclusive, Question
from server.recordings.library import RecordingLibrary
from server.recordings.settings import RecordedSettings
from tests.patience import LoopClock
from tests.recordings.recorded_data import expected_id, forecast_row, library_of, sample_library, sample_rows

QUICKSTART = (
    "sonnet-high-brave-c0-t1",
    "sonnet-high-none-c0-t0",
    "gpt5-high-brave-c0-t1",
    "gpt5-high-none-c0-t0",
    "pro-high-brave-c0-t1",
    "pro-high-none-c0-t0",
    "flash-high-brave-c0-t1",
    "flash-high-none-c0-t0",
    "kimi-k2.5-high-brave-c0-t1",
    "kimi-k2.5-high-none-c0-t0",
    "kimi-k2t-high-brave-c0-t1",
    "fbpub:xai-1",
)


async def ask(library: RecordingLibrary, model: str, question: Question) -> Answer:
    forecaster: Forecaster = library.forecaster(RecordedSettings(model=model))
    answer = await forecaster.forecast(Query(question), Deadline.after(1, LoopClock()))
    await forecaster.close()
    return answer


def first(library: RecordingLibrary, questions: Sequence[str] = ()) -> Question:
    found = library.catalogue.get(questions[0]) if questions else library.catalogue.list()[0]
    assert found is not None
    return found


@pytest.mark.parametrize("model", [*QUICKSTART, "pro-high-brave-c1-t1", "fbpub:cassi-ai-2"])
async def test_every_answer_in_the_sample_is_given_as_it_was(model: str) -> None:
    library = sample_library()
    said = {
        expected_id(row): row["prob"] for row in sample_rows() if row["model"] == model and not row["imputed"]
    }
    given = {}
    for question in library.catalogue.list():
        answer = await ask(library, model, question)
        if isinstance(answer, Absent):
            assert answer.reason is AbsentReason.NOT_APPLICABLE
        else:
            given[question.id] = answer.probabilities[0]
            assert answer.probabilities[1] == 1.0 - answer.probabilities[0]
    assert given == said


async def test_one_answer_in_full(tmp_path: Path) -> None:
    library = library_of(tmp_path, [forecast_row()])
    assert await ask(library, "oak", first(library)) == Forecast(
        probabilities=(0.25, 0.75),
        rationale="recorded for 2025-10-26: asked live, web search, no market price shown, mean of 5 samples",
        model="oak",
        recorded=True,
    )


async def test_the_right_row_for_each_question_and_model(tmp_path: Path) -> None:
    rows = [
        forecast_row(model=model, question_id=f"metaculus:{number}", prob=number / 10 + shift)
        for number in range(1, 9)
        for model, shift in (("oak", 0.01), ("elm", 0.02), ("ash", 0.03))
        if (number, model) != (3, "elm")
    ]
    library = library_of(tmp_path, rows)
    for row in rows:
        question = first(library, [f"metaculus-{row['question_id'].split(':')[1]}-20251026"])
        answer = await ask(library, row["model"], question)
        assert isinstance(answer, Forecast)
        assert answer.probabilities[0] == row["prob"]
    absent = await ask(library, "elm", first(library, ["metaculus-3-20251026"]))
    assert absent == Absent(AbsentReason.NOT_APPLICABLE, "elm was not recorded on this question")


async def test_a_question_that_nobody_recorded(tmp_path: Path) -> None:
    answer = await ask(library_of(tmp_path, [forecast_row()]), "oak", Question("mine", text="Will it snow?"))
    assert answer == Absent(AbsentReason.NOT_APPLICABLE, "oak was not recorded on this question")


async def test_nothing_is_told_before_it_was_said(tmp_path: Path) -> None:
    library = library_of(tmp_path, [forecast_row()])
    question = first(library)
    said = datetime(2025, 10, 26, tzinfo=UTC)
    for as_of in (said - timedelta(microseconds=1), said - timedelta(days=400)):
        answer = await ask(library, "oak", replace(question, as_of_time=as_of))
        assert answer == Absent(
            AbsentReason.NOT_APPLICABLE, "oak answered as of 2025-10-26, after the time asked for"
        )
    for later in (said, said + timedelta(days=400), None):
        assert isinstance(await ask(library, "oak", replace(question, as_of_time=later)), Forecast)


async def test_another_kind_of_question_under_the_same_id(tmp_path: Path) -> None:
    library = library_of(tmp_path, [forecast_row()])
    answer = await ask(library, "oak", replace(first(library), kind=Exclusive(("a", "b", "c"))))
    assert answer == Absent(AbsentReason.NOT_APPLICABLE, "recorded answers are for the outcomes YES and NO")


async def test_the_outcome_plays_no_part(tmp_path: Path) -> None:
    answers = []
    for outcome, resolved in ((0, "2025-11-04"), (1, "2025-11-04"), (1, "2025-12-30")):
        library = library_of(tmp_path, [forecast_row(outcome=outcome, resolution_date=resolved)])
        answers.append(await ask(library, "oak", replace(first(library), resolution=None)))
    assert answers[0] == answers[1] == answers[2]


async def test_an_answer_that_the_source_filled_in_is_absent(tmp_path: Path) -> None:
    library = library_of(
        tmp_path, [forecast_row(imputed=True), forecast_row(model="oak", question_id="metaculus:8")]
    )
    answer = await ask(library, "oak", first(library, ["metaculus-7-20251026"]))
    assert isinstance(answer, Absent)


def test_who_it_is(tmp_path: Path) -> None:
    library = library_of(tmp_path, [forecast_row()])
    assert library.forecaster(RecordedSettings(model="oak")).identity == Identity(
        "recorded", "forest", "oak-1"
    )


def test_the_quickstart_members_answered_every_question_it_lists() -> None:
    library = sample_library()
    counts = {model.name: model for model in library.models}
    assert len(counts) == 44
    assert min(counts[model].answers for model in QUICKSTART) >= 373
    assert {counts[model].provider for model in QUICKSTART} == {
        "anthropic",
        "openai",
        "google",
        "moonshot",
        "xai",
    }
