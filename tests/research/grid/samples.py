# SPDX-License-Identifier: Apache-2.0
"""A folder of recorded forecasts, made up by chance, that the recordings and the runner both read."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from server.research.grid.settings import RunSettings, checked
from tests.research.samples import PANELS, rows


def write_folder(folder: Path, table: pl.DataFrame | None = None) -> Path:
    """The folder, with forecasts, questions and panels."""
    folder.mkdir(parents=True, exist_ok=True)
    forecasts = (rows() if table is None else table).with_columns(
        pl.col("model").alias("base_model"),
        pl.lit("maker").alias("provider"),
        pl.lit("llm_live").alias("kind"),
        pl.lit(None, dtype=pl.String).alias("market_prob_date"),
        pl.lit(None, dtype=pl.Int64).alias("n_trials"),
        *(pl.lit(False).alias(name) for name in ("search", "tools", "market_shown", "imputed")),
    )
    forecasts.write_parquet(folder / "forecasts.parquet")
    group = pl.col("question_id").str.extract(r"^(m\d+):")
    forecasts.select("question_id").unique(maintain_order=True).with_columns(
        pl.format("Will {} be true?", "question_id").alias("question"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in ("url", "category", "close_date")),
        group.alias("exclusive_group"),
    ).write_parquet(folder / "questions.parquet")
    (folder / "panels.json").write_text(json.dumps(PANELS))
    return folder


def settings(folder: Path, **values: Any) -> RunSettings:
    """A small run over the folder."""
    grid = {
        "pooling": ["linear", "log_odds"],
        "weighting": ["fixed", "agreement"],
        "calibration": ["none", "platt"],
        "execution": ["parallel", "sequential"],
        "selection": ["all", "value:2", "random:2"],
    }
    return checked(Path("run.toml"), {"data": {"folder": str(folder)}, "grid": grid, **values})


class Silent:
    """A watcher that counts what was driven and can stop a run in its tracks."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.cells = 0
        self.done = 0
        self.driven: list[str] = []
        self._stop_after = stop_after

    def planned(self, cells: int) -> None:
        self.cells = cells

    def began(self, name: str, cases: int) -> None:
        if len(self.driven) == self._stop_after:
            raise KeyboardInterrupt
        self.driven.append(name)

    def asked(self) -> None:
        pass

    def ended(self) -> None:
        self.done += 1
