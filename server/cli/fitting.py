# SPDX-License-Identifier: Apache-2.0
"""Tables in which no figure is ever cut: what has no room is left out, and named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

Cell = str | Text


@dataclass(frozen=True, slots=True)
class Column:
    """A column; of those with a ``rank`` above 0 the highest is left out first where room is short."""

    name: str
    justify: Literal["left", "right"] = "right"
    rank: int = 0
    style: str = ""


class FittingTable:
    """Rows under ``columns``, as wide as they are. A column with nothing in it is not shown."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], title: str = "") -> None:
        self._columns = columns
        self._rows = rows
        self._title = title
        self._styles = [""] * len(rows)

    def styled(self, styles: Sequence[str]) -> "FittingTable":
        """The same with a style for each row."""
        self._styles = list(styles)
        return self

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay it out for the room there is."""
        shown = [at for at in range(len(self._columns)) if self._told(at)]
        fallen: list[int] = []
        while self._width(shown, gap=2) > options.max_width and (at := self._least(shown)) is not None:
            shown.remove(at)
            fallen.append(at)
        yield self._table(shown, fallen, loose=self._width(shown, gap=3) <= options.max_width)

    def _told(self, at: int) -> bool:
        return not self._rows or any(len(row[at]) for row in self._rows)

    def _least(self, shown: Sequence[int]) -> int | None:
        at = max(shown, key=lambda at: self._columns[at].rank)
        return at if self._columns[at].rank else None

    def _cells(self, at: int) -> int:
        return max(cell_len(str(cell)) for cell in (self._columns[at].name, *(row[at] for row in self._rows)))

    def _width(self, shown: Sequence[int], gap: int) -> int:
        return sum(self._cells(at) for at in shown) + gap * (len(shown) - 1) + 2

    def _table(self, shown: Sequence[int], fallen: Sequence[int], loose: bool) -> Table:
        table = Table(
            title=self._title or None,
            title_justify="left",
            box=SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1) if loose else (0, 0, 0, 1),
            caption=_left_out([self._columns[at].name for at in sorted(fallen)]),
            caption_justify="left",
        )
        for at in shown:
            column = self._columns[at]
            # The names in the first column may be longer than the screen is wide: they fold, figures do not.
            least = 12 if at == 0 else self._cells(at)
            table.add_column(
                column.name,
                justify=column.justify,
                style=column.style,
                min_width=min(least, self._cells(at)),
                no_wrap=at != 0,
                overflow="fold",
            )
        for row, style in zip(self._rows, self._styles, strict=True):
            table.add_row(*(row[at] for at in shown), style=style)
        return table


def _left_out(names: Sequence[str]) -> str | None:
    named = ", ".join(name for name in names if name)
    return f" No room here for: {named}. --json has all." if named else None
