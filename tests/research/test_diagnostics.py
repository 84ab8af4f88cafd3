# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from server.research.diagnostics import (
    abstention,
    against_price,
    calibration,
    resampled,
    risk_coverage,
)
from server.research.evaluate import evaluate_table
from server.research.panels import read_panels
from server.research.scores import Scored
from server.research.series import DEFAULT, MEAN
from server.research.table import read_table
from server.research.walk import MODES
from tests.research.samples import DATA, needs_data, write


def test_the_area_by_hand():
    losses, weights = np.array([0.3, 0.1, 0.2]), np.ones(3)
    assert risk_coverage(losses, losses, weights) == pytest.approx((0.1 + 0.15 + 0.2) / 3)
    assert risk_coverage(losses, -losses, weights) == pytest.approx((0.3 + 0.25 + 0.2) / 3)


def test_resampling_keeps_the_number_of_clusters():
    panel = Scored(np.zeros(5), np.array([0, 0, 1, 2, 2]))
    chance = np.random.default_rng(0)
    for _ in range(20):
        assert resampled([panel], chance).sum() == pytest.approx(3)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    forecasts, panels = write(tmp_path_factory.mktemp("small"))
    return evaluate_table(read_table(forecasts), read_panels(panels), [DEFAULT])


def test_a_method_does_not_abstain_better_than_itself(small):
    same = abstention(small, DEFAULT, DEFAULT, "strict", resamples=50)
    assert same.diff_mean == 0
    assert same.diff_interval == (0, 0)


def test_only_units_with_a_price_of_the_day_are_compared_with_it(small):
    compared = against_price(small, MEAN, "strict")
    assert compared is not None
    assert compared.diff_mean == pytest.approx(compared.own - compared.other)
    assert compared.diff_interval[0] <= compared.diff_mean <= compared.diff_interval[1]


@pytest.fixture(scope="module")
def real():
    assert DATA is not None
    table = read_table(DATA / "forecasts.parquet", DATA / "market_prices.parquet")
    return evaluate_table(table, read_panels(DATA / "panels.json"), [DEFAULT])


@needs_data
@pytest.mark.parametrize("mode", MODES)
def test_the_default_is_calibrated_on_real_forecasts(real, mode):
    found = calibration(real, DEFAULT, mode, resamples=100)
    assert found.slope_interval[0] <= 1 <= found.slope_interval[1]
    assert found.intercept_interval[0] <= 0 <= found.intercept_interval[1]
    assert found.ece <= found.ece_by_chance
    price = against_price(real, DEFAULT, mode)
    assert price is not None
    assert price.diff_interval[0] <= 0
