# SPDX-License-Identifier: Apache-2.0
"""Experiments for people."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from consilience import ArmReport, Client, Experiment, ExperimentReport, ExperimentState
from server.cli.failures import friendly
from server.cli.fitting import Cell, Column, FittingTable
from server.cli.looks import NOT_AVAILABLE, console, percent
from server.cli.plain import write_json

_COLUMNS = (
    Column("Arm", "left"),
    Column("Differs", "left", 3, "dim"),
    Column("Predictions", rank=2),
    Column("Resolved"),
    Column("Brier", rank=1),
    Column("Difference"),
    Column("Interval"),
    Column("Finding", "left"),
)
STYLES = {"better": "bold green", "worse": "bold red", "undecided": "dim"}


def show_list(server: str, as_json: bool) -> None:
    """All experiments."""
    with friendly(server, as_json), Client(server) as client:
        found = client.admin.experiments()
    if as_json:
        write_json({"experiments": found})
        return
    for one in found:
        console().print(_line(one))
    if not found:
        console().print("no experiments; [experiments.NAME] in the configuration makes one")


def show_report(name: str, server: str, as_json: bool) -> None:
    """One experiment and what it has shown."""
    with friendly(server, as_json), Client(server) as client:
        found = client.admin.experiment(name)
    if as_json:
        write_json(found)
        return
    out = console()
    out.print(_line(found.experiment))
    out.print(_table(found))
    out.print(f"{found.level:.0%} of all intervals together, at every look; below 0 is better", style="dim")


def change(name: str, state: str, arm: str, etag: str, server: str, as_json: bool) -> None:
    """Decide what becomes of an experiment."""
    with friendly(server, as_json), Client(server) as client:
        now = client.admin.update_experiment(name, ExperimentState(state), arm=arm, etag=etag)
    if as_json:
        write_json(now)
    else:
        console().print(_line(now))


def _line(one: Experiment) -> str:
    state = f"promoted: {one.promoted}" if one.promoted else one.state.replace("_", " ")
    arms = ", ".join(f"{arm.name} {percent(arm.share, 0)}" for arm in one.arms)
    return f"{one.name} ({state}) on {one.ensemble} by {one.unit}: {arms}"


def _table(found: ExperimentReport) -> FittingTable:
    differs = {arm.name: arm.differs for arm in found.experiment.arms}
    return FittingTable(_COLUMNS, [_row(report, differs.get(report.arm, {})) for report in found.reports])


def _row(report: ArmReport, differs: Mapping[str, str]) -> Sequence[Cell]:
    words = "; ".join(f"{name}: {value}" for name, value in differs.items())
    finding = Text(report.finding or "control", STYLES.get(report.finding, ""))
    return report.arm, words or "as configured", *_figures(report), finding


def _figures(report: ArmReport) -> tuple[str, ...]:
    interval = NOT_AVAILABLE if report.low is None else f"{report.low:+.4f} to {report.high:+.4f}"
    return (
        str(report.predictions),
        str(report.resolved),
        NOT_AVAILABLE if report.brier is None else f"{report.brier:.4f}",
        NOT_AVAILABLE if report.difference is None else f"{report.difference:+.4f}",
        interval,
    )
