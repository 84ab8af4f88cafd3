# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from server.learning.always_valid import LARGEST_BET, difference_sequence, mean_sequence


def plain(values: list[float], alpha: float) -> list[tuple[float, float]]:
    """The theorem, one observation after another."""
    total = weighted = spent = squares = seen = 0.0
    mean, variance = 0.5, 0.25
    ends = []
    for t, x in enumerate(values, 1):
        bet = min(math.sqrt(2 * math.log(2 / alpha) / (variance * t * math.log(1 + t))), LARGEST_BET)
        total, weighted = total + bet, weighted + bet * x
        spent += 4 * (x - mean) ** 2 * (-math.log(1 - bet) - bet) / 4
        seen += x
        mean = (0.5 + seen) / (t + 1)
        squares += (x - mean) ** 2
        variance = (0.25 + squares) / (t + 1)
        margin = (math.log(2 / alpha) + spent) / total
        ends.append((max(weighted / total - margin, 0), min(weighted / total + margin, 1)))
    return ends


def test_it_is_the_theorem() -> None:
    values = np.random.default_rng(1).beta(2, 5, 300)
    found = mean_sequence(values, 0.05)
    np.testing.assert_allclose(
        np.column_stack([found.low, found.high]), plain(values.tolist(), 0.05), rtol=1e-12
    )


def test_one_observation_says_almost_nothing() -> None:
    found = mean_sequence(np.array([1.0]), 0.05)
    assert (found.low[0], found.high[0]) == (0.0, 1.0)


def losses(random: np.random.Generator, count: int, effect: float, treated: np.ndarray) -> np.ndarray:
    """Brier scores of calibrated forecasts whose difficulty drifts; the treatment's are moved."""
    drift = 0.15 + 0.1 * np.sin(np.arange(count) / 150)
    p = np.clip(random.beta(1.2, 1.2, count), 0.02, 0.98)
    happened = random.random(count) < p
    scores = (p - happened) ** 2 * (0.5 + drift)
    return np.clip(scores + effect * treated, 0.0, 1.0)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_looking_after_every_outcome_does_not_raise_false_alarms(share: float) -> None:
    random = np.random.default_rng(3)
    runs, count, alarms, ordinary = 400, 1_000, 0, 0
    for _ in range(runs):
        treated = random.random(count) < share
        scores = losses(random, count, 0.0, treated)
        found = difference_sequence(scores, treated, share, 0.05)
        alarms += bool(((found.low > 0) | (found.high < 0)).any())
        ordinary += looked_at_naively(scores, treated)
    assert alarms / runs <= 0.05
    assert ordinary / runs > 0.2  # what an ordinary 95 % interval does when it is looked at as often


def looked_at_naively(scores: np.ndarray, treated: np.ndarray) -> bool:
    for n in range(30, len(scores), 10):
        one, other = scores[:n][treated[:n]], scores[:n][~treated[:n]]
        if len(one) < 5 or len(other) < 5:
            continue
        error = math.hypot(one.std() / math.sqrt(len(one)), other.std() / math.sqrt(len(other)))
        if abs(one.mean() - other.mean()) > 1.96 * error:
            return True
    return False


def test_a_real_difference_is_found_and_covered() -> None:
    random = np.random.default_rng(5)
    covered = found_at_all = 0
    for _ in range(60):
        treated = random.random(3_000) < 0.5
        found = difference_sequence(losses(random, 3_000, 0.1, treated), treated, 0.5, 0.05)
        covered += bool(((found.low <= 0.1) & (found.high >= 0.1)).all())
        found_at_all += found.low[-1] > 0
    assert covered / 60 >= 0.95
    assert found_at_all / 60 > 0.9


def test_drift_that_hits_both_arms_is_no_difference() -> None:
    random = np.random.default_rng(8)
    alarms = 0
    for _ in range(200):
        scores = np.where(np.arange(800) < 400, 0.05, 0.6)
        treated = random.random(800) < 0.5
        found = difference_sequence(scores, treated, 0.5, 0.05)
        alarms += bool(((found.low > 0) | (found.high < 0)).any())
    assert alarms / 200 <= 0.05
