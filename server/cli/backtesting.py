# SPDX-License-Identifier: Apache-2.0
"""Runs a backtest and shows how the strategies fared."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from server.cli import looks
from server.cli.failures import Failure
from server.cli.fitting import Column, FittingTable
from server.research.backtest.backtest import Tested, as_json, backtest
from server.research.backtest.kelly import Rules
from server.research.errors import ResearchError
from server.research.grid.cell import Grid
from server.research.grid.recorded_data import read_panels_data

_COLUMNS = (
    Column("Strategy", "left"),
    Column("Return"),
    Column("Against the ensemble", rank=1),
    Column("Sharpe", rank=2),
    Column("Sortino", rank=5),
    Column("Drawdown", rank=4),
    Column("Won", rank=3),
    Column("Positions", rank=6),
    Column("Turnover", rank=7),
)


def run_backtest(
    folder: Path,
    panels: str,
    panels_file: Path | None,
    choices: tuple[str, str, str, str, str],
    split: datetime | None,
    money: tuple[float, float, float, float],
    out: Path | None,
    machine: bool,
) -> None:
    """Test, write and show.

    Raises:
        Failure: a file or a name does not fit.
    """
    kelly, most, half_spread, fee = money
    rules = Rules(kelly_share=kelly, most_share=most, half_spread=half_spread, fee_share=fee)
    since = split.replace(tzinfo=UTC) if split else None
    try:
        (cell,) = Grid(*([choice] for choice in choices)).cells()
        data = read_panels_data(folder, panels.split(",") if panels else (), panels_file)
        with Console(stderr=True).status("") as status:
            tested = backtest(data, cell, rules, since, status.update)
    except (ResearchError, ValueError, OSError) as error:
        raise Failure(str(error), as_json=machine) from error
    text = json.dumps(as_json(tested, rules, cell, data), indent=1) + "\n"
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if machine:
        sys.stdout.write(text)
    else:
        _show(tested)


def _show(tested: Sequence[Tested]) -> None:
    console = looks.console()
    title = "From an equity of 1; 95 % intervals, questions resampled"
    console.print(FittingTable(_COLUMNS, [_row(one) for one in tested], title))
    console.print("An interval that holds 0 shows nothing; docs/backtest.md says what this cannot show.")


def _row(one: Tested) -> Sequence[str]:
    fared = one.fared
    return (
        one.name,
        _span(fared.total_return, one.return_interval),
        _span(one.minus_ensemble, one.minus_ensemble_interval),
        _number(fared.sharpe),
        _number(fared.sortino),
        looks.percent(fared.drawdown),
        looks.percent(fared.win_rate, 0),
        str(fared.positions),
        f"{fared.turnover:.2f}",
    )


def _span(value: float, interval: tuple[float, float]) -> str:
    return f"{value:+.1%} ({interval[0]:+.0%} to {interval[1]:+.0%})"


def _number(value: float | None) -> str:
    return looks.NOT_AVAILABLE if value is None else f"{value:.2f}"
