# SPDX-License-Identifier: Apache-2.0
"""What the engine sees: advice that follows from what was told, and nothing else."""

import numpy as np
import pytest

from kernels.calibrators import calibrated
from server.learning.batches import MARKET, expit
from server.learning.context import Context
from server.learning.learning import Answered, Known, Learning
from server.learning.methods import ADAPTIVE, CALIBRATORS, WEIGHTINGS

CONTEXT = Context(kind="market", source="polymarket", category="Macro")
MEMBERS = ("sharp", "dull", "dullest")
NAMES = (*WEIGHTINGS, ADAPTIVE)


def questions(count, members=MEMBERS, outcomes=2, seed=0, deviations=(0.2, 1.0, 1.5)):
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        truth = chance.normal(0, 1.5, size=outcomes)
        said = truth + chance.normal(size=(len(members), outcomes)) * np.array(deviations)[:, None]
        matrix = np.exp(said) / np.exp(said).sum(axis=1, keepdims=True)
        outcome = np.zeros(outcomes)
        outcome[chance.choice(outcomes, p=np.exp(truth) / np.exp(truth).sum())] = 1.0
        timid = np.sqrt(np.exp(truth)) / np.sqrt(np.exp(truth)).sum()
        made.append(Known(Answered("e", members, matrix, timid, CONTEXT), outcome))
    return made


def taught(known, size=25):
    learning = Learning()
    for begin in range(0, len(known), size):
        learning.answered([one.answered for one in known[begin : begin + size]])
        learning.known(known[begin : begin + size])
    return learning


@pytest.mark.parametrize("outcomes", [2, 4])
@pytest.mark.parametrize("weighting", [name for name in NAMES if name != "fixed"])
def test_the_sharp_member_comes_to_weigh_most(weighting, outcomes):
    advice = taught(questions(300, outcomes=outcomes)).advise(weighting, "none", "e", MEMBERS, CONTEXT)
    weights = advice.weights(np.full((3, outcomes), 1 / outcomes))
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > weights[1:].max()


@pytest.mark.parametrize("calibration", [name for name in CALIBRATORS if name != "none"])
def test_the_curve_sharpens_pools_that_say_too_little(calibration):
    learning = taught(questions(600))
    curve = learning.advise("fixed", calibration, "e", MEMBERS, CONTEXT).curve(3)
    assert calibrated([0.7], curve.method, curve.parameters)[0] > 0.72


def test_no_one_answering_gives_no_weight():
    advice = Learning().advise("agreement", "none", "e", MEMBERS, CONTEXT)
    np.testing.assert_array_equal(advice.weights(np.full((3, 2), np.nan)), 0)


def test_a_member_called_market_has_a_share_of_its_own():
    members = (*MEMBERS, MARKET)
    advice = Learning().advise("agreement", "hierarchical", "e", members, CONTEXT)
    weights = advice.weights(np.full((4, 2), 0.5))
    assert weights[3] == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(weights[:3], (1 - weights[3]) / 3)


def test_the_version_says_what_was_learned_from():
    known = questions(3)
    learning = Learning()
    assert learning.version == "answers-0-outcomes-0"
    learning.answered([one.answered for one in known])
    learning.known(known[:1])
    assert learning.version == "answers-3-outcomes-1"
    assert learning.advise("fixed", "none", "e", MEMBERS, CONTEXT).version == learning.version


def test_telling_the_past_again_gives_the_same_advice_to_the_last_bit():
    known = questions(120)
    matrix = expit(np.array([[0.3, -0.3], [1.0, -1.0], [-0.5, 0.5]]))
    for weighting in NAMES:
        one, other = (
            taught(known).advise(weighting, "hierarchical", "e", MEMBERS, CONTEXT) for _ in range(2)
        )
        np.testing.assert_array_equal(one.weights(matrix), other.weights(matrix))
        assert one.curve(3) == other.curve(3)


def test_fractional_outcomes_are_evidence_for_both_sides():
    learning = Learning()
    half = [Known(one.answered, np.array([0.5, 0.5])) for one in questions(200)]
    learning.known(half)
    curve = learning.advise("fixed", "platt", "e", MEMBERS, CONTEXT).curve(3)
    assert calibrated([0.9], curve.method, curve.parameters)[0] < 0.8


def test_different_ensembles_may_resolve_at_once():
    known = questions(40)
    other = [
        Known(
            Answered("other", ("x", "y"), one.answered.probabilities[:2], one.answered.raw, CONTEXT),
            one.outcome,
        )
        for one in questions(40, outcomes=3)
    ]
    learning = Learning()
    learning.known([*known, *other])
    assert learning.version == "answers-0-outcomes-80"
    assert sum(learning.belief.values()) == pytest.approx(1)


def test_unknown_names_are_refused():
    with pytest.raises(KeyError, match="best"):
        Learning().advise("best", "none", "e", MEMBERS, CONTEXT)
