# SPDX-License-Identifier: Apache-2.0
"""Performance as tables and files, and the summary report."""

import math
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from statistics import fmean

from rich.table import Table

from consilience import Client, Cost, CostSource, Performance, PerformanceReport, Prediction
from server.cli import looks
from server.cli.failures import Failure, friendly
from server.cli.fitting import Column, FittingTable
from server.cli.plain import write_json

_COLUMNS = (
    Column("Member", "left"),
    Column("Category", "left", style="dim"),
    Column("Horizon", "left", style="dim"),
    Column("Regime", "left", style="dim"),
    Column("Scored"),
    Column("Right"),
    Column("Brier"),
    Column("vs. others", rank=1),
    Column("Log", rank=5),
    Column("ECE", rank=6),
    Column("Bias", rank=7),
    Column("Slope", rank=8),
    Column("Worth", rank=2),
    Column("Profit", rank=4),
    Column("Cost", rank=3),
)
#: Stored answers that the summary looks at, newest first.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What was answered; None where nothing was, or where a figure means nothing."""

    predictions: int
    mean_latency_s: float | None
    p95_latency_s: float | None
    mean_vote_share: float | None
    mean_confidence: float | None
    decisions: dict[str, int]
    total_cost_nano_usd: int
    absences: dict[str, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """What rows are narrowed down to; empty: all."""

    category: str = ""
    horizon: str = ""
    regime: str = ""

    def shows(self, row: Performance) -> bool:
        """Whether a row is no narrower than this."""
        parts = ((self.category, row.category), (self.horizon, row.horizon), (self.regime, row.regime))
        return all(wanted == found for wanted, found in parts)


def show_performance(
    ensemble: str,
    member: str,
    cell: Cell,
    window: str,
    cells: bool,
    export: Path | None,
    server: str,
    as_json: bool,
) -> None:
    """Fetch, write the file that is wanted, and show."""
    with friendly(server, as_json), Client(server) as client:
        report = client.admin.performance(ensemble, member=member, window=window, **asdict(cell))
    if export is not None:
        write_rows(report.performances, export)
    if as_json:
        write_json(report)
        return
    console = looks.console()
    rows = [
        row for row in report.performances if row.window == (window or "all") and (cells or cell.shows(row))
    ]
    if not rows:
        console.print(_nothing(member, cell, window))
        return
    console.print(_table(sorted(rows, key=lambda row: (row.category, row.horizon, row.regime, row.brier))))
    console.print(_independence(report))
    if export is not None:
        console.print(f"{len(report.performances):,} rows written to {export}")


def _nothing(member: str, cell: Cell, window: str) -> str:
    if not any((member, window, *astuple(cell))):
        return "no outcome is known yet; say some with: consilience outcomes record QUESTION_ID YES"
    asked = ", ".join(repr(name) for name in (member, *astuple(cell), window) if name)
    return f"nothing was scored for {asked}; `consilience performance --cells` shows all there is"


def write_rows(rows: Sequence[Performance], path: Path) -> None:
    """All rows as Parquet or CSV, by the name's end.

    Raises:
        Failure: the name ends otherwise, or the file cannot be written.
    """
    import polars as pl

    if path.suffix not in (".parquet", ".csv"):
        raise Failure(f"{path}: the name must end in .parquet or .csv")
    frame = pl.DataFrame([asdict(row) for row in rows], infer_schema_length=None)
    try:
        frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error}") from error


def show_summary(server: str, as_json: bool) -> None:
    """Add up what is stored, and show it."""
    found: list[Prediction] = []
    with friendly(server, as_json), Client(server) as client:
        for prediction in client.admin.predictions(timeout_s=30.0):
            found.append(prediction)
            if len(found) == MOST:
                break
    summary = summary_of(found)
    if as_json:
        write_json(summary)
    else:
        looks.console().print(_summary_table(summary))


def summary_of(predictions: Sequence[Prediction]) -> Summary:
    """Means, the 95th percentile, counts and the total of stored answers."""
    latencies = sorted(prediction.elapsed_s for prediction in predictions)
    decisions: dict[str, int] = {}
    absences: dict[str, int] = {}
    for prediction in predictions:
        decisions[prediction.decision.action] = decisions.get(prediction.decision.action, 0) + 1
        for part in prediction.members:
            if part.absent is not None:
                absences[part.absent.reason] = absences.get(part.absent.reason, 0) + 1
    return Summary(
        predictions=len(predictions),
        mean_latency_s=fmean(latencies) if latencies else None,
        p95_latency_s=latencies[math.ceil(0.95 * len(latencies)) - 1] if latencies else None,
        mean_vote_share=fmean(p.agreement.vote_share for p in predictions) if predictions else None,
        mean_confidence=fmean(p.confidence for p in predictions) if predictions else None,
        decisions=decisions,
        total_cost_nano_usd=sum(p.cost.nano_usd for p in predictions if p.cost is not None),
        absences=absences,
    )


def _is_wide(row: Performance) -> bool:
    return not (row.category or row.horizon or row.regime)


def _table(rows: Sequence[Performance]) -> FittingTable:
    cells = any(not _is_wide(row) for row in rows)
    return FittingTable(_COLUMNS, [(row.member, *_cell(row, cells), *_figures(row)) for row in rows])


def _cell(row: Performance, shown: bool) -> Sequence[str]:
    names = (row.category, row.horizon, row.regime)
    return [name or "all" if shown else "" for name in names]


def _figures(row: Performance) -> Sequence[str]:
    cost = None if row.mean_cost_nano_usd is None else Cost(row.mean_cost_nano_usd, CostSource.UNSPECIFIED)
    return (
        f"{row.count:,}",
        looks.percent(row.accuracy, 0),
        f"{row.brier:.3f}",
        f"{row.excess:+.3f}",
        f"{row.log_score:.3f}",
        f"{row.calibration_error:.3f}",
        f"{row.bias:+.3f}",
        looks.NOT_AVAILABLE if math.isnan(row.calibration_slope) else f"{row.calibration_slope:.2f}",
        looks.NOT_AVAILABLE if row.contribution is None else f"{row.contribution:+.4f}",
        looks.NOT_AVAILABLE if row.profit_factor is None else _factor(row.profit_factor),
        looks.money(cost),
    )


def _factor(profit: float) -> str:
    return "∞" if math.isinf(profit) else f"{profit:.2f}"


def _independence(report: PerformanceReport) -> str:
    found = report.correlation
    if found is None:
        return ""
    return (
        f"{len(found.members)} members are worth {found.effective_members:.1f} independent ones. "
        "Worth: how much worse the ensemble's Brier score is without the member."
    )


def _summary_table(summary: Summary) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    decisions = ", ".join(f"{count:,} {name}" for name, count in sorted(summary.decisions.items()))
    absences = ", ".join(f"{count:,} {name}" for name, count in sorted(summary.absences.items()))
    for name, value in (
        ("answers", f"{summary.predictions:,}"),
        (
            "latency",
            f"mean {looks.duration(summary.mean_latency_s)}, p95 {looks.duration(summary.p95_latency_s)}",
        ),
        ("consensus", f"{looks.percent(summary.mean_vote_share)} agree on average"),
        ("confidence", looks.percent(summary.mean_confidence)),
        ("decisions", decisions or looks.NOT_AVAILABLE),
        ("cost", looks.money(Cost(summary.total_cost_nano_usd, CostSource.UNSPECIFIED))),
        ("absences", absences or "none"),
    ):
        table.add_row(name, value)
    return table
