# SPDX-License-Identifier: Apache-2.0
"""Runs research with a progress bar and shows what came of it."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from server.cli import looks
from server.cli.failures import Failure
from server.cli.fitting import Column, FittingTable
from server.research.errors import ResearchError
from server.research.grid.page import write_page
from server.research.grid.plots import PlotsUnavailableError, draw, library
from server.research.grid.run import Results, choices, run
from server.research.grid.settings import RunSettings, checked, read_settings
from server.research.grid.summary import Figures
from server.research.grid.tables import interval, profile_rows, write_tables

SHOWN = 12
_COLUMNS = (
    Column("Configuration", "left"),
    Column("Brier"),
    Column("Difference from the baseline", rank=1),
    Column("Accuracy", rank=2),
    Column("Calls", rank=3),
)


def run_research(
    run_file: Path | None,
    dataset: Path | None,
    kind: str,
    panels: str,
    flags: Mapping[str, str],
    out: Path,
    seed: int | None,
    plots: bool,
    as_json: bool,
) -> None:
    """Run what the file and the flags say; flags win.

    Raises:
        Failure: a file or a name does not fit, or matplotlib is missing.
    """
    try:
        if plots:
            library()
        settings = _settings(run_file, dataset, kind, panels, flags, seed)
        out.mkdir(parents=True, exist_ok=True)
        with _progress(as_json) as bar:
            results = run(settings, out, _Bar(bar))
        write_tables(results, out)
        if plots:
            write_page(results, draw(results, out / "plots"), out / "report.html")
    except (ResearchError, PlotsUnavailableError, OSError) as error:
        raise Failure(str(error), as_json=as_json) from error
    if as_json:
        sys.stdout.write((out / "results.json").read_text(encoding="utf-8"))
    else:
        _show(results, out, plots)


def _settings(
    run_file: Path | None,
    dataset: Path | None,
    kind: str,
    panels: str,
    flags: Mapping[str, str],
    seed: int | None,
) -> RunSettings:
    if run_file is None and dataset is None:
        raise Failure("nothing to ask", "name a RUN.toml, or a data set with --dataset FOLDER")
    values: dict[str, Any] = read_settings(run_file).model_dump(mode="json") if run_file else {"data": {}}
    data, grid = values.setdefault("data", {}), values.setdefault("grid", {})
    if dataset is not None:
        data["folder"] = str(dataset)
    if kind:
        data["kind"] = kind
    if panels:
        data["panels"] = panels.split(",")
    grid.update({choice: names.split(",") for choice, names in flags.items() if names})
    if seed is not None:
        values["seed"] = seed
    return checked(run_file or Path("the command line"), values)


def _progress(as_json: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=looks.console(),
        transient=True,
        disable=as_json,
    )


class _Bar:
    """One bar for the cells and one for the questions of the present cell."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._cells: TaskID | None = None
        self._cases: TaskID = progress.add_task("", total=None, visible=False)

    def planned(self, cells: int) -> None:
        self._cells = self._progress.add_task("cells", total=cells)

    def began(self, name: str, cases: int) -> None:
        self._progress.reset(self._cases, total=cases, description=name, visible=True)

    def asked(self) -> None:
        self._progress.advance(self._cases)

    def ended(self) -> None:
        if self._cells is not None:
            self._progress.advance(self._cells)


def _show(results: Results, out: Path, plots: bool) -> None:
    console = looks.console()
    rows = choices(results.figures)
    title = f"{rows[0].n_questions:,} questions, {rows[0].n_clusters:,} clusters; lowest Brier first"
    console.print(FittingTable(_COLUMNS, [_row(row) for row in rows[:SHOWN]], title))
    for word, cell, by in profile_rows(results):
        console.print(f"{word:>14}: {cell} ({by})")
    console.print(f"results in {out}" + (f"; open {out / 'report.html'}" if plots else ""))


def _row(row: Figures) -> Sequence[str]:
    difference = interval(row.brier_diff, row.brier_diff_low, row.brier_diff_high)
    return row.cell, f"{row.brier:.4f}", difference, f"{row.accuracy:.1%}", f"{row.calls:.2f}"
