# SPDX-License-Identifier: Apache-2.0
"""A run comes out again, goes on after a kill, and says what the plain computation says."""

import json
import sys
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from server.research.errors import ResearchError
from server.research.evaluate import evaluate_table
from server.research.grid.cell import Cell, Grid
from server.research.grid.drive import World, drive
from server.research.grid.page import write_page
from server.research.grid.plots import PlotsUnavailableError, draw
from server.research.grid.recorded_data import read_panels_data
from server.research.grid.run import run
from server.research.grid.settings import read_settings
from server.research.grid.tables import write_tables
from server.research.panels import read_panels
from server.research.series import MEAN, Method, Series
from server.research.table import read_table
from tests.research.grid.samples import Silent, settings, write_folder
from tests.research.samples import BEGIN, rows

DECLARED = {"*": {"latency_median_s": 2.0, "latency_p99_s": 9.0, "cost_usd": 0.01, "failure_share": 0.05}}
SMALL = {
    "grid": {"pooling": ["linear"], "weighting": ["fixed", "agreement"], "selection": ["all", "random:2"]}
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("data") / "sample")


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    results = run(settings(folder, declared=DECLARED, **SMALL), out, Silent())
    write_tables(results, out)
    return results, out


def test_the_recorded_configuration_gives_the_same_bytes(finished, tmp_path):
    _, first = finished
    again = read_settings(first / "configuration.json")
    write_tables(run(again, tmp_path, Silent()), tmp_path)
    assert (tmp_path / "results.json").read_bytes() == (first / "results.json").read_bytes()


def test_a_killed_run_goes_on_where_it_was(folder, finished, tmp_path):
    _, first = finished
    wanted = settings(folder, declared=DECLARED, **SMALL)
    begun = Silent(stop_after=5)
    with pytest.raises(KeyboardInterrupt):
        run(wanted, tmp_path, begun)
    half = next((tmp_path / "cells").glob("*.json"))
    half.write_text(half.read_text()[:50])
    rest = Silent()
    write_tables(run(wanted, tmp_path, rest), tmp_path)
    whole = Silent()
    run(wanted, tmp_path, whole)
    kept = len(list((tmp_path / "cells").glob("*.json")))
    assert len(rest.driven) + len(begun.driven) - 1 == kept
    assert rest.done == rest.cells == whole.done
    assert whole.driven == []
    assert (tmp_path / "results.json").read_bytes() == (first / "results.json").read_bytes()


def test_other_data_under_the_same_name_is_refused(finished, tmp_path):
    _, first = finished
    values = json.loads((first / "configuration.json").read_text())
    other = write_folder(tmp_path / "other", rows(seed=1))
    values["data"]["folder"] = str(other)
    (tmp_path / "run.json").write_text(json.dumps(values))
    with pytest.raises(ResearchError, match="not the file that this configuration was recorded with"):
        run(read_settings(tmp_path / "run.json"), tmp_path / "out", Silent())


@pytest.mark.parametrize("pooling", ["linear", "log_odds", "median"])
def test_the_engine_says_what_the_evaluation_says(folder, pooling):
    """Without anything learned, driving questions one by one is pooling them all at once."""
    method = Method(Series(pooling, "fixed"), "none")
    table, panels = read_table(folder / "forecasts.parquet"), read_panels(folder / "panels.json")
    evaluation = evaluate_table(table, panels, [MEAN, method])
    place = evaluation.walked.methods.index(method)
    want = np.concatenate([said[place] for said in evaluation.walked.said["strict"][: len(panels)]])
    data = read_panels_data(folder, market=False)
    answers = drive(World(data), Cell(pooling))
    got = {(a.case.panel, a.case.question.id): a.prediction.probabilities[0] for a in answers}
    assert len(got) == len(want)
    assert sorted(got.values()) == pytest.approx(sorted(want.tolist()), abs=1e-12)


