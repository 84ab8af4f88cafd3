# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from kernels.calibrators import CalibrationMethod, calibrate, calibrated
from kernels.hierarchical import PRIOR_GROUPS, PRIOR_SPREAD, curve_range, fit_platt_by_group
from kernels.isotonic import fit_isotonic
from kernels.logistic import logistic
from kernels.platt import fit_beta, fit_platt
from kernels.temperature import fit_temperature


def answers(seed, count=400, slope=1.0, intercept=0.0):
    """Forecasts whose truth lies on a Platt curve."""
    random = np.random.default_rng(seed)
    p = special.expit(random.normal(size=count) * 1.5)
    truth = special.expit(slope * special.logit(p) + intercept)
    return p, (random.random(count) < truth).astype(float)


def test_platt_against_scikit_learn():
    p, y = answers(0, slope=1.6, intercept=-0.4)
    found = fit_platt(p, y, strength=0.0)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(special.logit(p)[:, None], y)
    np.testing.assert_allclose(found, [model.coef_[0, 0], model.intercept_[0]], rtol=1e-5)
    weights = np.random.default_rng(1).random(len(p))
    model.fit(special.logit(p)[:, None], y, sample_weight=weights)
    found = fit_platt(p, y, weights, strength=0.0)
    np.testing.assert_allclose(found, [model.coef_[0, 0], model.intercept_[0]], rtol=1e-5)


def test_the_prior_of_the_logistic_regression_against_a_general_optimiser():
    random = np.random.default_rng(3)
    x, y = random.normal(size=(40, 3)), random.random(40)
    centre, precision = np.array([1.0, -1.0, 0.0]), np.array([2.0, 0.0, 5.0])

    def loss(theta):
        score = x @ theta
        return (np.logaddexp(0, score) - y * score).sum() + 0.5 * (precision * (theta - centre) ** 2).sum()

    best = optimize.minimize(loss, np.zeros(3), tol=1e-12)
    theta, covariance = logistic(x, y, centre=centre, precision=precision)
    np.testing.assert_allclose(theta, best.x, atol=1e-5)
    p = special.expit(x @ theta)
    hessian = (x.T * (p * (1 - p))) @ x + np.diag(precision)
    np.testing.assert_allclose(covariance, np.linalg.inv(hessian), rtol=1e-8)


def test_separable_answers_need_a_prior():
    p, y = [0.2, 0.3, 0.7, 0.8], [0, 0, 1, 1]
    with pytest.raises(ValueError, match="give a strength above 0"):
        fit_platt(p, y, strength=0.0)
    assert fit_platt(p, y)[0] > 1
    with pytest.raises(ValueError, match="give a precision above 0"):
        logistic(np.array(p)[:, None] - 0.5, y)


@pytest.mark.parametrize("fit", [fit_platt, fit_beta])
def test_without_answers_a_curve_changes_nothing(fit):
    method = CalibrationMethod.PLATT if fit is fit_platt else CalibrationMethod.BETA
    for p, y in [([], []), ([0.3], [np.nan]), ([np.nan], [1.0])]:
        np.testing.assert_allclose(calibrated([0.1, 0.7], method, fit(p, y)), [0.1, 0.7], atol=1e-9)


def test_a_stronger_prior_draws_closer():
    p, y = answers(2, count=60, slope=2.5)
    distance = [abs(fit_platt(p, y, strength=s)[0] - 1) for s in (0.01, 1.0, 10.0, 1000.0)]
    assert distance == sorted(distance, reverse=True)


def test_beta_calibration_against_a_general_optimiser():
    p, y = answers(4, slope=1.3, intercept=0.3)
    x = np.stack([np.log(p), -np.log1p(-p), np.ones_like(p)], 1)
    best = optimize.minimize(
        lambda t: (np.logaddexp(0, x @ t) - y * (x @ t)).sum(),
        [1, 1, 0],
        bounds=[(0, None), (0, None), (None, None)],
        tol=1e-14,
    )
    np.testing.assert_allclose(fit_beta(p, y, strength=0.0), best.x, atol=2e-3)


@given(seed=st.integers(0, 2**32 - 1), slope=st.floats(-1.0, 3.0))
def test_beta_curves_never_fall(seed, slope):
    p, y = answers(seed, count=40, slope=slope)
    parameters = fit_beta(p, y)
    assert np.all(parameters[:2] >= 0)
    assert np.all(np.diff(calibrated(np.linspace(0, 1, 50), CalibrationMethod.BETA, parameters)) >= -1e-15)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 80), grid=st.sampled_from([0, 5, 20]))
