# SPDX-License-Identifier: Apache-2.0
"""Prices, calibration, calls and money: python -m benchmarks.research.report DATA/forecasts.

Writes ``benchmarks/results/research.json`` and, where matplotlib is installed,
pictures into ``docs/images``.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.reporting import write
from server.research.backtest.backtest import Tested, backtest
from server.research.backtest.kelly import Rules
from server.research.diagnostics import against_price, calibration
from server.research.evaluate import Evaluation, evaluate_table
from server.research.grid.cell import Cell
from server.research.grid.drive import World, drive
from server.research.grid.plots import PlotsUnavailableError, draw_frontier, library, save
from server.research.grid.recorded_data import read_panels_data
from server.research.grid.score import CellScores
from server.research.grid.summary import Scorer
from server.research.panels import read_panels
from server.research.selection import CONTEXT, FRUGAL, VALUE, CallsRow, compare
from server.research.series import DEFAULT, MEAN
from server.research.table import read_table
from server.research.walk import MODES

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MOST_CALLS = 15
SERVED = Cell(weighting="agreement", calibration="hierarchical")
#: The two dates with prices have only these forecasters in common.
TWO_DATES = {
    "name": "two-dates",
    "collection": "fb",
    "question_type": "market",
    "models": ["fbpub:openai-gpt-5-2025-08-07_zero_shot", "pro-high-brave-c1-t1"],
    "min_forecasters": 1,
}
SPLIT = datetime(2025, 10, 26, tzinfo=UTC)


def main(folder: Path) -> None:
    table = read_table(folder / "forecasts.parquet", folder / "market_prices.parquet")
    evaluation = evaluate_table(table, read_panels(folder / "panels.json"), (DEFAULT, MEAN))
    calls = compare(evaluation.ensembles, MOST_CALLS, (VALUE, FRUGAL, CONTEXT))
    results = {
        "price_and_ensemble": prices(evaluation),
        "calibration": {mode: asdict(calibration(evaluation, DEFAULT, mode)) for mode in MODES},
        "calls": [asdict(row) for row in calls],
        "through_the_engine": served(folder),
        "backtest": rows(backtest(read_panels_data(folder, ["forecastbench-market"]), SERVED, Rules())),
        "backtest_two_dates": two_dates(folder, sorted(table.models)),
    }
    print(write("research", "python -m benchmarks.research.report DATA/forecasts", results))
    try:
        print(save(library(), partial(frontier, calls=calls), IMAGES / "calls.png"))
    except PlotsUnavailableError as error:
        print(error)


def prices(evaluation: Evaluation) -> dict[str, Any]:
    """The default, which has the price as a member, minus the price, on the units that have one."""
    found = {mode: against_price(evaluation, DEFAULT, mode) for mode in MODES}
    return {mode: asdict(one) for mode, one in found.items() if one is not None}


def served(folder: Path) -> list[dict[str, Any]]:
    """The default as the engine gives it, question by question, and the mean; taught by the panels alone."""
    data = read_panels_data(folder)
    scorer = Scorer(data.cases)
    plain = CellScores.of(drive(World(read_panels_data(folder, market=False)), Cell("linear")))
    found = []
    for cell in (SERVED, Cell(weighting="agreement"), Cell()):
        own = CellScores.of(drive(World(data), cell))
        interval = scorer.interval(own.brier - plain.brier)
        found.append({"cell": cell.name, "brier": scorer.mean(own.brier), "minus_mean": interval})
    return found


def two_dates(folder: Path, models: Sequence[str]) -> list[dict[str, Any]]:
    """Weights learned on the outcomes of one date, tested on the next."""
    wanted = {
        **TWO_DATES,
        "models": [m for m in models if m.startswith(("fbpub:openai", "pro-high-brave-c1-t1"))],
    }
    with tempfile.TemporaryDirectory() as place:
        panels = Path(place) / "panels.json"
        panels.write_text(json.dumps({"panels": [wanted]}), encoding="utf-8")
        return rows(backtest(read_panels_data(folder, (), panels), SERVED, Rules(), SPLIT))


def rows(tested: Sequence[Tested]) -> list[dict[str, Any]]:
    return [one.as_json() for one in tested]


def frontier(axes: Any, calls: Sequence[CallsRow]) -> None:
    every = [row for row in calls if row.selection == VALUE]
    counts = [row.calls for row in every]
    axes.plot(
        counts, [row.random for row in every], color="#b3541e", marker="s", ls="--", label="random members"
    )
    draw_frontier(axes, [(float(row.calls), row.selected, "") for row in every], 0)
    low = [row.selected - (row.diff_mean - row.diff_mean_low) for row in every]
    high = [row.selected + (row.diff_mean_high - row.diff_mean) for row in every]
    axes.fill_between(
        counts, low, high, color="#9fb8b6", alpha=0.4, label="selected, interval of the difference"
    )
    frugal = [row for row in calls if row.selection == FRUGAL]
    axes.plot(
        [row.made for row in frugal],
        [row.selected for row in frugal],
        color="#2f4b7c",
        marker="^",
        ls=":",
        label="selected, those that do no good left out",
    )
    axes.set(xlabel="calls a question", ylabel="Brier score", title="Selected members against random ones")
    axes.legend()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the folder of forecasts.parquet, market_prices.parquet and panels.json")
    main(Path(sys.argv[1]))
