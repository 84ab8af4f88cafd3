# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from kernels.reliability import assess, calibration_error_by_chance, equal_mass_edges
from kernels.scoring import Score, mean_score, score_binary, score_outcomes


def binary(seed, count=200):
    random = np.random.default_rng(seed)
    p = random.beta(0.7, 0.7, count)
    return p, (random.random(count) < p).astype(float)


def outcomes(seed, count=60, classes=4):
    random = np.random.default_rng(seed)
    return random.dirichlet(np.ones(classes), count), random.integers(0, classes, count)


def test_binary_scores_against_scikit_learn():
    p, y = binary(0)
    assert mean_score(score_binary(p, y)) == pytest.approx(metrics.brier_score_loss(y, p))
    assert mean_score(score_binary(p, y, Score.LOG)) == pytest.approx(metrics.log_loss(y, p))
    accuracy = mean_score(score_binary(p, y, Score.CORRECT))
    assert accuracy == pytest.approx(metrics.accuracy_score(y, p > 0.5))
    assert assess(p, y).area_under_curve == pytest.approx(metrics.roc_auc_score(y, p))


def test_scores_of_outcome_sets_against_scikit_learn_and_numpy():
    p, outcome = outcomes(1)
    brier = metrics.brier_score_loss(outcome, p, labels=range(4), scale_by_half=True)
    assert mean_score(score_outcomes(p, outcome)) == pytest.approx(brier)
    log = metrics.log_loss(outcome, p, labels=range(4))
    assert mean_score(score_outcomes(p, outcome, Score.LOG)) == pytest.approx(log)
    step = np.cumsum(p, 1) - (np.arange(4) >= outcome[:, None])
    np.testing.assert_allclose(score_outcomes(p, outcome, Score.RANKED), (step[:, :3] ** 2).sum(1) / 3)
    np.testing.assert_array_equal(score_outcomes(p, outcome, Score.CORRECT), p.argmax(1) == outcome)


@given(seed=st.integers(0, 2**32 - 1))
def test_two_outcomes_score_as_a_binary_question(seed):
    p, y = binary(seed, 20)
    rows = np.stack([p, 1 - p], 1)
    for score in Score:
        np.testing.assert_allclose(
            score_outcomes(rows, 1 - y.astype(int), score), score_binary(p, y, score), atol=1e-12
        )


def test_annulled_questions_and_missing_forecasts_have_no_score():
    for score in Score:
        found = score_binary([0.4, np.nan, 0.4], [np.nan, 1, 1], score)
        np.testing.assert_array_equal(np.isnan(found), [True, True, False])
        rows = [[0.4, 0.6], [np.nan, np.nan], [0.4, 0.6]]
        found = score_outcomes(rows, [-1, 0, 0], score)
        np.testing.assert_array_equal(np.isnan(found), [True, True, False])
    assert mean_score(np.array([np.nan, 2.0, 4.0])) == 3
    assert np.isnan(mean_score(np.array([np.nan])))


def test_certainty_that_is_wrong_costs_a_finite_log_score():
    assert score_binary([1.0], [0.0], Score.LOG)[0] == pytest.approx(-np.log(1e-6))
    assert score_outcomes([[1.0, 0.0]], [1], Score.LOG)[0] == pytest.approx(-np.log(1e-6))


def test_a_fraction_is_scored_between():
    assert score_binary([0.4], [0.7])[0] == pytest.approx(0.09)
    expected = -(0.7 * np.log(0.4) + 0.3 * np.log(0.6))
    assert score_binary([0.4], [0.7], Score.LOG)[0] == pytest.approx(expected)


@given(truth=st.floats(0.02, 0.98), said=st.floats(0.02, 0.98))
def test_honesty_pays_best(truth, said):
    """Proper scores: the expectation under the truth is least for the truth."""
    for score in (Score.BRIER, Score.LOG):
        yes, no = score_binary([said], [1], score)[0], score_binary([said], [0], score)[0]
        best_yes, best_no = score_binary([truth], [1], score)[0], score_binary([truth], [0], score)[0]
        assert truth * yes + (1 - truth) * no >= truth * best_yes + (1 - truth) * best_no - 1e-12


