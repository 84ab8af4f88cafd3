# SPDX-License-Identifier: Apache-2.0
"""Scores against scikit-learn, and by what they must mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from models import scores

directions = arrays(np.int64, st.integers(3, 60), elements=st.integers(0, 2))


# scikit-learn warns where all labels are one class; the figures are still defined.
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@given(directions, st.integers(0, 2**31))
def test_as_scikit_learn(labels, seed):
    calls = np.random.default_rng(seed).integers(0, 3, len(labels))
    wanted = metrics.f1_score(labels, calls, labels=[0, 1, 2], average="macro", zero_division=0)
    assert scores.macro_f1(labels, calls) == pytest.approx(wanted)
    assert scores.matthews(labels, calls) == pytest.approx(metrics.matthews_corrcoef(labels, calls))
    assert scores.accuracy(labels, calls) == pytest.approx(metrics.accuracy_score(labels, calls))
    found = scores.confusion(labels, calls)
    np.testing.assert_array_equal(found, metrics.confusion_matrix(labels, calls, labels=[0, 1, 2]))


@given(directions)
def test_log_loss_as_scikit_learn(labels):
    given_ = np.random.default_rng(1).dirichlet((1, 1, 1), len(labels))
    wanted = metrics.log_loss(labels, given_, labels=[0, 1, 2])
    assert scores.log_loss(labels, given_) == pytest.approx(wanted)


def test_rows_without_a_label_do_not_count():
    labels, calls = np.array([0, 1, 2, -1, -1]), np.array([0, 1, 2, 0, 1])
    assert scores.macro_f1(labels, calls) == 1.0
    assert scores.accuracy_of_most_confident(labels, calls, [0.1, 0.2, 0.3, 0.9, 0.9]) == 1.0


def test_no_label_at_all_is_an_error():
    with pytest.raises(ValueError, match="labels: no row has a label"):
        scores.macro_f1([-1, -1], [0, 1])


def test_most_confident_tenth():
    labels, calls = np.zeros(100, int), np.ones(100, int)
    calls[40:50] = 0
    confidence = np.zeros(100)
    confidence[40:50] = 1.0
    assert scores.accuracy_of_most_confident(labels, calls, confidence) == 1.0
    assert scores.accuracy_of_most_confident(labels, calls, -confidence) == 0.0


def test_calibration_of_honest_and_of_boastful_probabilities():
    generator = np.random.default_rng(0)
    honest = generator.dirichlet((1, 2, 1), 20_000)
    labels = (generator.random(20_000)[:, None] > honest.cumsum(axis=1)).sum(axis=1)
    boastful = honest**2 / (honest**2).sum(axis=1, keepdims=True)
    assert scores.calibration_slope(labels, honest) == pytest.approx(1.0, abs=0.03)
    assert scores.calibration_slope(labels, boastful) == pytest.approx(0.5, abs=0.02)
    best = honest.argmax(axis=1)
    assert scores.calibration_error(labels == best, honest.max(axis=1)) < 0.02
    assert scores.calibration_error(labels == best, boastful.max(axis=1)) > 0.1


def test_bootstrap_interval_holds_the_score_and_knows_a_better_rival():
    generator = np.random.default_rng(0)
    labels = np.repeat(generator.integers(0, 3, 600), 20)
    good = np.where(generator.random(len(labels)) < 0.7, labels, generator.integers(0, 3, len(labels)))
    bad = np.where(generator.random(len(labels)) < 0.3, labels, generator.integers(0, 3, len(labels)))
    low, high = scores.bootstrap_interval(labels, good, draws=300)
    assert low < scores.macro_f1(labels, good) < high
    low, high = scores.bootstrap_interval(labels, good, bad, draws=300)
    assert 0 < low < high


def test_the_interval_of_the_slope_is_as_wide_as_that_of_a_bootstrap():
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet([2.0, 3.0, 2.0], 6000)
    cumulative = probabilities.cumsum(axis=1)
    labels = (generator.random(6000)[:, None] > cumulative).sum(axis=1)
    slope, low, high = scores.calibration_slope_interval(labels, probabilities, block=50)
    assert slope == scores.calibration_slope(labels, probabilities)
    assert low < 1.0 < high
    drawn = []
    for _ in range(200):
        starts = generator.integers(0, 120, 120) * 50
        rows = (starts[:, None] + np.arange(50)).ravel()
        drawn.append(scores.calibration_slope(labels[rows], probabilities[rows]))
    assert (high - low) / 2 == pytest.approx(1.96 * np.std(drawn), rel=0.2)
