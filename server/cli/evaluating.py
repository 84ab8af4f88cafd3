# SPDX-License-Identifier: Apache-2.0
"""Runs an evaluation and shows its rows."""

from collections.abc import Sequence
from pathlib import Path

from server.cli import looks
from server.cli.failures import Failure
from server.cli.fitting import Column, FittingTable
from server.research.errors import ResearchError
from server.research.evaluate import evaluate, write_json
from server.research.rows import Row

POOLED = "pooled"
SHOWN = 12
_COLUMNS = (
    Column("Method", "left"),
    Column("Brier"),
    Column("Log score", rank=1),
    Column("ECE", rank=2),
    Column("Slope", rank=3),
    Column("Difference from the mean"),
)


def run_evaluation(forecasts: Path, panels: Path, market: Path | None, out: Path | None) -> None:
    """Evaluate, write the rows and show the best.

    Raises:
        Failure: a file is missing or does not fit.
    """
    try:
        rows = evaluate(forecasts, panels, market)
    except (ResearchError, OSError) as error:
        raise Failure(str(error)) from error
    if out is not None:
        write_json(rows, out)
    console = looks.console()
    for mode in dict.fromkeys(row.mode for row in rows):
        console.print(_table(mode, [row for row in rows if row.mode == mode and row.panel == POOLED]))
    if out is not None:
        console.print(f"{len(rows):,} rows written to {out}")


def _table(mode: str, rows: Sequence[Row]) -> FittingTable:
    """The default and the methods with the lowest Brier score over all panels."""
    best = sorted(rows, key=lambda row: row.brier)[:SHOWN]
    shown = [*(row for row in rows if row.default and row not in best), *best]
    title = f"{mode}: all panels, {shown[0].n_clusters if shown else 0} clusters"
    table = FittingTable(_COLUMNS, [_row(row) for row in shown], title)
    return table.styled(["bold" if row.default else "" for row in shown])


def _row(row: Row) -> Sequence[str]:
    return (
        row.method,
        *(f"{value:.4f}" for value in (row.brier, row.log_score, row.ece)),
        looks.NOT_AVAILABLE if row.slope is None else f"{row.slope:.2f}",
        f"{row.diff_mean:+.4f} ({row.diff_mean_low:+.4f} to {row.diff_mean_high:+.4f})",
    )
