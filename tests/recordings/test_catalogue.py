# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.forecasting.ports import QuestionCatalogue
from server.forecasting.question import Question
from server.recordings.library import RecordingLibrary
from server.recordings.settings import RecordingsSettings
from tests.recordings.recorded_data import (
    DATA,
    expected_id,
    forecast_row,
    library_of,
    needs_data,
    question_row,
    sample_library,
    sample_questions,
    sample_rows,
)

NO_TEXT = "(its text was not recorded)"


def only(
    folder: Path, row: dict[str, Any], question: dict[str, Any] | None = None, **settings: Any
) -> Question:
    (found,) = library_of(folder, [row], [question or question_row()], **settings).catalogue.list()
    return found


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_it_is_what_the_engine_asks_for() -> None:
    catalogue: QuestionCatalogue = sample_library().catalogue
    assert catalogue.get("there is none") is None


def test_every_question_of_the_sample_says_what_its_rows_say() -> None:
    catalogue = sample_library().catalogue
    units = {expected_id(row): row for row in sample_rows()}
    assert [question.id for question in catalogue.list()] == sorted(units)
    for name, row in units.items():
        found = catalogue.get(name)
        assert found is not None
        _check(found, row, sample_questions()[row["question_id"]])


def _check(found: Question, row: dict[str, Any], known: dict[str, Any]) -> None:
    assert found.source == row["source"]
    assert found.url == (known["url"] or "")
    assert found.category == (known["category"] or row["category"] or "")
    assert found.as_of_time == day(row["forecast_due_date"])
    assert found.market_probability == row["market_prob_on_due_date"]
    assert found.market_time == (found.as_of_time if found.market_probability is not None else None)
    assert found.resolution is not None
    assert found.resolution.question_id == found.id
    assert found.resolution.outcome == ("YES" if row["outcome"] == 1 else "NO")
    assert found.resolution.event_time == day(row["resolution_date"])
    assert found.resolution.known_time == day(row["resolution_date"]) + timedelta(days=1)
    assert "{" not in found.text
    assert (NO_TEXT in found.text) == (known["question"] is None)
    expected = row["resolution_date"] if row["question_type"] == "dataset" else known["close_date"]
    assert found.resolve_time == (day(expected) if expected else None)


def test_the_quickstart_lists_the_questions_that_many_answered(tmp_path: Path) -> None:
    counts: dict[str, int] = {}
    for row in sample_rows():
        counts[row["unit_id"]] = counts.get(row["unit_id"], 0) + (not row["imputed"])
    assert sum(count >= 11 for count in counts.values()) == 373
    rows = [forecast_row(), forecast_row(model="elm"), forecast_row(question_id="metaculus:8")]
    catalogue = library_of(tmp_path, rows, min_forecasters=2).catalogue
    assert [question.id for question in catalogue.list()] == ["metaculus-7-20251026"]
    assert len(catalogue) == 1
    assert catalogue.get("metaculus-8-20251026") is not None


def test_dates_take_their_places_in_the_text(tmp_path: Path) -> None:
    texts = {
        "Rain by {resolution_date}?": "Rain by 2025-11-04?",
        "More on {resolution_date} than on {forecast_due_date}?": "More on 2025-11-04 than on 2025-10-26?",
        "In the days before each resolution date listed below?": "In the days before 2025-11-04?",
        "Plain?": "Plain?",
    }
    for text, expected in texts.items():
        assert only(tmp_path, forecast_row(), question_row(question=text)).text == expected


def test_the_rest_of_a_text_belongs_to_the_criteria(tmp_path: Path) -> None:
    found = only(tmp_path, forecast_row())
    assert found.text == "Will it rain by 2025-11-04?"
    assert found.background == "It often rains."
    assert found.resolution_criteria == "Any amount counts.\n\nA gauge."


def test_without_long_texts(tmp_path: Path) -> None:
    short = question_row(question="Rain?")
    del short["background"], short["resolution_criteria"]
    found = only(tmp_path, forecast_row(), short)
    assert (found.text, found.background, found.resolution_criteria) == ("Rain?", "", "")


def test_a_question_without_a_text_is_named_by_its_key(tmp_path: Path) -> None:
    found = only(tmp_path, forecast_row(), question_row(question_id="metaculus:other"))
    assert found.text == f"metaculus:7 {NO_TEXT}"
    assert found.category == "Weather"


def test_the_older_price_is_taken_only_where_that_is_wanted(tmp_path: Path) -> None:
    row = forecast_row(market_prob_on_due_date=None)
    assert only(tmp_path, row).market_probability is None
    frozen = only(tmp_path, row, frozen_prices=True)
    assert (frozen.market_probability, frozen.market_time) == (0.5, day("2025-10-16"))
    both = only(tmp_path, forecast_row(), frozen_prices=True)
    assert (both.market_probability, both.market_time) == (0.75, day("2025-10-26"))
    none = only(tmp_path, forecast_row(market_prob_on_due_date=None, market_prob=None), frozen_prices=True)
    assert (none.market_probability, none.market_time) == (None, None)


@pytest.mark.parametrize(
    ("kind", "close_date", "expected"),
    [
        ("market", "2025-12-31", "2025-12-31"),
        ("market", None, None),
        ("tournament", "2025-12-31", "2025-12-31"),
        ("dataset", None, "2025-11-04"),
        ("sports", None, "2025-11-04"),
    ],
)
def test_the_date_on_which_it_happened_is_not_told_ahead(
    tmp_path: Path, kind: str, close_date: str | None, expected: str | None
) -> None:
    found = only(tmp_path, forecast_row(question_type=kind), question_row(close_date=close_date))
    assert found.resolve_time == (day(expected) if expected else None)


def test_what_happens_later_changes_nothing_but_the_resolution(tmp_path: Path) -> None:
    """An outcome and its date must not reach anything that a member is shown."""
    one = only(tmp_path, forecast_row(), question_row(question="Rain?"))
    other = only(
        tmp_path, forecast_row(outcome=0, resolution_date="2025-12-24"), question_row(question="Rain?")
    )
    assert one.resolution != other.resolution
    assert replace(one, resolution=None) == replace(other, resolution=None)


def test_an_open_question_has_no_resolution(tmp_path: Path) -> None:
    rows = [forecast_row(), forecast_row(question_id="metaculus:8", outcome=None)]
    catalogue = library_of(tmp_path, rows).catalogue
    found = catalogue.get("metaculus-8-20251026")
    assert found is not None
    assert found.resolution is None


def test_filters() -> None:
    catalogue = sample_library().catalogue
    everything = catalogue.list()
    assert [question.id for question in everything] == sorted(question.id for question in everything)
    weather = catalogue.list(category="weather & climate")
    assert weather == [question for question in everything if question.category == "Weather & Climate"]
    assert len(weather) > 1000
    bitcoin = catalogue.list(contains="BITCOIN")
    assert {question.id for question in bitcoin} >= {"polymarket-4zgncn-20251026"}
    assert all("bitcoin" in question.text.lower() for question in bitcoin)
    assert catalogue.list(contains="yfinance-aapl-2025")
    assert catalogue.list(category="no such category") == []
    assert catalogue.list(contains="no such thing") == []


@needs_data
def test_the_full_data_know_every_question_of_the_sample_by_the_same_id(tmp_path: Path) -> None:
    full = RecordingLibrary.open(RecordingsSettings(forecasts=DATA / "forecasts", cache=None)).catalogue
    for question in sample_library().catalogue.list():
        known = full.get(question.id)
        assert known is not None
        assert (known.text, known.resolution, known.market_probability) == (
            question.text,
            question.resolution,
            question.market_probability,
        )
