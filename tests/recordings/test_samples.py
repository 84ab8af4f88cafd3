# SPDX-License-Identifier: Apache-2.0
"""The shipped samples: whole, small, licensed, and made from the full data by the script beside them."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.recordings.recorded_data import BOOK, DATA, FORECASTS, SAMPLES, needs_data

DATA_FILES = sorted(path for path in SAMPLES.rglob("*") if path.suffix in (".parquet", ".npz", ".csv"))


def build(out: Path) -> str:
    command = [sys.executable, str(SAMPLES / "build.py"), "--out", str(out)]
    environment = {**os.environ, "CONSILIENCE_DATA": str(DATA)}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout  # noqa: S603


def test_every_data_file_has_its_checksum() -> None:
    lines = (SAMPLES / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    assert sums == {
        path.relative_to(SAMPLES).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATA_FILES
    }


@pytest.mark.parametrize("path", DATA_FILES, ids=lambda path: path.name)
def test_every_data_file_names_its_holders_and_its_licence(path: Path) -> None:
    notice = path.with_name(f"{path.name}.license").read_text()
    assert "SPDX-FileCopyrightText: " in notice
    licence = "MIT" if path.suffix == ".npz" else "CC-BY-SA-4.0 AND MIT"
    assert f"SPDX-License-Identifier: {licence}\n" in notice


def test_the_licence_texts_are_there_and_the_readmes_name_the_sources() -> None:
    texts = {path.name: path.read_text() for path in (SAMPLES / "LICENSES").iterdir()}
    assert "Attribution-ShareAlike 4.0 International" in texts["CC-BY-SA-4.0.txt"]
    assert "Copyright (c) 2024 Jeffrey Lin" in texts["MIT-hftbacktest_playground.txt"]
    assert "Copyright (c) 2026 Kevin P Murphy" in texts["MIT-BLF.txt"]
    forecasts, books = ((SAMPLES / name / "README.md").read_text() for name in ("forecasts", "books"))
    for source in ("forecastingresearch/forecastbench-datasets", "murphyk/BLF", "Changes made"):
        assert source in forecasts
    for source in ("jeffrey82221/hftbacktest_playground", "Changes made", "trained on"):
        assert source in books


def test_only_what_may_be_shipped() -> None:
    assert sum(path.stat().st_size for path in DATA_FILES) < 1_000_000
    for name in ("forecasts.parquet", "questions.parquet"):
        assert pl.read_parquet(FORECASTS / name)["collection"].unique().to_list() == ["fb"]
        assert pl.read_parquet_metadata(FORECASTS / name)["license"] == "CC-BY-SA-4.0 AND MIT"
    questions = pl.read_parquet(FORECASTS / "questions.parquet")
    assert not {"background", "resolution_criteria"} & set(questions.columns)
    assert max(len(title) for title in questions["question"].drop_nulls()) < 400
    for suffix in (".book20.npz", ".events.npz"):
        with np.load(f"{BOOK}{suffix}") as stored:
            meta = json.loads(str(stored["meta"]))
        assert meta["license"] == "MIT"
        assert "hftbacktest_playground" in meta["source"]


@needs_data
def test_the_script_makes_them_from_the_full_data(tmp_path: Path) -> None:
    report = build(tmp_path / "one")
    assert build(tmp_path / "two") == report
    for path in DATA_FILES:
        name = path.relative_to(SAMPLES)
        made = tmp_path / "one" / name
        assert made.read_bytes() == (tmp_path / "two" / name).read_bytes()
        _assert_same_content(made, path)


def _assert_same_content(made: Path, shipped: Path) -> None:
    """Equal but for compression, which differs between versions of the libraries."""
    if made.suffix == ".parquet":
        assert pl.read_parquet(made).equals(pl.read_parquet(shipped), null_equal=True)
        return
    if made.suffix == ".csv":
        assert made.read_text() == shipped.read_text()
        return
    with np.load(made) as one, np.load(shipped) as other:
        assert one.files == other.files
        for name in one.files:
            assert one[name].dtype == other[name].dtype
            np.testing.assert_array_equal(one[name], other[name])


def test_without_the_data_the_script_says_what_it_wants(tmp_path: Path) -> None:
    command = [sys.executable, str(SAMPLES / "build.py"), "--out", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "CONSILIENCE_DATA"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603
    assert done.returncode == 1
    assert done.stderr == "CONSILIENCE_DATA: not set; name the folder that holds forecasts/ and lob/\n"
    assert list(tmp_path.iterdir()) == []
