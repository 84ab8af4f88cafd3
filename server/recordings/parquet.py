# SPDX-License-Identifier: Apache-2.0
"""Read ``forecasts.parquet`` and ``questions.parquet``. The only file of this room that imports polars."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from server.recordings.errors import RecordingError
from server.recordings.files import source_files
from server.recordings.tables import UNKNOWN, Answers, Integers, Models, Questions, Tables, Units
from server.recordings.unit_ids import unit_id

_TEXT, _NUMBER, _FLAG = "text", "number", "true or false"
_KEYS = ("unit_id", "question_id", "source", "question_type", "forecast_due_date", "resolution_date", "model")
FORECAST_SCHEMA = {
    **dict.fromkeys(_KEYS, _TEXT),
    **dict.fromkeys(("category", "base_model", "provider", "kind", "market_prob_date"), _TEXT),
    **dict.fromkeys(("prob", "n_trials", "market_prob", "market_prob_on_due_date", "outcome"), _NUMBER),
    **dict.fromkeys(("search", "tools", "market_shown", "imputed"), _FLAG),
}
QUESTION_SCHEMA = dict.fromkeys(("question_id", "question", "url", "category", "close_date"), _TEXT)
#: Long texts, which shipped samples leave out.
OPTIONAL_TEXTS = ("background", "resolution_criteria")

_HOW = {
    "llm_live": "asked live",
    "llm_backtest": "asked later, sources cut at that date",
    "llm_deliberated": "revised after seeing its peers",
    "public_entry": "public entry",
    "human": "a person",
}
_CONDITIONS = ("kind", "search", "tools", "market_shown")
_DAYS = {
    "forecast_day": "forecast_due_date",
    "resolution_day": "resolution_date",
    "frozen_day": "market_prob_date",
}
_PER_UNIT = ("outcome", "market_prob", "market_prob_date", "market_prob_on_due_date")


def read_tables(folder: Path) -> Tables:
    """Both files of ``folder``, checked, as columns. Answers that the source filled in are left out.

    Raises:
        RecordingError: a file is missing or does not fit; names file and column.
    """
    path, questions_path = source_files(folder)
    forecasts = _dated(path, _read(path, FORECAST_SCHEMA))
    _check_forecasts(path, forecasts)
    said = forecasts.filter(~pl.col("imputed").fill_null(value=False))
    questions = _question_table(questions_path, forecasts)
    units = _unit_table(forecasts, said, questions)
    models = said.group_by("model").agg(pl.first("base_model", "provider"), pl.len()).sort("model")
    return Tables(
        _questions(questions),
        _units(path, units),
        _models(models),
        _answers(said, units, models),
    )


def _read(path: Path, schema: dict[str, str], optional: Sequence[str] = ()) -> pl.DataFrame:
    try:
        present = pl.read_parquet_schema(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RecordingError(path, "", f"not a readable Parquet file ({error})") from None
    for column, family in schema.items():
        _check_type(path, column, family, present)
    return pl.read_parquet(path, columns=[*schema, *(name for name in optional if name in present)])


def _check_type(path: Path, column: str, family: str, present: dict[str, pl.DataType]) -> None:
    if column not in present:
        raise RecordingError(path, column, f"is missing; wanted: {family}")
    dtype = present[column]
    fits = {_TEXT: dtype == pl.String, _NUMBER: dtype.is_numeric(), _FLAG: dtype == pl.Boolean}[family]
    if not fits and dtype != pl.Null:
        raise RecordingError(path, column, f"is {dtype}; wanted: {family}")


def _dated(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.Series(day, _days(path, table, column)) for day, column in _DAYS.items())


def _check_forecasts(path: Path, table: pl.DataFrame) -> None:
    for column in _KEYS:
        _refuse(path, column, table.filter(pl.col(column).is_null()), "is empty in")
    for column in ("prob", "market_prob", "market_prob_on_due_date"):
        _refuse(path, column, table.filter(~pl.col(column).is_between(0, 1)), "must be 0 to 1 in")
    _refuse(path, "prob", table.filter(pl.col("prob").is_null()), "is empty in")
    _refuse(path, "outcome", table.filter(~pl.col("outcome").is_between(0, 1)), "must be 0 or 1 in")
    _refuse(path, "outcome", table.filter(pl.col("outcome") % 1 != 0), "must be 0 or 1 in")
    twice = table.filter(pl.struct("unit_id", "model").is_duplicated())
    _refuse(path, "model", twice, "must occur once for each unit_id, but see")
    shared = (*_KEYS[1:-1], *_PER_UNIT)
    differing = table.group_by("unit_id").agg(pl.col(shared).n_unique())
    for column in shared:
        _refuse(path, column, differing.filter(pl.col(column) > 1), "must be the same in all rows of")
    early = table.filter(pl.col("resolution_day") < pl.col("forecast_day"))
    _refuse(path, "resolution_date", early, "must not be before forecast_due_date in")


def _refuse(path: Path, column: str, rows: pl.DataFrame, problem: str) -> None:
    if rows.height:
        raise RecordingError(
            path, column, f"{problem} unit_id {rows['unit_id'][0]!r} ({rows.height} rows in all)"
        )


def _question_table(path: Path, forecasts: pl.DataFrame) -> pl.DataFrame:
    """One row for each question of the forecasts, with what the questions' file knows of it."""
    known = _read(path, QUESTION_SCHEMA, OPTIONAL_TEXTS)
    twice = known.filter(pl.col("question_id").is_duplicated())
    if twice.height:
        raise RecordingError(path, "question_id", f"must be unique, but {twice['question_id'][0]!r} is not")
    missing = [pl.lit("").alias(name) for name in OPTIONAL_TEXTS if name not in known.columns]
    asked = forecasts.group_by("question_id").agg(
        pl.first("source", "question_type"), pl.col("category").drop_nulls().first().alias("tag")
    )
    joined = asked.join(known.with_columns(missing), on="question_id", how="left").sort("question_id")
    closing = _days(path, joined, "close_date")
    return joined.with_columns(
        pl.col("category").fill_null(pl.col("tag")).fill_null(""),
        pl.col("question", "url", *OPTIONAL_TEXTS).cast(pl.String).fill_null(""),
        pl.Series("close_day", closing),
    ).with_row_index("question_index")


