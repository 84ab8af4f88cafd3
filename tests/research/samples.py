# SPDX-License-Identifier: Apache-2.0
"""A small file of forecasts of the real schema, made up by chance; and where the real ones are."""

import json
import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

_ROOT = os.environ.get("CONSILIENCE_DATA")
DATA = Path(_ROOT) / "forecasts" if _ROOT else None
needs_data = pytest.mark.skipif(
    DATA is None or not DATA.is_dir(),
    reason="no full data: set CONSILIENCE_DATA to the folder of forecasts/ and lob/",
)

BEGIN = date(2025, 1, 6)
MODELS = tuple(f"model-{letter}" for letter in "abcde")
PANELS = {
    "panels": [
        {
            "name": "markets",
            "collection": "one",
            "question_type": "market",
            "models": list(MODELS),
            "min_forecasters": 4,
            "cluster": "question_id",
        },
        {
            "name": "matches",
            "collection": "two",
            "question_type": None,
            "models": list(MODELS[:3]),
            "min_forecasters": 3,
            "cluster": "match (question_id up to its last colon)",
        },
    ]
}


def rows(seed: int = 0, questions: int = 36) -> pl.DataFrame:
    """Market questions (some by too few models, some without a price) and matches of three outcomes."""
    chance = np.random.default_rng(seed)
    made = []
    for number in range(questions):
        market = number % 3 > 0
        count = 1 if market else 3
        begin = BEGIN + timedelta(days=int(chance.integers(0, 20)))
        end = begin + timedelta(days=int(chance.integers(1, 20)))
        winner = int(chance.integers(0, 3))
        for part in range(count):
            truth = float(chance.normal(0, 1.5)) if market else (1.0 if part == winner else -1.2)
            outcome = int(chance.random() < 1 / (1 + np.exp(-truth))) if market else int(part == winner)
            question = f"q{number}" if market else f"m{number}:{part}"
            stale, fresh = float(chance.random()), float(chance.random())
            told = MODELS[: int(chance.integers(2, 6))] if market else MODELS[:3]
            for place, model in enumerate(told):
                noise = chance.normal(0, 0.3 + 0.3 * place)
                made.append(
                    {
                        "collection": "one" if market else "two",
                        "unit_id": f"{question}|{begin}|{end}",
                        "question_id": question,
                        "source": f"s{number % 2}",
                        "question_type": "market" if market else "sports",
                        "category": "topic" if number % 2 else None,
                        "forecast_due_date": begin.isoformat(),
                        "resolution_date": end.isoformat(),
                        "model": model,
                        "prob": float(1 / (1 + np.exp(-truth - noise))),
                        "market_prob": stale if market else None,
                        "market_prob_on_due_date": fresh if market and number % 2 else None,
                        "outcome": outcome,
                    }
                )
    return pl.DataFrame(made)


def write(folder: Path, table: pl.DataFrame | None = None) -> tuple[Path, Path]:
    """Paths of the forecasts and of the panels."""
    forecasts, panels = folder / "forecasts.parquet", folder / "panels.json"
    (rows() if table is None else table).write_parquet(forecasts)
    panels.write_text(json.dumps(PANELS))
    return forecasts, panels
