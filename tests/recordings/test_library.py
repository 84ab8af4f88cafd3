# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from server.recordings.cache import cache_file, load_tables, store_tables
from server.recordings.errors import RecordingError
from server.recordings.files import source_files
from server.recordings.library import RecordingLibrary
from server.recordings.parquet import read_tables
from server.recordings.settings import RecordedSettings, RecordingsSettings
from server.recordings.tables import Tables
from tests.recordings.recorded_data import FORECASTS, forecast_row, library_of, question_row, write


def assert_equal(one: Any, other: Any) -> None:
    """Equal in every column, types included; NaN equals NaN."""
    for part in ("questions", "units", "models", "answers"):
        left, right = getattr(one, part), getattr(other, part)
        for name in left.__slots__:
            a, b = getattr(left, name), getattr(right, name)
            assert type(a) is type(b), name
            if isinstance(a, np.ndarray):
                assert a.dtype == b.dtype, name
                np.testing.assert_array_equal(a, b)
            else:
                assert a == b, name


def test_the_cache_gives_back_what_was_read(tmp_path: Path) -> None:
    tables = read_tables(FORECASTS)
    path = tmp_path / "new" / "folder" / "cache.npz"
    store_tables(path, tables)
    stored = load_tables(path)
    assert stored is not None
    assert_equal(stored, tables)
    assert [file.name for file in path.parent.iterdir()] == ["cache.npz"]


def test_no_recordings_survive_the_cache_too(tmp_path: Path) -> None:
    store_tables(tmp_path / "cache.npz", Tables.empty())
    stored = load_tables(tmp_path / "cache.npz")
    assert stored is not None
    assert_equal(stored, Tables.empty())


def test_a_second_start_does_without_polars(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from server.recordings.library import RecordingLibrary\n"
        "from server.recordings.settings import RecordingsSettings\n"
        "settings = RecordingsSettings(forecasts=Path(sys.argv[1]), cache=Path(sys.argv[2]))\n"
        "library = RecordingLibrary.open(settings)\n"
        "print(len(library.catalogue), 'polars' in sys.modules, 'numba' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(FORECASTS), str(tmp_path)]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)]  # noqa: S603
    assert runs == ["16232 True False\n", "16232 False False\n"]


def test_other_files_are_another_cache(tmp_path: Path) -> None:
    write(tmp_path, [forecast_row()], [question_row()])
    before = cache_file(tmp_path, source_files(tmp_path))
    write(tmp_path, [forecast_row(prob=0.26)], [question_row()])
    assert cache_file(tmp_path, source_files(tmp_path)) != before


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert library_of(tmp_path, [forecast_row()], cache=cache).models[0].name == "oak"
    assert library_of(tmp_path, [forecast_row(model="elm")], cache=cache).models[0].name == "elm"
    assert library_of(tmp_path, [forecast_row()], cache=cache).models[0].name == "oak"


@pytest.mark.parametrize("damage", [None, b"", b"PK\x03\x04 broken", b"not an archive"])
def test_a_damaged_cache_is_replaced(tmp_path: Path, damage: bytes | None) -> None:
    cache = tmp_path / "cache"
    library_of(tmp_path, [forecast_row()], cache=cache)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert len(library_of(tmp_path, [forecast_row()], cache=cache).catalogue) == 1
    assert load_tables(path) is not None


def test_a_cache_that_lacks_a_column_is_replaced(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    library_of(tmp_path, [forecast_row()], cache=cache)
    (path,) = cache.iterdir()
    with np.load(path) as stored:
        kept = {name: stored[name] for name in stored.files if name != "units.outcome"}
    np.savez(path, **kept)
    assert len(library_of(tmp_path, [forecast_row()], cache=cache).catalogue) == 1


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert len(library_of(tmp_path, [forecast_row()], cache=blocked / "cache").catalogue) == 1


def test_no_folder_is_an_empty_library() -> None:
    library = RecordingLibrary.open(RecordingsSettings())
    assert library.catalogue.list() == []
    assert library.models == ()
    with pytest.raises(RecordingError, match=r"set recordings\.forecasts to a folder"):
        library.forecaster(RecordedSettings(model="oak"))


def test_an_unknown_model_names_its_neighbours(tmp_path: Path) -> None:
    library = library_of(tmp_path, [forecast_row(model="gpt5-high"), forecast_row(model="sonnet")])
    with pytest.raises(
        RecordingError, match="nothing is recorded of 'gpt5-hihg'; there is for example gpt5-high"
    ):
        library.forecaster(RecordedSettings(model="gpt5-hihg"))


def test_a_missing_folder_names_the_setting(tmp_path: Path) -> None:
    for cache in (None, tmp_path):
        with pytest.raises(
            RecordingError, match=r"forecasts\.parquet: no such file; recordings\.forecasts names"
        ):
            RecordingLibrary.open(RecordingsSettings(forecasts=tmp_path / "none", cache=cache))


def test_forecasters_of_one_model_share_its_answers(tmp_path: Path) -> None:
    library = library_of(tmp_path, [forecast_row()])
    one, other = (library.forecaster(RecordedSettings(model="oak")) for _ in range(2))
    assert one is not other
    assert one._answers is other._answers


def test_an_empty_string_switches_a_folder_off() -> None:
    settings = RecordingsSettings.model_validate({"forecasts": "", "cache": ""})
    assert settings.forecasts is None
    assert settings.cache is None


@pytest.mark.parametrize("values", [{"min_forecasters": 0}, {"forcasts": "x"}])
def test_settings_that_cannot_be(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RecordingsSettings.model_validate(values)
    with pytest.raises(ValidationError):
        RecordedSettings.model_validate({"kind": "recorded", "model": ""})