def test_isotonic_against_scikit_learn(seed, count, grid):
    p, y = answers(seed, count)
    p = np.round(p * grid) / grid if grid else p
    weights = np.random.default_rng(seed).random(count) + 0.01
    points = np.linspace(0, 1, 41)
    model = IsotonicRegression(out_of_bounds="clip").fit(p, y, sample_weight=weights)
    found = fit_isotonic(p, y, weights)
    np.testing.assert_allclose(
        calibrated(points, CalibrationMethod.ISOTONIC, found), model.predict(points), atol=1e-9
    )


def test_isotonic_leaves_out_what_is_unknown():
    found = fit_isotonic([0.2, np.nan, 0.8, 0.5], [0, 1, 1, np.nan], [1, 1, 1, 1])
    np.testing.assert_allclose(found, [0.2, 0.8, 0, 1])
    np.testing.assert_allclose(fit_isotonic([0.2, 0.8, 0.9], [0, 1, 0], [1, 1, 0]), [0.2, 0.8, 0, 1])
    with pytest.raises(ValueError, match="no question with both"):
        fit_isotonic([0.2], [np.nan])


def test_temperature_against_a_general_optimiser():
    random = np.random.default_rng(5)
    p = random.dirichlet(np.ones(3), 300)
    sharp = p**2 / (p**2).sum(1, keepdims=True)
    outcome = np.array([random.choice(3, p=row) for row in sharp])

    def loss(t):
        return -special.log_softmax(np.log(p) / t, axis=1)[np.arange(300), outcome].sum()

    best = optimize.minimize_scalar(loss, bounds=(0.05, 5), method="bounded", options={"xatol": 1e-9})
    assert fit_temperature(p, outcome, strength=0.0)[0] == pytest.approx(best.x, abs=1e-6)
    assert best.x == pytest.approx(0.5, abs=0.1)


def test_temperature_at_its_ends_and_without_answers():
    p = np.array([[0.6, 0.4]])
    assert fit_temperature(p, [-1])[0] == 1
    assert fit_temperature(p, [-1], strength=0.0)[0] == 1
    assert 1e-3 * 0.999 <= fit_temperature(p, [0], strength=0.0)[0] < 5e-3
    assert fit_temperature(p, [1], strength=0.0)[0] == pytest.approx(1e3)
    assert fit_temperature(np.full((1, 2), np.nan), [0])[0] == 1


def test_curves_against_their_formulas():
    p = np.array([0.0, 0.1, 0.5, 0.9, 1.0, np.nan])
    q = np.clip(p, 1e-6, 1 - 1e-6)
    found = calibrated(p, CalibrationMethod.PLATT, [1.5, -0.2])
    np.testing.assert_allclose(found, special.expit(1.5 * special.logit(q) - 0.2))
    found = calibrated(p, CalibrationMethod.BETA, [1.2, 0.7, 0.1])
    np.testing.assert_allclose(found, special.expit(1.2 * np.log(q) - 0.7 * np.log(1 - q) + 0.1))
    found = calibrated(p, CalibrationMethod.TEMPERATURE, [2.0])
    np.testing.assert_allclose(found, special.expit(special.logit(q) / 2))
    np.testing.assert_array_equal(calibrated(p, CalibrationMethod.NONE, ()), p)


def once(p, method, parameters):
    out = np.empty(len(p))
    calibrate(np.array(p, float), int(method), np.array(parameters, float), out)
    return out


def test_one_pool_of_two_or_more_outcomes():
    np.testing.assert_allclose(once([0.3, 0.7], CalibrationMethod.TEMPERATURE, [1.0]), [0.3, 0.7])
    knots = [0.0, 1.0, 0.2, 0.6]
    np.testing.assert_allclose(once([0.5, 0.5], CalibrationMethod.ISOTONIC, knots), [0.4, 0.6])
    p = np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(once(p, CalibrationMethod.TEMPERATURE, [0.5]), p**2 / (p**2).sum(), atol=1e-12)
    each = special.expit(2 * special.logit(p))
    np.testing.assert_allclose(once(p, CalibrationMethod.PLATT, [2, 0]), each / each.sum())
    assert np.isnan(once([np.nan] * 3, CalibrationMethod.PLATT, [2, 0])).all()
    assert np.isnan(once([np.nan] * 3, CalibrationMethod.TEMPERATURE, [2])).all()


