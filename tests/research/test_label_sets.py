# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from server.learning.batches import Asked
from server.learning.context import Context
from server.learning.coverage import LEVEL
from server.research.cases import BACKGROUND, Ensemble, make_ensembles
from server.research.label_sets import coverage_of
from server.research.panels import read_panels
from server.research.series import DEFAULT
from server.research.table import read_table
from server.research.walk import walk
from tests.research.samples import DATA, needs_data


def simulated(count: int, seed: int, panel: int = 0) -> tuple[Ensemble, np.ndarray]:
    """Questions one a day, resolved two days later; said too boldly, as forecasters do."""
    chance = np.random.default_rng(seed)
    true = chance.uniform(0.0, 1.0, count)
    said = true**1.5 / (true**1.5 + (1.0 - true) ** 1.5)
    days = np.arange(count)
    ensemble = Ensemble(
        panel=panel,
        asked=Asked(("a",), said[:, None], (Context("k", "s"),) * count),
        unit=days,
        forecast_day=days,
        resolution_day=days + 2,
        outcome=(chance.random(count) < true).astype(float),
        cluster=days,
        shocks=tuple(("s", int(day)) for day in days),
    )
    return ensemble, said


@pytest.mark.parametrize("seed", range(3))
def test_exchangeable_questions_are_covered_as_often_as_wanted(seed: int) -> None:
    ensemble, said = simulated(3000, seed)
    panel, pooled = coverage_of([ensemble], [said], ["simulated"])
    assert panel.coverage == pytest.approx(LEVEL, abs=0.025)
    assert panel.coverage_low < panel.coverage < panel.coverage_high
    assert 1.0 < panel.mean_size < 1.9
    assert (pooled.panel, pooled.coverage) == ("pooled", panel.coverage)
    assert panel.n_units < 3000  # nothing is said before enough is known


def test_nothing_later_is_learned_from() -> None:
    """Every outcome known only after the last question: no set is ever given, so no panel is shown."""
    ensemble, said = simulated(200, 1)
    late = replace(ensemble, resolution_day=ensemble.resolution_day + 1000)
    assert coverage_of([late], [said], ["late"]) == []


def test_the_background_teaches_and_is_not_scored() -> None:
    past, said_past = simulated(300, 2, BACKGROUND)
    ensemble, said = simulated(100, 3)
    later = replace(
        ensemble,
        forecast_day=ensemble.forecast_day + 500,
        resolution_day=ensemble.resolution_day + 500,
    )
    panel, _ = coverage_of([later, past], [said, said_past], ["later"])
    assert panel.n_units == 100


@needs_data
def test_label_sets_hold_the_truth_on_real_forecasts() -> None:
    assert DATA is not None
    panels = read_panels(DATA / "panels.json")
    ensembles = make_ensembles(read_table(DATA / "forecasts.parquet", DATA / "market_prices.parquet"), panels)
    said = [rows[0] for rows in walk(ensembles, [DEFAULT], background=True).said["strict"]]
    pooled = coverage_of(ensembles, said, [panel.name for panel in panels])[-1]
    assert pooled.panel == "pooled"
    assert pooled.coverage_high > LEVEL
    assert pooled.coverage > LEVEL - 0.01
    assert pooled.mean_size < 1.4
