# SPDX-License-Identifier: Apache-2.0
"""Scores the networks on a recording and shows the scores."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

import models
from models.evaluation import BASELINES, ENSEMBLE, Evaluation, evaluate
from models.judging import Score
from models.manifest import ArtifactError
from models.threads import use_threads
from server.cli import looks
from server.cli.failures import Failure
from server.cli.fitting import Column, FittingTable

_COLUMNS = (
    Column("Forecaster", "left"),
    Column("Macro-F1"),
    Column("95 %"),
    Column("MCC", rank=1),
    Column("ECE", rank=2),
    Column("Slope", rank=4),
    Column("Top tenth right", rank=5),
    Column("Log loss", rank=3),
)
SHIPPED = Path(models.__path__[0]) / "weights"


def run_evaluation(
    recording: Path,
    out: Path | None,
    *,
    repository: Path | None,
    names: Sequence[str],
    precision: str,
    threads: int,
) -> None:
    """Score, write the JSON and show a table for each horizon.

    Raises:
        Failure: the recording, a network or the output cannot be used.
    """
    use_threads(threads)
    if not recording.exists():
        raise Failure(f"recording: {recording} is no file")
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise Failure(f"--json: {out} cannot be written: it is a folder, or is to lie in none that exists")
    try:
        found = evaluate(repository or SHIPPED, recording, names=names, precision=precision, tell=_tell)
        if out is not None:
            out.write_text(json.dumps(found.as_json(), indent=1) + "\n", encoding="utf-8")
    except (ArtifactError, ValueError, OSError) as error:
        raise Failure(str(error)) from error
    _show(found)
    if out is not None:
        looks.console().print(f"written to {out}")


def _tell(name: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rscoring {name} ...\x1b[K")


def _show(found: Evaluation) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    console = looks.console()
    console.print(Text.assemble((found.recording, "bold"), f"  {found.symbol}  {found.rows:,} rows"))
    for horizon in sorted({row.horizon for rows in found.forecasters.values() for row in rows}):
        console.print(_table(found, horizon))
    if found.seen:
        console.print(
            f"{', '.join(found.seen)} learned from this very recording: "
            "these scores say nothing about later data",
            style="yellow",
        )
    if found.same_source:
        console.print(
            f"{', '.join(found.same_source)} learned from another recording of the same source: "
            "if that one holds these rows too, these scores say nothing about later data",
            style="yellow",
        )


def _table(found: Evaluation, horizon: int) -> FittingTable:
    scores = {name: row for name, rows in found.forecasters.items() for row in rows if row.horizon == horizon}
    rows = [(name, *_cells(row)) for name, row in scores.items()]
    styles = ["bold" if name == ENSEMBLE else "dim" if name in BASELINES else "" for name in scores]
    return FittingTable(_COLUMNS, rows, f"{horizon} updates ahead").styled(styles)


def _cells(row: Score) -> list[str]:
    low, high = row.macro_f1_interval

    def figure(value: float | None, form: str = ".3f") -> str:
        return looks.NOT_AVAILABLE if value is None else format(value, form)

    return [
        figure(row.macro_f1),
        f"{low:.3f} to {high:.3f}",
        figure(row.mcc),
        figure(row.ece),
        _slope(row),
        looks.percent(row.accuracy_most_confident_tenth),
        figure(row.log_loss),
    ]


def _slope(row: Score) -> str:
    """``0.98 (0.93 to 1.04)``: the slope and its 95 % interval."""
    if row.calibration_slope is None or row.calibration_slope_interval is None:
        return looks.NOT_AVAILABLE
    low, high = row.calibration_slope_interval
    return f"{row.calibration_slope:.2f} ({low:.2f} to {high:.2f})"
