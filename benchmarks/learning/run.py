# SPDX-License-Identifier: Apache-2.0
"""Every figure of docs/research.md: python -m benchmarks.learning.run DATA/forecasts."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reporting import write
from server.learning.context import Context
from server.learning.standing import Standings
from server.research.diagnostics import abstention, against_price, calibration
from server.research.evaluate import evaluate_table
from server.research.panels import read_panels
from server.research.selection import CONTEXT, FRUGAL, VALUE, compare
from server.research.series import DEFAULT, MEAN, all_methods
from server.research.table import read_table
from server.research.walk import MODES

MOST_CALLS = 15
MEMBERS, OUTCOMES = 50, 3000


def main(folder: Path) -> None:
    begun = time.process_time()
    table = read_table(folder / "forecasts.parquet", folder / "market_prices.parquet")
    evaluation = evaluate_table(table, read_panels(folder / "panels.json"))
    rows = evaluation.rows()
    results: dict[str, Any] = {
        "evaluation_cpu_s": round(time.process_time() - begun, 1),
        "methods": len(all_methods()),
        "pooled": [row.as_json() for row in rows if row.panel == "pooled"],
        "default_by_panel": [row.as_json() for row in rows if row.default],
        "calibration": {mode: asdict(calibration(evaluation, DEFAULT, mode)) for mode in MODES},
        "price": {
            mode: asdict(found) for mode in MODES if (found := against_price(evaluation, DEFAULT, mode))
        },
        "abstention": {mode: asdict(abstention(evaluation, DEFAULT, MEAN, mode)) for mode in MODES},
        "calls": [asdict(row) for row in compare(evaluation.ensembles, MOST_CALLS, (VALUE, FRUGAL, CONTEXT))],
        "tables_cpu_us_per_outcome": round(time_of_tables() * 1e6),
    }
    results["scored_forecasts_per_minute"] = round(MEMBERS * 60e6 / results["tables_cpu_us_per_outcome"])
    print(write("learning", "python -m benchmarks.learning.run DATA/forecasts", results))


def time_of_tables() -> float:
    """CPU seconds an outcome takes: 50 members, 255 cells."""
    chance = np.random.default_rng(0)
    contexts = [
        Context(category=f"c{topic}", horizon_days=days, regime=regime)
        for topic in range(16)
        for days in (5.0, 50.0, 100.0, 200.0)
        for regime in ("calm", "wild")
    ]
    said = chance.uniform(0.01, 0.99, size=(OUTCOMES, MEMBERS))
    names = tuple(f"m{i}" for i in range(MEMBERS))
    standings = Standings()
    outcome, weights = np.array([1.0, 0.0]), np.ones(MEMBERS)
    begun = time.process_time()
    for i, p in enumerate(said):
        matrix = np.column_stack([p, 1 - p])
        standings.add(600.0 * i, names, matrix, outcome, weights, contexts[i % len(contexts)])
    return (time.process_time() - begun) / OUTCOMES


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the folder of forecasts.parquet, market_prices.parquet and panels.json")
    main(Path(sys.argv[1]))
