# SPDX-License-Identifier: Apache-2.0
"""docs/data.md keeps up with the code."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from server.recordings.book_files import BookRows, EventTable, RecordingMeta
from server.recordings.parquet import FORECAST_SCHEMA, OPTIONAL_TEXTS, QUESTION_SCHEMA
from server.recordings.settings import RecordedSettings, RecordingsSettings

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
ARRAYS = {field.name for kind in (BookRows, EventTable, RecordingMeta) for field in fields(kind)}


@pytest.mark.parametrize("name", sorted({*FORECAST_SCHEMA, *QUESTION_SCHEMA, *OPTIONAL_TEXTS, *ARRAYS}))
def test_every_column_is_described(name: str) -> None:
    assert re.search(rf"(?m)^\|[^|]*\b{name}\b|`{name}`", TEXT)


def test_the_settings_shown_are_settings() -> None:
    block = "\n".join(
        re.findall(r"(?m)^    (.*)$", TEXT.partition("name their folder:")[2].partition("Whatever")[0])
    )
    shown = tomllib.loads(block)
    recordings = RecordingsSettings.model_validate(shown["recordings"])
    assert shown["recordings"].keys() == RecordingsSettings.model_fields.keys()
    assert recordings.cache == RecordingsSettings().cache
    RecordedSettings.model_validate(shown["forecasters"]["careful"])