def _unit_table(forecasts: pl.DataFrame, said: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    keys = ("question_id", "source", "question_type", "forecast_due_date")
    counts = said.group_by("unit_id").agg(pl.len().alias("answers"))
    units = (
        forecasts.group_by("unit_id")
        .agg(pl.first(*keys, *_DAYS, *_PER_UNIT))
        .join(counts, on="unit_id", how="left")
        .join(questions.select("question_id", "question_index"), on="question_id")
    )
    return units.with_columns(pl.Series("id", _ids(units))).sort("id", "unit_id").with_row_index("unit")


def _ids(units: pl.DataFrame) -> list[str]:
    columns = units.select(
        "source",
        "question_id",
        "question_type",
        "forecast_due_date",
        pl.col("resolution_day") - pl.col("forecast_day"),
    )
    return [
        unit_id(source=source, question_id=key, question_type=kind, forecast_day=day, horizon_days=horizon)
        for source, key, kind, day, horizon in columns.iter_rows()
    ]


def _days(path: Path, table: pl.DataFrame, column: str) -> Integers:
    """ISO dates as days since 1970-01-01, UNKNOWN where there is none."""
    text = table[column].cast(pl.String)
    dates = text.str.to_date("%Y-%m-%d", strict=False)
    wrong = text.filter(dates.is_null() & text.is_not_null())
    if len(wrong):
        raise RecordingError(path, column, f"wants dates as YYYY-MM-DD, but holds {wrong[0]!r}")
    return _integers(dates.to_physical())


def _integers(column: pl.Series) -> Integers:
    return column.cast(pl.Int64).fill_null(UNKNOWN).to_numpy().astype(np.int64)


def _floats(column: pl.Series) -> Any:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)


def _strings(column: pl.Series) -> tuple[str, ...]:
    return tuple(column.cast(pl.String).fill_null("").to_list())


def _questions(table: pl.DataFrame) -> Questions:
    return Questions(
        question_id=_strings(table["question_id"]),
        source=_strings(table["source"]),
        kind=_strings(table["question_type"]),
        category=_strings(table["category"]),
        text=_strings(table["question"]),
        background=_strings(table["background"]),
        resolution_criteria=_strings(table["resolution_criteria"]),
        url=_strings(table["url"]),
        close_day=_integers(table["close_day"]),
    )


def _units(path: Path, table: pl.DataFrame) -> Units:
    clash = table.filter(pl.col("id").is_duplicated())
    if clash.height:
        first, second = clash["unit_id"][:2]
        raise RecordingError(
            path, "unit_id", f"{first!r} and {second!r} get the same id {clash['id'][0]!r}; drop one"
        )
    return Units(
        id=_strings(table["id"]),
        question=_integers(table["question_index"]),
        forecast_day=_integers(table["forecast_day"]),
        resolution_day=_integers(table["resolution_day"]),
        outcome=_integers(table["outcome"]),
        price=_floats(table["market_prob_on_due_date"]),
        frozen_price=_floats(table["market_prob"]),
        frozen_day=_integers(table["frozen_day"]),
        answers=_integers(table["answers"].fill_null(0)),
    )


def _models(table: pl.DataFrame) -> Models:
    starts = np.concatenate([[0], np.cumsum(_integers(table["len"]))]).astype(np.int64)
    return Models(
        name=_strings(table["model"]),
        base_model=_strings(table["base_model"]),
        provider=_strings(table["provider"]),
        starts=starts,
    )


def _answers(said: pl.DataFrame, units: pl.DataFrame, models: pl.DataFrame) -> Answers:
    conditions = said.select(_CONDITIONS).unique().sort(_CONDITIONS).with_row_index("condition")
    rows = (
        said.join(units.select("unit_id", "unit"), on="unit_id")
        .join(models.select("model").with_row_index("model_index"), on="model")
        .join(conditions, on=_CONDITIONS, nulls_equal=True)
        .sort("model_index", "unit")
    )
    return Answers(
        unit=_integers(rows["unit"]),
        probability=_floats(rows["prob"]),
        trials=_integers(rows["n_trials"].fill_null(0)),
        condition=_integers(rows["condition"]),
        conditions=tuple(_condition(*row) for row in conditions.select(_CONDITIONS).iter_rows()),
    )


def _condition(kind: str | None, search: bool | None, tools: bool | None, market_shown: bool | None) -> str:
    """One line on how an answer came about, for people."""
    facts = {
        "web search": search,
        "data tools": tools,
        "market price shown": market_shown,
    }
    said = [_HOW.get(kind or "", kind or "how is not known")]
    said += [name if present else f"no {name}" for name, present in facts.items() if present is not None]
    return ", ".join(said)
