# SPDX-License-Identifier: Apache-2.0
"""The evaluation command's rows: their form, and their figures on the real forecasts."""

import json
from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

from server.research.cases import BACKGROUND
from server.research.errors import ResearchError
from server.research.evaluate import evaluate, evaluate_table, write_json
from server.research.panels import read_panels
from server.research.references import single_scores
from server.research.rows import POOLED, Row
from server.research.series import DEFAULT, MEAN, Method, Series, all_methods
from server.research.table import read_table
from server.research.walk import MODES
from tests.research.samples import DATA, needs_data, rows, write

FIELDS = [
    "mode",
    "panel",
    "method",
    "default",
    "n_clusters",
    "brier",
    "log_score",
    "ece",
    "slope",
    "intercept",
    "diff_mean",
    "diff_mean_low",
    "diff_mean_high",
]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return evaluate(*write(tmp_path_factory.mktemp("small")))


def test_rows_have_exactly_the_agreed_fields(small, tmp_path):
    assert [field.name for field in fields(Row)] == FIELDS
    write_json(small, tmp_path / "out.json")
    read = json.loads((tmp_path / "out.json").read_text())
    assert all(list(row) == FIELDS for row in read)
    assert len(read) == len(small)


def test_every_method_has_a_row_for_each_mode_and_panel(small):
    keys = {(row.mode, row.panel, row.method) for row in small}
    assert len(keys) == len(small)
    for method in all_methods():
        for mode in MODES:
            for panel in ("markets", "matches", POOLED):
                assert (mode, panel, method.name) in keys


def test_one_method_is_the_default(small):
    assert {row.method for row in small if row.default} == {DEFAULT.name}


def test_the_plain_mean_does_not_differ_from_itself(small):
    for row in small:
        if row.method == MEAN.name:
            assert row.diff_mean == row.diff_mean_low == row.diff_mean_high == 0


def test_the_same_file_comes_out_again(small, tmp_path):
    """Also where the rows of the input come in another order."""
    forecasts, panels = write(tmp_path, rows().sample(fraction=1.0, shuffle=True, seed=1))
    methods = [method for method in all_methods() if method.series.pooling == "log_odds"]
    again = {
        (r.mode, r.panel, r.method): r
        for r in evaluate_table(read_table(forecasts), read_panels(panels), methods).rows()
    }
    same = [row for row in small if row.method.startswith("log_odds/")]
    assert len(same) > 400
    for row in same:
        assert again[row.mode, row.panel, row.method] == row


def test_matches_are_clusters(small):
    row = next(row for row in small if row.panel == "matches")
    assert row.n_clusters == 12


def test_a_price_of_the_second_file_is_taken_in(tmp_path):
    table = rows()
    forecasts, _ = write(tmp_path, table)
    market = table.filter(question_type="market").unique("unit_id").with_columns(market_prob_on_due_date=0.25)
    extra = market.head(1).with_columns(question_id=pl.lit("only a price"))
    pl.concat([market, extra]).drop("model", "prob", "unit_id").write_parquet(tmp_path / "market.parquet")
    read = read_table(forecasts, tmp_path / "market.parquet")
    assert len(read.unit_id) == table["unit_id"].n_unique() + 1
    unit = read.question_id.index("only a price")
    assert read.price[unit] == 0.25
    assert len(read.answers(unit)[0]) == 0
    evaluate_table(read, read_panels(tmp_path / "panels.json"), [DEFAULT])


@pytest.mark.parametrize(
    ("break_it", "place"),
    [
        (lambda table: table.drop("outcome"), "outcome"),
        (lambda table: table.with_columns(prob=pl.col("prob") + 1), "prob"),
        (lambda table: table.with_columns(resolution_date=pl.lit("soon")), "resolution_date"),
        (lambda table: table.with_columns(model=pl.lit(None)), "model"),
        (lambda table: table.with_columns(prob=pl.lit("likely")), "prob"),
        (lambda table: table.with_columns(outcome=pl.int_range(pl.len()) % 2), "outcome"),
        (lambda table: table.with_columns(market_prob=pl.lit(55.0)), "market_prob"),
        (lambda table: table.head(0), "panels"),
        (lambda table: table.with_columns(collection=pl.lit("another")), "panels"),
    ],
)
def test_a_file_that_does_not_fit_says_where(break_it, place, tmp_path):
    forecasts, panels = write(tmp_path, break_it(rows()))
    with pytest.raises(ResearchError, match=place):
        evaluate(forecasts, panels)