def plain_bins(p, y, bins):
    """Bins as the kernel cuts them, by Python lists."""
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    groups, start = [], 0
    while start < len(p):
        left = max(bins - len(groups), 1)
        end = min(start + max((len(p) - start + left // 2) // left, 1), len(p))
        while end < len(p) and p[end] == p[end - 1]:
            end += 1
        groups.append((p[start:end], y[start:end]))
        start = end
    return groups


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 60),
    bins=st.integers(1, 12),
    grid=st.sampled_from([0, 4, 10]),
)
def test_the_decomposition_adds_up(seed, count, bins, grid):
    p, y = binary(seed, count)
    p = np.round(p * grid) / grid if grid else p
    found = assess(p, y, bins)
    assert found.brier == pytest.approx(((p - y) ** 2).mean())
    groups = plain_bins(p, y, bins)
    share = [len(a) / count for a, _ in groups]
    assert found.reliability == pytest.approx(
        sum(s * (a.mean() - b.mean()) ** 2 for s, (a, b) in zip(share, groups, strict=True))
    )
    assert found.resolution == pytest.approx(
        sum(s * (b.mean() - y.mean()) ** 2 for s, (_, b) in zip(share, groups, strict=True))
    )
    assert found.calibration_error == pytest.approx(
        sum(s * abs(a.mean() - b.mean()) for s, (a, b) in zip(share, groups, strict=True))
    )
    assert found.uncertainty == pytest.approx(y.mean() * (1 - y.mean()))
    np.testing.assert_array_equal(found.bins[:, 0], [len(a) for a, _ in groups])
    assert len(found.bins) <= bins


@given(seed=st.integers(0, 2**32 - 1), bins=st.integers(1, 9), grid=st.sampled_from([2, 5, 1000]))
def test_bins_hold_everything_and_never_part_equal_forecasts(seed, bins, grid):
    p = np.sort(np.random.default_rng(seed).integers(0, grid, 50) / grid)
    edges = np.zeros(bins + 1, np.int64)
    used = equal_mass_edges(p, edges)
    assert edges[0] == 0
    assert edges[used] == len(p)
    assert np.all(np.diff(edges[: used + 1]) > 0)
    assert all(p[edges[b] - 1] != p[edges[b]] for b in range(1, used))
    if grid == 1000 and len(np.unique(p)) == 50:
        assert np.ptp(np.diff(edges[: used + 1])) <= 1


def test_distinct_values_have_nothing_within_bins():
    p = np.repeat([0.2, 0.5, 0.9], 40)
    y = (np.random.default_rng(0).random(120) < p).astype(float)
    assert assess(p, y, 3).within == pytest.approx(0, abs=1e-15)


def test_ranking_with_ties_and_without_one_side():
    p = [0.1, 0.5, 0.5, 0.5, 0.9]
    y = [0, 1, 0, 1, 1]
    assert assess(p, y).area_under_curve == pytest.approx(metrics.roc_auc_score(y, p))
    assert np.isnan(assess([0.1, 0.2], [1, 1]).area_under_curve)
    assert np.isnan(assess([], []).brier)


def test_the_error_of_calibrated_forecasts_by_chance():
    p = np.random.default_rng(0).random(1000)
    null = calibration_error_by_chance(p, draws=60)
    assert 0.015 < np.median(null) < 0.045
    assert np.all(np.diff(null) >= 0)
    y = (np.random.default_rng(1).random(1000) < p).astype(float)
    assert null[0] / 3 < assess(p, y).calibration_error < null[-1] * 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: score_binary([1.2], [1]), "p must lie in 0..1"),
        (lambda: score_binary([0.2], [2]), "y must lie in 0..1"),
        (lambda: score_binary([0.2], [1, 0]), "y must have shape"),
        (lambda: score_outcomes([[0.5, 0.5]], [2]), "outcome must be an index under 2"),
        (lambda: score_outcomes([[0.5, 0.5]], [0, 1]), "outcome must have shape"),
        (lambda: assess([0.5], [1], bins=0), "bins must be at least 1"),
    ],
)
def test_the_doors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