def test_groups_are_drawn_together_the_more_the_less_they_know():
    sizes = [900, 90, 12, 0]
    parts = [answers(10 + g, count=n, slope=2.0, intercept=0.5) for g, n in enumerate(sizes)]
    far = answers(99, count=900, slope=0.6, intercept=-0.5)
    p = np.concatenate([a for a, _ in parts] + [far[0]])
    y = np.concatenate([b for _, b in parts] + [far[1]])
    group = np.repeat([0, 1, 2, 3, 4], [*sizes, 900])
    found = fit_platt_by_group(p, y, group, 5)
    np.testing.assert_array_equal(found.counts, [*sizes, 900])
    np.testing.assert_allclose(found.parameters[3], found.common, atol=1e-6)
    np.testing.assert_allclose(found.parameters[0], fit_platt(*parts[0]), atol=0.1)
    np.testing.assert_allclose(found.parameters[4], fit_platt(*far), atol=0.1)
    deviations = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))
    assert np.all(np.diff(deviations[[0, 1, 2, 3]], axis=0) > 0)
    np.testing.assert_allclose(deviations[3], found.spread, rtol=1e-6)


def test_group_curves_against_plain_steps():
    """One more round of the stated equations, in NumPy, changes nothing."""
    p, y = answers(7, count=300, slope=1.5)
    group = np.random.default_rng(0).integers(0, 4, 300)
    found = fit_platt_by_group(p, y, group, 4, strength=0.5)
    tau2 = found.spread**2
    x = np.stack([special.logit(p), np.ones_like(p)], 1)
    for g in range(4):
        theta, covariance = logistic(x[group == g], y[group == g], None, found.common, 1 / tau2)
        np.testing.assert_allclose(found.parameters[g], theta, atol=1e-5)
        np.testing.assert_allclose(found.covariance[g], covariance, atol=1e-5)
    common = (found.parameters.sum(0) / tau2 + 0.5 * np.array([1, 0])) / (4 / tau2 + 0.5)
    np.testing.assert_allclose(found.common, common, atol=1e-5)
    scatter = (found.parameters - found.common) ** 2 + np.diagonal(found.covariance, axis1=1, axis2=2)
    expected = (PRIOR_GROUPS * PRIOR_SPREAD**2 + scatter.sum(0)) / (PRIOR_GROUPS + 4)
    np.testing.assert_allclose(tau2, expected, atol=1e-5)


def test_without_answers_every_group_has_the_plain_curve():
    found = fit_platt_by_group([], [], [], 3)
    np.testing.assert_allclose(found.parameters, [[1, 0]] * 3, atol=1e-6)


def test_the_range_of_a_curve():
    theta, covariance = np.array([1.2, 0.1]), np.array([[0.04, 0.01], [0.01, 0.09]])
    low, middle, high = curve_range(0.8, theta, covariance, 1e9)
    x = np.array([special.logit(0.8), 1])
    half = stats.norm.ppf(0.95) * np.sqrt(x @ covariance @ x)
    expected = special.expit(x @ theta + np.array([-half, 0, half]))
    np.testing.assert_allclose([low, middle, high], expected, rtol=1e-6)
    wide = curve_range(0.8, theta, covariance, 3.0)
    assert wide[0] < low < middle < high < wide[2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_platt([1.2], [1]), "p must lie in 0..1"),
        (lambda: fit_platt([0.2], [1, 0]), "y must have shape"),
        (lambda: fit_platt([0.2], [1], [-1]), "weights must be finite"),
        (lambda: fit_platt([0.2], [1], strength=-1), "strength must be finite and at least 0"),
        (lambda: fit_platt([0.2], [1], towards=[1]), "towards must have shape"),
        (lambda: fit_temperature([[0.5, 0.5]], [3]), "outcome must be an index under 2"),
        (lambda: fit_temperature([[0.5, 0.5]], [0], strength=-1), "strength must be at least 0"),
        (lambda: fit_platt_by_group([0.5], [1], [2], 2), "group must hold indices of 0..1"),
        (lambda: fit_platt_by_group([0.5], [1], [0], 2, strength=0), "strength must be above 0"),
        (lambda: logistic([[np.nan]], [1]), "features must be finite"),
        (lambda: calibrated([0.5], CalibrationMethod.PLATT, [1]), "parameters of PLATT must have length 2"),
        (
            lambda: calibrated([0.5], CalibrationMethod.PLATT, [1, np.nan]),
            "PLATT must be finite",
        ),
        (lambda: calibrated([0.5], CalibrationMethod.ISOTONIC, [0.1, 0.2, 0.3]), "as many x as y"),
        (lambda: calibrated([0.5], CalibrationMethod.ISOTONIC, [0.2, 0.1, 0, 1]), "rising x"),
        (lambda: calibrated([0.5], CalibrationMethod.TEMPERATURE, [0]), "TEMPERATURE must be above 0"),
    ],
)
def test_the_doors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