@pytest.mark.parametrize(
    "write_it",
    [
        lambda table: table.sample(fraction=1.0, shuffle=True, seed=3),
        lambda table: pl.concat([table, table.head(40).with_columns(prob=pl.lit(0.5))]),
        lambda table: table.with_columns(pl.col("resolution_date", "forecast_due_date").str.to_date()),
        lambda table: table.with_columns(pl.col("resolution_date", "forecast_due_date").str.to_datetime()),
        lambda table: table.with_columns(pl.col("model", "source").cast(pl.Categorical)),
        lambda table: table.with_columns(pl.col("outcome").cast(pl.Boolean)),
        lambda table: table.with_columns(imputed=pl.lit(True), trials=pl.lit("[0.1]")),
        lambda table: pl.concat(
            [table, table.head(9).with_columns(model=pl.lit("model-z"), prob=pl.lit(None, dtype=pl.Float64))]
        ),
    ],
)
def test_the_same_forecasts_written_otherwise_give_the_same_rows(write_it, tmp_path):
    forecasts, panels = write(tmp_path)
    plain = evaluate_table(read_table(forecasts), read_panels(panels), [DEFAULT]).rows()
    write(tmp_path, write_it(rows()))
    assert evaluate_table(read_table(forecasts), read_panels(panels), [DEFAULT]).rows() == plain


def test_a_file_without_the_columns_that_it_may_lack(tmp_path):
    forecasts, panels = write(tmp_path, rows().drop("category", "market_prob", "market_prob_on_due_date"))
    evaluation = evaluate_table(read_table(forecasts), read_panels(panels), [DEFAULT])
    assert {row.panel for row in evaluation.rows()} == {"markets", "matches", POOLED}


def test_a_panel_without_a_unit_is_left_out(tmp_path):
    """The pool is then that of the others."""
    forecasts, panels = write(tmp_path, rows().filter(pl.col("collection") == "two"))
    found = evaluate(forecasts, panels)
    assert {row.panel for row in found} == {"matches", POOLED}
    by_panel = {
        panel: [replace(r, panel="") for r in found if r.panel == panel] for panel in ("matches", POOLED)
    }
    assert by_panel["matches"] == by_panel[POOLED]


def test_prices_without_a_resolution_are_prices_all_the_same(tmp_path):
    table = rows()
    forecasts, _ = write(tmp_path, table)
    market = table.filter(question_type="market").unique("unit_id").with_columns(market_prob_on_due_date=0.25)
    extra = market.head(1).with_columns(question_id=pl.lit("only a price"))
    kept = pl.concat([market, extra]).select("question_id", "forecast_due_date", "market_prob_on_due_date")
    kept.with_columns(pl.col("forecast_due_date").str.to_date()).write_parquet(tmp_path / "market.parquet")
    read = read_table(forecasts, tmp_path / "market.parquet")
    assert "only a price" not in read.question_id
    assert (read.price == 0.25).any()


@pytest.mark.parametrize(
    "text", ["not json", "[]", '{"panels": []}', '{"panels": [{}]}', '{"panels": [{"name": "x"}]}']
)
def test_panels_that_do_not_fit_are_refused(text, tmp_path):
    (tmp_path / "panels.json").write_text(text)
    with pytest.raises(ResearchError):
        read_panels(tmp_path / "panels.json")


# --- on the real forecasts -------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    assert DATA is not None
    table = read_table(DATA / "forecasts.parquet", DATA / "market_prices.parquet")
    methods = [
        DEFAULT,
        *(Method(Series(p, "fixed"), "none") for p in ("linear", "median", "log_odds", "extremised")),
        Method(Series("log_odds", "fixed", market=True), "none"),
    ]
    return evaluate_table(table, read_panels(DATA / "panels.json"), methods)


@pytest.fixture(scope="module")
def real_rows(real):
    return real.rows()


def row_of(all_rows, method, mode="strict", panel=POOLED):
    return next(r for r in all_rows if (r.method, r.mode, r.panel) == (method, mode, panel))


@needs_data
@pytest.mark.parametrize(
    ("method", "mode", "wanted"),
    [
        ("linear/fixed/none", "strict", 0.1457),
        ("median/fixed/none", "strict", 0.1438),
        ("log_odds/fixed/none", "strict", 0.1440),
        ("linear/fixed/none", "reaggregated", 0.1457),
        ("best_single", "reaggregated", 0.1442),
    ],
)
def test_published_figures_come_out(real_rows, method, mode, wanted):
    assert row_of(real_rows, method, mode).brier == pytest.approx(wanted, abs=0.00015)


@needs_data
def test_single_members_score_as_published(real):
    panels = [e for e in real.ensembles if e.panel != BACKGROUND]
    clusters = np.array([scored.clusters for _, scored in real.panels])
    assert clusters.sum() == 525
    average = [single_scores(e).mean() for e in panels]
    best = [single_scores(e).min() for e in panels]
    assert average @ clusters / 525 == pytest.approx(0.1610, abs=0.00015)
    assert best @ clusters / 525 == pytest.approx(0.1330, abs=0.00005)


@needs_data
@pytest.mark.parametrize(
    ("mode", "brier", "difference"), [("strict", 0.138, -0.004), ("reaggregated", 0.136, -0.006)]
)
def test_the_default_is_what_it_is_said_to_be(real_rows, mode, brier, difference):
    row = row_of(real_rows, DEFAULT.name, mode)
    assert row.brier <= brier
    assert row.diff_mean <= difference
    assert row.diff_mean_high < 0
    panels = [r for r in real_rows if r.default and r.mode == mode and r.panel != POOLED]
    assert len(panels) == 5
    assert all(r.diff_mean_low <= 0 for r in panels)
