# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from server.recordings.errors import RecordingError
from server.recordings.parquet import FORECAST_SCHEMA, QUESTION_SCHEMA, read_tables
from tests.recordings.recorded_data import forecast_row, question_row, write


def test_a_small_table(tmp_path: Path) -> None:
    rows = [
        forecast_row(),
        forecast_row(model="elm", prob=0.5),
        forecast_row(resolution_date="2025-12-01", outcome=1),
    ]
    rows[2]["unit_id"] = rows[2]["unit_id"].replace("metaculus:7", "metaculus:8")
    rows[2]["question_id"] = "metaculus:8"
    tables = read_tables(write(tmp_path, rows, [question_row()]))
    assert tables.units.id == ("metaculus-7-20251026", "metaculus-8-20251026")
    assert tables.units.answers.tolist() == [2, 1]
    assert tables.models.name == ("elm", "oak")
    assert tables.models.starts.tolist() == [0, 1, 3]
    assert tables.answers.probability.tolist() == [0.5, 0.25, 0.25]
    assert tables.answers.unit.tolist() == [0, 0, 1]
    assert tables.answers.conditions == ("asked live, web search, no market price shown",)


def test_answers_that_the_source_filled_in_are_not_answers(tmp_path: Path) -> None:
    tables = read_tables(
        write(tmp_path, [forecast_row(), forecast_row(model="elm", imputed=True)], [question_row()])
    )
    assert tables.models.name == ("oak",)
    assert tables.units.answers.tolist() == [1]


def test_a_unit_that_nobody_answered_is_still_a_unit(tmp_path: Path) -> None:
    tables = read_tables(write(tmp_path, [forecast_row(imputed=True)], [question_row()]))
    assert tables.units.answers.tolist() == [0]
    assert tables.models.name == ()


@pytest.mark.parametrize("column", sorted(FORECAST_SCHEMA))
def test_a_missing_column_of_the_forecasts_is_named(tmp_path: Path, column: str) -> None:
    write(tmp_path, [forecast_row()], [question_row()])
    _rewrite(tmp_path / "forecasts.parquet", lambda table: table.drop(column))
    _refuses(tmp_path, "forecasts.parquet", column, "is missing")


@pytest.mark.parametrize("column", sorted(QUESTION_SCHEMA))
def test_a_missing_column_of_the_questions_is_named(tmp_path: Path, column: str) -> None:
    write(tmp_path, [forecast_row()], [question_row()])
    _rewrite(tmp_path / "questions.parquet", lambda table: table.drop(column))
    _refuses(tmp_path, "questions.parquet", column, "is missing")


@pytest.mark.parametrize(
    ("column", "dtype"),
    [("prob", pl.String), ("model", pl.Int64), ("imputed", pl.Int8), ("outcome", pl.String)],
)
def test_a_column_of_another_type_is_named(tmp_path: Path, column: str, dtype: pl.DataType) -> None:
    write(tmp_path, [forecast_row(model="1")], [question_row()])
    _rewrite(tmp_path / "forecasts.parquet", lambda table: table.cast({column: dtype}))
    _refuses(tmp_path, "forecasts.parquet", column, "wanted:")


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("prob", 1.5, "must be 0 to 1"),
        ("prob", -0.1, "must be 0 to 1"),
        ("prob", float("nan"), "must be 0 to 1"),
        ("prob", None, "is empty"),
        ("model", None, "is empty"),
        ("outcome", 2, "must be 0 or 1"),
        ("outcome", 0.5, "must be 0 or 1"),
        ("market_prob", 7.0, "must be 0 to 1"),
        ("market_prob_on_due_date", -1.0, "must be 0 to 1"),
        ("forecast_due_date", "26.10.2025", "YYYY-MM-DD"),
        ("resolution_date", "2025-13-01", "YYYY-MM-DD"),
        ("market_prob_date", "soon", "YYYY-MM-DD"),
        ("resolution_date", "2025-10-01", "must not be before"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_column(
    tmp_path: Path, column: str, value: Any, problem: str
) -> None:
    rows = [forecast_row(question_id="metaculus:8"), forecast_row(**{column: value})]
    write(tmp_path, rows, [question_row()])
    _refuses(tmp_path, "forecasts.parquet", column, problem)


def test_two_answers_of_one_model_to_one_question(tmp_path: Path) -> None:
    write(tmp_path, [forecast_row(), forecast_row(prob=0.5)], [question_row()])
    _refuses(tmp_path, "forecasts.parquet", "model", "once for each unit_id")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("outcome", 0),
        ("market_prob_on_due_date", 0.1),
        ("market_prob", None),
        ("question_id", "metaculus:8"),
        ("resolution_date", "2025-12-01"),
    ],
)
def test_rows_of_one_question_that_disagree(tmp_path: Path, column: str, value: Any) -> None:
    rows = [forecast_row(), {**forecast_row(model="elm"), column: value}]
    write(tmp_path, rows, [question_row()])
    _refuses(tmp_path, "forecasts.parquet", column, "the same in all rows")


def test_two_questions_with_one_id(tmp_path: Path) -> None:
    rows = [forecast_row(question_id="metaculus:a-b"), forecast_row(question_id="metaculus:a.b")]
    write(tmp_path, rows, [question_row()])
    _refuses(tmp_path, "forecasts.parquet", "unit_id", "the same id 'metaculus-a-b-20251026'")


def test_a_question_that_is_there_twice(tmp_path: Path) -> None:
    write(tmp_path, [forecast_row()], [question_row(), question_row(url="")])
    _refuses(tmp_path, "questions.parquet", "question_id", "must be unique")


@pytest.mark.parametrize("name", ["forecasts.parquet", "questions.parquet"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    write(tmp_path, [forecast_row()], [question_row()])
    (tmp_path / name).unlink()
    _refuses(tmp_path, name, "", "no such file")


@pytest.mark.parametrize("name", ["forecasts.parquet", "questions.parquet"])
def test_a_file_of_another_kind(tmp_path: Path, name: str) -> None:
    write(tmp_path, [forecast_row()], [question_row()])
    (tmp_path / name).write_text("unit_id,prob\n")
    _refuses(tmp_path, name, "", "not a readable Parquet file")


def _rewrite(path: Path, change: Any) -> None:
    change(pl.read_parquet(path)).write_parquet(path)


def _refuses(folder: Path, file: str, column: str, problem: str) -> None:
    with pytest.raises(RecordingError, match=problem) as caught:
        read_tables(folder)
    assert str(folder / file) in str(caught.value)
    assert caught.value.column == column
    assert not column or f"'{column}'" in str(caught.value)
