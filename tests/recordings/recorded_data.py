# SPDX-License-Identifier: Apache-2.0
"""Recordings for the tests: the shipped samples, the full data, and small tables made on the spot."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from server.recordings.library import RecordingLibrary
from server.recordings.settings import RecordingsSettings
from server.recordings.unit_ids import question_key

SAMPLES = Path(__file__).parents[2] / "samples"
FORECASTS = SAMPLES / "forecasts"
BOOK = SAMPLES / "books" / "nexousdt_spot_20240724"

_ROOT = os.environ.get("CONSILIENCE_DATA")
DATA = Path(_ROOT) if _ROOT else Path("/nonexistent")
needs_data = pytest.mark.skipif(
    not (DATA / "forecasts").is_dir(),
    reason="no full data: set CONSILIENCE_DATA to the folder of forecasts/ and lob/",
)

Row = dict[str, Any]


@cache
def sample_library() -> RecordingLibrary:
    return RecordingLibrary.open(RecordingsSettings(forecasts=FORECASTS, cache=None))


@cache
def sample_rows() -> list[Row]:
    return pl.read_parquet(FORECASTS / "forecasts.parquet").to_dicts()


@cache
def sample_questions() -> dict[str, Row]:
    return {row["question_id"]: row for row in pl.read_parquet(FORECASTS / "questions.parquet").to_dicts()}


def expected_id(row: Row) -> str:
    """The id of a row's unit, by the rule in words: source, key, forecast date, horizon of a series."""
    key = question_key(row["source"], row["question_id"])
    horizon = f"-{row['horizon_days']}d" if row["question_type"] == "dataset" else ""
    return f"{row['source']}-{key}-{row['forecast_due_date'].replace('-', '')}{horizon}"


def forecast_row(**changes: Any) -> Row:
    """A row that fits the schema."""
    row: Row = {
        "collection": "fb",
        "question_id": "metaculus:7",
        "source": "metaculus",
        "question_type": "market",
        "category": "Weather",
        "forecast_due_date": "2025-10-26",
        "resolution_date": "2025-11-04",
        "model": "oak",
        "base_model": "oak-1",
        "provider": "forest",
        "kind": "llm_live",
        "search": True,
        "tools": None,
        "market_shown": False,
        "prob": 0.25,
        "n_trials": 5,
        "market_prob": 0.5,
        "market_prob_date": "2025-10-16",
        "market_prob_on_due_date": 0.75,
        "imputed": False,
        "outcome": 1,
        **changes,
    }
    keys = (row[name] for name in ("collection", "question_id", "forecast_due_date", "resolution_date"))
    return {"unit_id": "|".join(map(str, keys)), **row}


def question_row(**changes: Any) -> Row:
    return {
        "question_id": "metaculus:7",
        "question": "Will it rain by {resolution_date}?\n\nAny amount counts.",
        "background": "It often rains.",
        "resolution_criteria": "A gauge.",
        "url": "https://example.org/7",
        "category": "Rain",
        "close_date": "2025-12-31",
        **changes,
    }


def write(folder: Path, forecasts: list[Row], questions: list[Row]) -> Path:
    """Both files; a column that is only None gets the type of its neighbours in the real files."""
    schema = {
        "category": pl.String,
        "tools": pl.Boolean,
        "close_date": pl.String,
        "market_prob_date": pl.String,
    }
    for name, rows in (("forecasts.parquet", forecasts), ("questions.parquet", questions)):
        table = pl.DataFrame(rows, infer_schema_length=None)
        empty = [name for name, dtype in table.schema.items() if dtype == pl.Null and name in schema]
        table.cast({name: schema[name] for name in empty}).write_parquet(folder / name)
    return folder


def library_of(
    folder: Path, forecasts: list[Row], questions: list[Row] | None = None, **settings: Any
) -> RecordingLibrary:
    write(folder, forecasts, questions or [question_row()])
    return RecordingLibrary.open(RecordingsSettings(forecasts=folder, **{"cache": None, **settings}))
