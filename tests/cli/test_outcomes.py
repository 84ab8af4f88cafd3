# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import polars as pl
import pytest

from benchmarks.serving import Served
from tests.cli.conftest import Run


@pytest.fixture
def answered(run: Run, served: Served) -> str:
    """A question of the catalogue that has been answered at least once."""
    question = "polymarket-vsm3gq-20251026"
    known = json.loads(run("predict", "--list", "--server", served.address, "--json").out)["questions"]
    if question not in {each["id"] for each in known}:
        question = known[0]["id"]
    assert run("predict", "--question", question, "--server", served.address).code == 0
    return str(question)


def test_an_outcome_is_recorded_once(run: Run, served: Served, answered: str) -> None:
    arguments = ("outcomes", "record", answered, "NO", "--known", "2026-01-01", "--server", served.address)
    first = json.loads(run(*arguments, "--json").out)
    again = json.loads(run(*arguments, "--json").out)
    assert first["scored_forecasts"] >= 11
    assert again["scored_forecasts"] == 0
    shown = run("performance", "--server", served.address)
    assert shown.code == 0
    assert "sonnet" in shown.out
    assert "independent" in shown.out


def test_a_file_is_imported(run: Run, served: Served, tmp_path: Path) -> None:
    rows = {"question_id": ["a", "b"], "fraction": [0.5, 1.0], "known_time": ["2026-01-01", "2026-01-02"]}
    for name in ("outcomes.csv", "outcomes.parquet"):
        path = tmp_path / name
        frame = pl.DataFrame(rows)
        frame.write_csv(path) if name.endswith("csv") else frame.write_parquet(path)
        done = run("outcomes", "import", str(path), "--server", served.address)
        assert done.code == 0, done.err
        assert "2 outcomes recorded" in done.out


def test_what_is_refused_is_named(run: Run, served: Served, tmp_path: Path) -> None:
    path = tmp_path / "outcomes.csv"
    pl.DataFrame({"question_id": ["nobody-asked"], "retracted": [True]}).write_csv(path)
    done = run("outcomes", "import", str(path), "--server", served.address)
    assert done.code == 1
    assert "no earlier outcome to retract" in done.err


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"question_id": ["a"], "result": ["YES"]}, "'result'"),
        ({"question_id": ["a"], "outcome": [None], "fraction": [None]}, "row 1: says 0 things"),
        ({"question_id": ["a"], "outcome": ["YES"], "known_time": ["soon"]}, "'soon' is no time"),
    ],
)
def test_a_file_that_does_not_fit_is_one_clear_line(
    run: Run, tmp_path: Path, columns: dict[str, list[object]], words: str
) -> None:
    path = tmp_path / "outcomes.parquet"
    pl.DataFrame(columns).write_parquet(path)
    done = run("outcomes", "import", str(path))
    assert done.code == 1
    assert words in done.err


def test_one_thing_must_be_said(run: Run) -> None:
    assert "say one thing" in run("outcomes", "record", "q").err
    assert "say one thing" in run("outcomes", "record", "q", "YES", "--annulled").err


def test_recorded_outcomes_come_in_with_one_command(run: Run, served: Served, answered: str) -> None:
    done = run("outcomes", "recorded", "--server", served.address, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["resolutions"] > 100


def test_performance_is_exported(run: Run, served: Served, answered: str, tmp_path: Path) -> None:
    run("outcomes", "record", answered, "NO", "--known", "2026-01-01", "--server", served.address)
    for name in ("performance.parquet", "performance.csv"):
        path = tmp_path / name
        assert run("performance", "--export", str(path), "--server", served.address).code == 0
        frame = pl.read_parquet(path) if name.endswith("parquet") else pl.read_csv(path)
        assert {"member", "category", "window", "brier", "contribution"} <= set(frame.columns)
        assert frame.height > 10
    wrong = run("performance", "--export", str(tmp_path / "performance.txt"), "--server", served.address)
    assert "must end in" in wrong.err


def test_performance_is_narrowed_down(run: Run, served: Served, answered: str) -> None:
    """One part of a cell at a time; what is asked for is shown, not what is narrower still."""
    run("outcomes", "record", answered, "NO", "--known", "2026-01-01", "--server", served.address)
    rows = json.loads(run("performance", "--server", served.address, "--json").out)["performances"]
    for part in ("category", "horizon"):
        name = next(row[part] for row in rows if row.get(part))
        shown = run("performance", f"--{part}", name, "--server", served.address, "--json").out
        assert {row[part] for row in json.loads(shown)["performances"]} == {name}
        assert "sonnet" in run("performance", f"--{part}", name, "--server", served.address).out
    wild = run("performance", "--regime", "wild", "--server", served.address)
    assert "nothing was scored for 'wild'" in wild.out


def test_the_summary_adds_up(run: Run, served: Served, answered: str) -> None:
    found = json.loads(run("performance", "--summary", "--server", served.address, "--json").out)
    assert found["predictions"] >= 1
    assert found["p95_latency_s"] > 0
    assert sum(found["decisions"].values()) == found["predictions"]
    assert "consensus" in run("performance", "--summary", "--server", served.address).out
