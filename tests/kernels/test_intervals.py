# SPDX-License-Identifier: Apache-2.0
import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from kernels.consensus import Consensus
from kernels.intervals import outcome_ranges
from kernels.methods import INTERVAL_HIGH, INTERVAL_LOW, PoolingMethod
from kernels.pooling import pool


def by_formula(p, w, centre):
    x = special.logit(np.clip(p, 1e-6, 1 - 1e-6))
    n = 1 / (w**2).sum()
    unbiased = (w * (x - w @ x) ** 2).sum() / (1 - 1 / n) if n > 1 + 1e-9 else 0.0
    degrees = 1 + (n - 1)
    s = np.sqrt((1.0 + (n - 1) * unbiased) / degrees)
    half = stats.t.ppf(0.95, degrees) * s * np.sqrt(1 + 1 / n)
    middle = special.logit(np.clip(centre, 1e-6, 1 - 1e-6))
    return min(special.expit(middle - half), centre), max(special.expit(middle + half), centre)


@given(seed=st.integers(0, 2**32 - 1), outcomes=st.integers(2, 4), members=st.integers(1, 9))
def test_ranges_against_their_formula(seed, outcomes, members):
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.ones(outcomes), members)
    p[1:][random.random(members - 1) < 0.3] = np.nan
    found = pool(p, random.random(members) + 0.05, PoolingMethod.LINEAR)
    counted = found.used_weights > 0
    out = np.empty((outcomes, 2))
    outcome_ranges(p, found.used_weights, found.probabilities, np.empty(members), out)
    for c in range(outcomes):
        expected = by_formula(p[counted, c], found.used_weights[counted], found.probabilities[c])
        np.testing.assert_allclose(out[c], expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.interval, out[0], atol=1e-12)


def test_nobody_leaves_everything_open():
    out = np.empty((2, 2))
    outcome_ranges(np.full((1, 2), np.nan), np.zeros(1), np.full(2, np.nan), np.empty(1), out)
    np.testing.assert_array_equal(out, [[0, 1], [0, 1]])


def panels():
    folder = Path(os.environ.get("CONSILIENCE_DATA", "")) / "forecasts"
    if not (folder / "panels.json").is_file():
        pytest.skip("CONSILIENCE_DATA does not name a folder with recorded forecasts")
    forecasts = pl.read_parquet(
        folder / "forecasts.parquet", columns=["unit_id", "collection", "question_type", "model", "prob"]
    )
    for panel in json.loads((folder / "panels.json").read_text())["panels"]:
        own = forecasts.filter(
            (pl.col("collection") == panel["collection"]) & pl.col("model").is_in(panel["models"])
        )
        if panel.get("question_type"):
            own = own.filter(pl.col("question_type") == panel["question_type"])
        units = own.group_by("unit_id", maintain_order=True).agg(pl.col("prob"))
        yield [np.array(p) for p in units["prob"] if len(p) >= panel["min_forecasters"]]


@pytest.mark.parametrize("others", [2, 5, 10])
def test_the_range_holds_a_forecaster_that_was_left_out(others):
    random = np.random.default_rng(0)
    pooled = Consensus(others, 2)
    for panel in panels():
        held = []
        for p in (units for units in panel if len(units) > others):
            for left_out, *rest in (random.permutation(p) for _ in range(3)):
                rows = np.stack([rest[:others], 1 - np.array(rest[:others])], 1)
                pooled(np.ascontiguousarray(rows), np.ones(others), int(PoolingMethod.LOG_ODDS))
                low, high = pooled.summary[[INTERVAL_LOW, INTERVAL_HIGH]]
                held.append(low <= left_out <= high)
        assert not held or np.mean(held) > 0.88
