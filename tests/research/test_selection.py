# SPDX-License-Identifier: Apache-2.0
import pytest

from server.research.cases import make_ensembles
from server.research.panels import read_panels
from server.research.selection import compare
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
    rows = compare(make_ensembles(table, read_panels(DATA / "panels.json")), 4)
    assert all(row.diff_mean_high < 0 for row in rows)
