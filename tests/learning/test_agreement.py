# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from server.learning.agreement import Agreement
from server.learning.context import Context
from tests.learning.cases import asked, one_factor


def precisions(agreement, count, names=None):
    """Weights of members that all say the same, so that no single answer is far off."""
    return agreement.weights(asked(np.full((1, count), 0.5), names))[0]


def test_weights_are_the_true_precisions_with_much_data_and_normal_errors():
    deviations = np.array([0.3, 0.6, 0.9, 1.2])
    agreement = Agreement(prior_answers=1e-9, freedom=1e9)
    agreement.watch(one_factor(2000, deviations).asked)
    # Without the posterior variance of the centre the sharpest member is sharpened a little more.
    got, wanted = precisions(agreement, 4), 1 / deviations**2 / (1 / deviations**2).sum()
    assert (np.diff(got) < 0).all()
    assert got[0] > wanted[0] > 0.6


def test_an_answer_far_from_the_rest_counts_for_less():
    agreement = Agreement()
    agreement.watch(one_factor(200, [0.5] * 5).asked)
    usual = agreement.weights(asked([[0.5, 0.5, 0.5, 0.5, 0.52]]))[0]
    outlier = agreement.weights(asked([[0.5, 0.5, 0.5, 0.5, 0.999]]))[0]
    assert outlier[4] < 0.5 * usual[4]


def test_kinds_and_ensembles_are_learned_apart():
    agreement = Agreement()
    one = Context(kind="one")
    agreement.watch(one_factor(200, [0.1, 1.0, 1.0], context=one).asked)
    said = [[0.5, 0.5, 0.5]]
    assert agreement.weights(asked(said, context=one))[0, 0] > 0.6
    np.testing.assert_allclose(agreement.weights(asked(said, context=Context(kind="two"))), 1 / 3)
    np.testing.assert_allclose(agreement.weights(asked(said, context=one, ensemble="other")), 1 / 3)


def test_old_answers_are_forgotten():
    agreement = Agreement(window=100)
    agreement.watch(one_factor(100, [0.1, 1.0, 1.0]).asked)
    agreement.watch(one_factor(100, [1.0, 1.0, 0.1]).asked)
    weights = precisions(agreement, 3)
    assert weights[2] > 0.6 > weights[0]


def test_single_answers_teach_nothing():
    agreement = Agreement()
    agreement.watch(asked([[0.3, np.nan], [np.nan, 0.9]]))
    np.testing.assert_allclose(precisions(agreement, 2), 0.5)


def test_members_that_always_agree_exactly_do_not_break_it():
    agreement = Agreement()
    agreement.watch(asked(np.full((50, 3), 0.7)))
    assert precisions(agreement, 3) == pytest.approx(np.full(3, 1 / 3))


def test_the_same_answers_one_by_one_and_at_once_end_nearly_the_same():
    answers = one_factor(40, [0.3, 0.6, 1.2]).asked
    at_once, singly = Agreement(), Agreement()
    at_once.watch(answers)
    for row in range(40):
        singly.watch(answers.rows(np.array([row])))
    # The precisions are found anew only once the answers have grown by a twentieth.
    np.testing.assert_allclose(precisions(at_once, 3), precisions(singly, 3), rtol=0.1)
