# SPDX-License-Identifier: Apache-2.0
"""What holds for every calibrator, and what each of them finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from kernels.calibrators import calibrated
from server.learning.batches import expit, log_odds
from server.learning.calibration import Outcomes, Pools
from server.learning.context import Context
from server.learning.isotonic import Isotonic
from server.learning.methods import CALIBRATORS
from server.learning.redundancy import spread_factor

KIND = Context(kind="dataset", source="fred", category="Macro", horizon_days=30.0)


def pools(x, context=KIND, members=10) -> Pools:
    x = np.asarray(x, float)
    return Pools(x, (context,) * len(x), np.full(len(x), members))


def drawn(rows, slope, intercept, seed=0, context=KIND, shocks=None):
    """Pools whose outcomes happen with log-odds intercept + slope × pool."""
    chance = np.random.default_rng(seed)
    x = chance.normal(0, 1.5, size=rows)
    happened = (chance.random(rows) < expit(intercept + slope * x)).astype(float)
    return pools(x, context), Outcomes(happened, shocks or (None,) * rows, np.ones(rows))


@pytest.mark.parametrize("name", CALIBRATORS)
def test_nothing_is_changed_before_the_first_outcome(name):
    x = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(CALIBRATORS[name]().calibrate(pools(x)), x, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in CALIBRATORS if name != "none"])
def test_pools_that_say_too_little_are_sharpened(name):
    calibrator = CALIBRATORS[name]()
    calibrator.observe(*drawn(3000, slope=2.0, intercept=0.0))
    got = calibrator.calibrate(pools([-1.0, 0.0, 1.0]))
    np.testing.assert_allclose(expit(got), expit(np.array([-2.0, 0.0, 2.0])), atol=0.1)


@pytest.mark.parametrize("name", CALIBRATORS)
@settings(max_examples=20)
@given(x=st.lists(st.floats(-8, 8), min_size=2, max_size=8))
def test_the_map_never_falls(name, x):
    calibrator = CALIBRATORS[name]()
    calibrator.observe(*drawn(300, slope=0.7, intercept=0.4))
    got = calibrator.calibrate(pools(np.sort(x)))
    assert np.isfinite(got).all()
    assert (np.diff(got) >= -1e-9).all()


@pytest.mark.parametrize("members", [1, 3, 12])
@pytest.mark.parametrize("name", CALIBRATORS)
def test_the_curve_says_the_same_to_the_kernels(name, members):
    calibrator = CALIBRATORS[name]()
    calibrator.observe(*drawn(500, slope=1.4, intercept=-0.3))
    x = np.linspace(-5, 5, 11)
    curve = calibrator.curve(KIND, members)
    got = calibrated(expit(x), curve.method, np.array(curve.parameters))
    np.testing.assert_allclose(got, expit(calibrator.calibrate(pools(x, members=members))), atol=1e-12)


@pytest.mark.parametrize("name", CALIBRATORS)
def test_weight_zero_teaches_nothing(name):
    calibrator = CALIBRATORS[name]()
    said, outcomes = drawn(50, slope=3.0, intercept=1.0)
    calibrator.observe(said, Outcomes(outcomes.happened, outcomes.shocks, outcomes.weights * 0 + 1e-300))
    np.testing.assert_allclose(calibrator.calibrate(pools([1.0])), [1.0], atol=1e-6)


def test_a_group_with_much_evidence_goes_its_own_way_and_a_new_one_stays_near_its_pool():
    calibrator = CALIBRATORS["hierarchical"]()
    calibrator.observe(*drawn(4000, slope=2.0, intercept=0.0))
    own, fresh = (
        calibrator.calibrate(pools([1.0], context))[0] for context in (KIND, Context("sports", "fifa"))
    )
    assert own == pytest.approx(2.0, abs=0.3)
    assert 1.0 < fresh < 1.3


def test_one_source_leans_on_the_others_of_its_kind():
    calibrator = CALIBRATORS["hierarchical"]()
    calibrator.observe(*drawn(4000, slope=2.0, intercept=0.0))
    sibling = calibrator.calibrate(pools([1.0], Context("dataset", "yfinance", horizon_days=30.0)))[0]
    stranger = calibrator.calibrate(pools([1.0], Context("sports", "fifa")))[0]
    assert sibling > stranger


def test_many_questions_of_one_shock_count_for_little():
    moved = {}
    for name, shocks in (("one shock", ("news",) * 200), ("independent", None)):
        calibrator = CALIBRATORS["hierarchical"]()
        x = np.full(200, 0.0)
        calibrator.observe(pools(x), Outcomes(np.ones(200), shocks or (None,) * 200, np.ones(200)))
        moved[name] = calibrator.calibrate(pools([0.0]))[0]
    assert 0 < moved["one shock"] < 0.5 * moved["independent"]


def test_what_single_members_teach_carries_over_to_ensembles():
    factors = spread_factor(np.array([1, 10, 10**6]))
    assert factors[1] == pytest.approx(1.0)
    assert factors[0] < 1.0 < factors[2] < 1.1


def test_isotonic_is_that_of_scikit_learn_once_evidence_outweighs_the_prior():
    said, outcomes = drawn(2000, slope=0.5, intercept=0.5)
    calibrator = Isotonic(prior_cases=1e-9)
    calibrator.observe(said, outcomes)
    wanted = IsotonicRegression(out_of_bounds="clip").fit(expit(said.log_odds), outcomes.happened)
    np.testing.assert_allclose(
        expit(calibrator.calibrate(said)), wanted.predict(expit(said.log_odds)), atol=2e-6
    )


def test_log_odds_and_expit_are_inverse_inside_the_clamp():
    p = np.array([1e-6, 0.01, 0.5, 0.99])
    np.testing.assert_allclose(expit(log_odds(p)), p, rtol=1e-9)
    assert np.isnan(log_odds(np.array([np.nan]))[0])
