# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.research.grid.samples import write_folder


def test_nothing_to_ask_is_said(run: Run) -> None:
    done = run("research", "--no-plots")
    assert done.code == 1
    assert "--dataset FOLDER" in done.err


def test_a_name_that_is_not_known_is_said(run: Run, tmp_path: Path) -> None:
    done = run("research", "--dataset", str(write_folder(tmp_path / "data")), "--pooling", "nonsense")
    assert done.code == 1
    assert "grid.pooling" in done.err
    assert "log_odds" in done.err


def test_flags_make_a_run_with_all_its_files(run: Run, tmp_path: Path) -> None:
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    arguments = ["--dataset", str(data), "--panels", "matches", "--pooling", "mean", "--weighting", "fixed"]
    arguments += ["--calibration", "none", "--execution", "parallel", "--selection", "all", "--out", str(out)]
    done = run("research", *arguments)
    assert done.code == 0, done.err
    assert "linear/fixed/none/parallel/all" in done.out
    assert "Best value" in done.out
    found = json.loads((out / "results.json").read_text())
    assert {row["panel"] for row in found["figures"]} == {"matches"}
    assert (out / "report.html").is_file()
