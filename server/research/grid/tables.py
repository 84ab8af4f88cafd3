# SPDX-License-Identifier: Apache-2.0
"""A run's results as files for machines and for people: JSON, CSV, Markdown."""

import csv
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import polars as pl

from server.research.grid.profile import price
from server.research.grid.run import Results, choices
from server.research.grid.summary import Figures

NOT_KNOWN = "n/a"
SIMULATED = "Latency, failures and cost are declared, not measured: simulated."
PROFILE_WORDS = {
    "fastest": "Fastest",
    "cheapest": "Cheapest",
    "most_reliable": "Most reliable",
    "most_accurate": "Most accurate",
    "best_value": "Best value",
}


def write_tables(results: Results, out: Path) -> None:
    """``configuration.json``, and ``results`` as ``.json``, ``.csv``, ``.parquet`` and ``.md``."""
    _json(out / "configuration.json", results.configuration)
    _json(out / "results.json", results.as_json())
    _csv(out / "results.csv", (*results.figures, *results.sizes))
    rows = [row.as_json() for row in (*results.figures, *results.sizes)]
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(out / "results.parquet")
    (out / "results.md").write_text(markdown(results), encoding="utf-8")


def markdown(results: Results) -> str:
    """The tables of a run for people."""
    configuration = results.configuration
    parts = [
        f"# {configuration['name']}",
        f"Seed {configuration['seed']}, code {configuration['recorded']['code']}. {SIMULATED}",
        "## Profile",
        _table(("", "configuration", "by"), profile_rows(results)),
        "## Configurations",
        _table(HEAD, [line(row) for row in choices(results.figures)]),
    ]
    if results.sizes:
        parts += ["## Ensemble size", _table(HEAD, [line(row) for row in _whole(results.sizes)])]
    if results.members:
        parts += ["## Members", _table(MEMBER_HEAD, [member_line(row) for row in results.members])]
    return "\n\n".join(parts) + "\n"


HEAD = (
    "configuration",
    "Brier",
    "difference",
    "log score",
    "accuracy",
    "ECE",
    "answered",
    "calls",
    "cost",
    "p95",
    "consensus",
)
MEMBER_HEAD = ("member", "questions", "alone", "ensemble − alone", "without − with")


def line(row: Figures) -> tuple[str, ...]:
    """One configuration for people."""
    return (
        row.cell,
        f"{row.brier:.4f}",
        interval(row.brier_diff, row.brier_diff_low, row.brier_diff_high),
        f"{row.log_score:.4f}",
        f"{row.accuracy:.1%}",
        NOT_KNOWN if row.ece is None else f"{row.ece:.3f}",
        f"{row.reliability:.1%}",
        f"{row.calls:.2f}",
        NOT_KNOWN if row.cost_usd is None else f"${row.cost_usd:.4f}",
        NOT_KNOWN if row.latency_p95_s is None else f"{row.latency_p95_s:.2f} s",
        NOT_KNOWN if row.consensus is None else f"{row.consensus:.2f}",
    )


def member_line(row: dict[str, Any]) -> tuple[str, ...]:
    """One member for people."""
    return (
        row["member"],
        str(row["n_questions"]),
        f"{row['alone']:.4f}",
        *(
            interval(row[key], row[f"{key}_low"], row[f"{key}_high"])
            for key in ("ensemble_minus_alone", "without_minus_with")
        ),
    )


def profile_rows(results: Results) -> list[tuple[str, ...]]:
    """The profile for people."""
    rows: list[tuple[str, ...]] = []
    for key, word in PROFILE_WORDS.items():
        found = results.profile[key]
        if found is None:
            rows.append((word, NOT_KNOWN, "no latency is declared"))
            continue
        by = ", ".join(
            f"{name} {value:g}" for name, value in found.items() if name != "cell" and value is not None
        )
        rows.append((word, found["cell"], by))
    return rows


def interval(mean: float, low: float, high: float) -> str:
    """A difference with its interval."""
    return f"{mean:+.4f} ({low:+.4f} to {high:+.4f})".replace("-", "−")


def prices(rows: Sequence[Figures]) -> list[float]:
    """What each costs, dollars or calls."""
    return [price(row) for row in rows]


def _whole(rows: Sequence[Figures]) -> list[Figures]:
    return [row for row in rows if row.panel == rows[-1].panel]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _csv(path: Path, rows: Sequence[Figures]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Figures))
        writer.writerows([getattr(row, field.name) for field in fields(Figures)] for row in rows)