@pytest.mark.parametrize(
    "cell",
    [
        Cell(weighting="adaptive", calibration="hierarchical"),
        Cell(weighting="stacked", calibration="isotonic", selection="value:2"),
        Cell(weighting="hedge", calibration="beta", execution="sequential"),
        Cell(weighting="covariance", calibration="platt", execution="cascade"),
        Cell(weighting="performance"),
        Cell(weighting="agreement"),
    ],
    ids=lambda cell: cell.name,
)
def test_the_past_does_not_depend_on_the_future(folder, tmp_path, cell):
    cut = (BEGIN + timedelta(days=14)).isoformat()
    turned = rows().with_columns(
        pl.when(pl.col("resolution_date") >= cut)
        .then(1 - pl.col("outcome"))
        .otherwise("outcome")
        .alias("outcome")
    )
    later = pl.col("forecast_due_date") > cut
    turned = turned.with_columns(pl.when(later).then(1 - pl.col("prob") / 2).otherwise("prob").alias("prob"))
    other = write_folder(tmp_path / "other", turned)
    said = [_until(drive(World(read_panels_data(place)), cell), cut) for place in (folder, other)]
    assert said[0] == said[1]
    assert len(said[0]) > 10


def _until(answers, cut):
    return {
        answer.case.question.id: answer.prediction and answer.prediction.probabilities
        for answer in answers
        if answer.case.as_of.date().isoformat() <= cut
    }


def test_outcomes_do_teach_once_they_are_known(folder, tmp_path):
    """The test above would pass if nothing were ever learned."""
    turned = rows().with_columns((1 - pl.col("outcome")).alias("outcome"))
    other = write_folder(tmp_path / "other", turned)
    cell = Cell(calibration="platt")
    first, second = (drive(World(read_panels_data(place)), cell) for place in (folder, other))
    assert first[0].prediction.probabilities == second[0].prediction.probabilities
    assert first[-1].prediction.probabilities != second[-1].prediction.probabilities


def test_declared_times_and_costs_are_counted(finished):
    results, _ = finished
    row = next(
        r for r in results.figures if r.cell == "linear/fixed/none/parallel/all" and r.panel == "matches"
    )
    assert row.calls == pytest.approx(3.0)
    assert row.cost_usd == pytest.approx(0.03)
    assert row.cost_total_usd == pytest.approx(0.03 * row.n_questions)
    assert 2.0 < row.latency_p50_s < 9.0 < row.latency_p99_s * 2
    assert 0.0 < row.brier_low < row.brier < row.brier_high


def test_tables_for_machines_say_the_same(finished):
    results, out = finished
    wanted = [row.as_json() for row in (*results.figures, *results.sizes)]
    assert pl.read_parquet(out / "results.parquet").to_dicts() == wanted
    assert pl.read_csv(out / "results.csv")["brier"].to_list() == [row["brier"] for row in wanted]


def test_single_members_and_ablations_cover_the_panels_that_have_them(finished):
    results, _ = finished
    assert {row["member"] for row in results.members} >= {f"model-{letter}" for letter in "abcde"}
    for row in results.members:
        assert (
            row["ensemble_minus_alone_low"] <= row["ensemble_minus_alone"] <= row["ensemble_minus_alone_high"]
        )


def test_pictures_and_page_stand_alone(finished, tmp_path):
    results, _ = finished
    pictures = draw(results, tmp_path / "plots")
    assert [p.stem for p in pictures] == [
        "cost_against_quality",
        "ensemble_size",
        "members",
        "calibration",
        "latency",
    ]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in pictures)
    write_page(results, pictures, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert text.count("data:image/png;base64,") == 5
    assert "http" not in text


def test_without_matplotlib_there_is_one_clear_error(finished, tmp_path, monkeypatch):
    results, _ = finished
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PlotsUnavailableError, match=r"consilience-server\[research\]"):
        draw(results, tmp_path)


@pytest.mark.parametrize(
    ("choices", "named"),
    [
        ({"pooling": ("nonsense",)}, "grid.pooling"),
        ({"weighting": ("nonsense",)}, "grid.weighting"),
        ({"execution": ("nonsense",)}, "grid.execution"),
        ({"selection": ("value:0",)}, "grid.selection"),
        ({"selection": ("value:three",)}, "random:K"),
    ],
)
def test_unknown_names_are_named(choices, named):
    with pytest.raises(ValueError, match=named):
        Grid(**choices).cells()


def test_older_names_mean_the_same_cell():
    assert Grid(pooling=("mean", "linear", "WeightedAverage")).cells() == (Cell("linear"),)
