# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from server.learning.batches import Resolved
from server.learning.errors import UNKNOWN_CORRELATION, ErrorMoments
from tests.learning.cases import asked


def resolved(count=200, seed=0):
    chance = np.random.default_rng(seed)
    p = chance.uniform(size=(count, 4))
    p[:, 1] = np.clip(p[:, 0] + chance.normal(0, 0.05, size=count), 0, 1)
    p[chance.random(p.shape) < 0.2] = np.nan
    return Resolved.of(asked(p), (chance.random(count) < 0.5).astype(float))


def test_correlation_is_that_of_numpy_over_common_questions():
    data = resolved()
    moments = ErrorMoments()
    for half in (slice(0, 100), slice(100, 200)):
        moments.observe(Resolved.of(data.asked.rows(np.arange(200)[half]), data.outcomes[half]))
    got = moments.correlation(data.asked.members)
    errors = data.asked.probabilities - data.outcomes[:, None]
    for i in range(4):
        for j in range(4):
            both = ~np.isnan(errors[:, [i, j]]).any(axis=1)
            wanted = 1.0 if i == j else np.corrcoef(errors[both][:, [i, j]].T)[0, 1]
            assert got[i, j] == pytest.approx(wanted)


def test_near_duplicates_are_worth_little_more_than_one():
    moments = ErrorMoments()
    moments.observe(resolved())
    copies = moments.independent(("m0", "m1"), np.ones(2))
    apart = moments.independent(("m0", "m2"), np.ones(2))
    assert 1.0 <= copies < apart <= 2.0


def test_worth_is_the_formula_over_those_that_weigh():
    moments = ErrorMoments()
    moments.observe(resolved())
    names, weights = ("m0", "m1", "m2", "m3"), np.array([0.5, 0.3, 0.0, 0.2])
    correlation = moments.correlation(names)
    wanted = 1.0 / (weights @ correlation @ weights)
    assert moments.worth(names, weights) == pytest.approx(wanted)
    stranger = moments.worth((*names, "new"), np.array([0.5, 0.0, 0.0, 0.0, 0.5]))
    assert stranger is None, "nothing is known of the pair"
    three = moments.worth((*names, "new"), np.array([0.5, 0.0, 0.25, 0.0, 0.25]))
    r = correlation[0, 2]
    assert three == pytest.approx(
        1.0
        / (0.25 + 2 * 0.0625 + 2 * (0.125 * r + 0.125 * UNKNOWN_CORRELATION + 0.0625 * UNKNOWN_CORRELATION))
    )


def test_nothing_is_known_before_pairs_have_met():
    moments = ErrorMoments()
    moments.observe(resolved(count=5))
    assert moments.worth(("m0", "m1"), np.array([0.5, 0.5])) is None
    assert moments.worth(("m0", "m1"), np.zeros(2)) is None


def test_pairs_that_have_hardly_met_are_unknown():
    moments = ErrorMoments()
    moments.observe(resolved(count=5))
    got = moments.correlation(("m0", "m1"))
    assert np.isnan(got[0, 1])
    assert got[0, 0] == 1
