# SPDX-License-Identifier: Apache-2.0
"""Change the future, and see that the past stays as it was: for every method, in both modes."""

import numpy as np
import polars as pl
import pytest

from server.research.cases import BACKGROUND
from server.research.evaluate import evaluate_table
from server.research.panels import read_panels
from server.research.series import all_methods
from server.research.table import read_table
from server.research.walk import REAGGREGATED, STRICT
from tests.research.samples import BEGIN, rows, write

CUT = 14


#: Every weighting with every calibrator, with and without a price, and every pooling.
METHODS = [
    method
    for method in all_methods()
    if method.series.pooling == "log_odds"
    or (method.series.weighting == "fixed" and method.calibration == "none")
]


def walked(folder, table):
    folder.mkdir()
    forecasts, panels = write(folder, table)
    return evaluate_table(read_table(forecasts), read_panels(panels), METHODS)


def day(number):
    return (BEGIN - type(BEGIN)(1970, 1, 1)).days + number


def said_before_the_cut(evaluation, last):
    """(methods, predictions) made on days up to the last, of both modes."""
    parts = []
    for mode in (STRICT, REAGGREGATED):
        for ensemble, said in zip(evaluation.ensembles, evaluation.walked.said[mode], strict=True):
            if ensemble.panel == BACKGROUND:
                continue
            made = ensemble.forecast_day if mode == STRICT else ensemble.repool_day
            parts.append(said[:, made <= last])
    return np.concatenate(parts, axis=1)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return walked(tmp_path_factory.mktemp("original") / "data", rows())


def cut_date():
    return (BEGIN + type(BEGIN.today() - BEGIN)(days=CUT)).isoformat()


def with_other_outcomes(table):
    """Every outcome that is not yet known on the day of the cut is turned round."""
    open_still = pl.col("resolution_date") >= cut_date()
    return table.with_columns(
        pl.when(open_still).then(1 - pl.col("outcome")).otherwise(pl.col("outcome")).alias("outcome")
    )


def with_other_forecasts(table):
    """Every forecast made after the cut is another one."""
    later = pl.col("forecast_due_date") > cut_date()
    return table.with_columns(
        pl.when(later).then(1 - pl.col("prob") / 2).otherwise(pl.col("prob")).alias("prob"),
        pl.when(later).then(0.5).otherwise(pl.col("market_prob")).alias("market_prob"),
    )


def without_the_future(table):
    """Every question that is asked after the cut was never asked."""
    return table.filter(pl.col("forecast_due_date") <= cut_date())


@pytest.mark.parametrize("change", [with_other_outcomes, with_other_forecasts, without_the_future])
def test_the_past_does_not_depend_on_the_future(original, change, tmp_path):
    changed = walked(tmp_path / "data", change(rows()))
    last = day(CUT)
    before, after = said_before_the_cut(original, last), said_before_the_cut(changed, last)
    names = [method.name for method in original.walked.methods]
    assert before.shape == after.shape
    assert before.shape[1] > 10
    leaking = [name for name, one, other in zip(names, before, after, strict=True) if (one != other).any()]
    assert leaking == []


def test_the_test_would_see_a_leak(original, tmp_path):
    """One day later, some of the changed outcomes are known, and learning methods must differ."""
    changed = walked(tmp_path / "data", with_other_outcomes(rows()))
    before, after = (said_before_the_cut(e, day(CUT + 8)) for e in (original, changed))
    names = [method.name for method in original.walked.methods]
    moved = {name for name, one, other in zip(names, before, after, strict=True) if (one != other).any()}
    assert {name for name in names if name.endswith(("platt", "beta", "isotonic", "hierarchical"))} <= moved
    assert "log_odds/hedge/none" in moved
    assert "linear/fixed/none" not in moved


def test_every_unit_of_a_panel_is_answered_by_every_method(original):
    for mode in (STRICT, REAGGREGATED):
        for said in original.walked.said[mode][: len(original.panels)]:
            assert np.isfinite(said).all()
            assert ((said >= 0) & (said <= 1)).all()
