# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from server.research.cases import make_ensembles
from server.research.panels import read_panels
from server.research.selection import CONTEXT, FRUGAL, VALUE, compare
from server.research.table import read_table
from tests.research.samples import DATA, needs_data, write


def test_all_members_are_the_same_set_however_they_were_chosen(tmp_path):
    forecasts, panels = write(tmp_path)
    rows = compare(make_ensembles(read_table(forecasts), read_panels(panels)), 5)
    assert [row.calls for row in rows] == [1, 2, 3, 4, 5]
    assert rows[-1].diff_mean == pytest.approx(0, abs=1e-12)
    for row in rows:
        assert row.diff_mean == pytest.approx(row.selected - row.random)


@needs_data
def test_few_selected_members_beat_few_random_ones_on_real_forecasts():
    assert DATA is not None
    table = read_table(DATA / "forecasts.parquet")
    rows = compare(make_ensembles(table, read_panels(DATA / "panels.json")), 4, (VALUE, FRUGAL, CONTEXT), 30)
    assert all(row.diff_mean_high < 0 for row in rows)


def test_no_selection_knows_an_outcome_before_its_day(tmp_path):
    """Every outcome turned round changes nobody's choice before it was known: only the losses move."""
    forecasts, panels = write(tmp_path)
    ensembles = make_ensembles(read_table(forecasts), read_panels(panels))
    never = [replace(e, resolution_day=e.resolution_day + 100_000) for e in ensembles]
    turned = [replace(e, outcome=1 - e.outcome) for e in never]
    own, other = (compare(each, 5, (FRUGAL, CONTEXT), 5) for each in (never, turned))
    assert [row.made for row in own] == [row.made for row in other]
    assert [row.selected for row in own if row.selection == CONTEXT] == [
        row.selected for row in compare(never, 5, (VALUE,), 5)
    ]
