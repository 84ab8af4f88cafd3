# SPDX-License-Identifier: Apache-2.0
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from server.cli.fitting import Cell, Column, FittingTable

COLUMNS = (Column("Member", "left"), Column("Brier"), Column("Slope", rank=2), Column("Worth", rank=1))
ROWS = [("gemini-flash-search", "0.185", "1.02", "+0.0397"), ("grok", "0.187", "0.98", "+0.0242")]


def _shown(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(FittingTable(columns, rows))
    return out.getvalue()


def test_what_has_room_is_shown_and_nothing_is_said_to_be_missing() -> None:
    shown = _shown(COLUMNS, ROWS, 80)
    assert all(column.name in shown for column in COLUMNS)
    assert "No room" not in shown


def test_the_highest_rank_falls_first_and_is_named() -> None:
    shown = _shown(COLUMNS, ROWS, 40)
    assert "No room here for: Slope." in " ".join(shown.split())
    assert "1.02" not in shown
    assert "+0.0397" in shown


def test_a_column_with_nothing_in_it_is_not_shown() -> None:
    rows = [(name, brier, "", worth) for name, brier, _, worth in ROWS]
    shown = _shown(COLUMNS, rows, 80)
    assert "Slope" not in shown
    assert "No room" not in shown


def test_without_rows_the_heads_are_shown() -> None:
    assert "Slope" in _shown(COLUMNS, [], 80)


@pytest.mark.parametrize("width", [34, 60, 100])
@given(data=st.data())
def test_no_line_is_too_long_and_no_figure_is_cut(width: int, data: st.DataObject) -> None:
    names = st.text("abcdefgh-", min_size=1, max_size=40)
    figures = st.floats(-99, 99).map(lambda value: f"{value:+.3f}")
    rows = data.draw(st.lists(st.tuples(names, figures, figures, figures), min_size=1, max_size=4))
    shown = _shown(COLUMNS, rows, width)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    assert "…" not in shown
    for row in rows:
        assert row[1] in shown
