# SPDX-License-Identifier: Apache-2.0
"""The state of a server as two tables."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from consilience import EnsembleStatus, OperatingMode, ServerStatus
from server.cli import looks
from server.cli.fitting import Column, FittingTable
from server.cli.spend_view import budgets_table

_COLUMNS = (
    Column("Ensemble", "left"),
    Column("Members"),
    Column("Pooling", "left"),
    Column("Weighting", "left", 1),
    Column("Calibration", "left", 2),
    Column("Execution", "left", 3),
    Column("Selection", "left", 4),
)


def show_status(console: Console, status: ServerStatus, server: str) -> None:
    """Print it."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    facts.add_row("Server", Text(f"Consilience {status.version} at {server}", "bold"))
    facts.add_row("Up", f"{_uptime(status.start_time)}, since {status.start_time:%Y-%m-%d %H:%M:%S} UTC")
    normal = status.mode is OperatingMode.NORMAL
    mode = status.mode if normal else f"{status.mode}: {status.mode_reason}"
    facts.add_row("Mode", Text(mode, "green" if normal else "bold yellow"))
    in_flight, answered = status.predictions_in_flight, status.predictions_answered
    facts.add_row("Predictions", f"{answered:,} answered, {in_flight:,} in flight")
    facts.add_row("Records", status.storage)
    for name in ("poolings", "executions", "selections", "calibrations"):
        facts.add_row(name.capitalize(), ", ".join(getattr(status, name)))
    if status.last_prediction is not None:
        last = status.last_prediction
        facts.add_row("Last answer", f"{last} to {last.question_id}, in {looks.duration(last.elapsed_s)}")
    console.print(facts)
    if status.budgets:
        console.print(budgets_table(status.budgets))
    console.print(_ensembles(status))


def _ensembles(status: ServerStatus) -> FittingTable:
    return FittingTable(_COLUMNS, [_row(ensemble) for ensemble in status.ensembles])


def _row(ensemble: EnsembleStatus) -> Sequence[str]:
    method = ensemble.method
    return (
        f"{ensemble.name}{' (default)' if ensemble.is_default else ''}",
        f"{ensemble.enabled_count} of {ensemble.member_count}",
        method.pooling,
        method.weighting,
        method.calibration,
        method.execution,
        method.selection,
    )


def _uptime(start: datetime) -> str:
    seconds = max(0, int((datetime.now(UTC) - start).total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    return (
        f"{days} d {hours:02}:{minutes:02}:{seconds:02}" if days else f"{hours:02}:{minutes:02}:{seconds:02}"
    )
