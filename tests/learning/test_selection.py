# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from server.learning.batches import expit
from server.learning.context import Context
from server.learning.selection import Selection
from tests.learning.cases import asked, one_factor


def taught(deviations, rows=400, **kwargs):
    selection = Selection()
    selection.watch(one_factor(rows, deviations, **kwargs).asked)
    return selection


def names(count):
    return tuple(f"m{i}" for i in range(count))


def test_nothing_known_means_cheapest_first_then_as_configured():
    assert Selection().order(("a", "b", "c")) == ("a", "b", "c")
    assert Selection().order(("a", "b", "c"), costs={"b": 0.1, "a": 2.0}) == ("b", "c", "a")


def test_the_precise_are_asked_first():
    order = taught([1.0, 0.2, 0.6, 1.5, 1.2]).order(names(5))
    assert order[0] == "m1"
    assert order.index("m2") < order.index("m3")


def test_a_precise_member_that_costs_too_much_comes_later():
    selection = taught([1.0, 0.2, 1.0, 1.0])
    assert selection.order(names(4))[0] == "m1"
    assert selection.order(names(4), costs={"m1": 50.0})[0] != "m1"


def test_a_member_that_repeats_another_is_worth_little_beside_it():
    chance = np.random.default_rng(0)
    truth = chance.normal(0, 1.5, size=(500, 1))
    errors = chance.normal(0, 0.8, size=(500, 5))
    errors[:, 1] = errors[:, 0]
    selection = Selection()
    selection.watch(asked(expit(truth + errors)))
    order = selection.order(names(5))
    assert max(order.index("m0"), order.index("m1")) >= 3


def test_kinds_are_learned_apart():
    selection = Selection()
    selection.watch(one_factor(300, [0.1, 1.0, 1.0], context=Context(kind="one")).asked)
    selection.watch(one_factor(300, [1.0, 1.0, 0.1], context=Context(kind="two")).asked)
    assert selection.order(names(3), "one")[0] == "m0"
    assert selection.order(names(3), "two")[0] == "m2"


def test_a_kind_never_met_borrows_from_all():
    selection = Selection()
    selection.watch(one_factor(300, [0.1, 1.0, 1.0], context=Context(kind="one")).asked)
    assert selection.order(names(3), "three")[0] == "m0"
    np.testing.assert_allclose(selection.moments(names(3), "three"), selection.moments(names(3)))


def test_those_that_do_no_good_are_left_out_where_wanted():
    selection = taught([0.1, 0.1, 0.1, 3.0])
    assert set(selection.order(names(4), least_gain=0.0)) == {"m0", "m1", "m2"}
    assert len(selection.order(names(4))) == 4
    assert len(selection.order(names(4), most=2)) == 2


def test_everybody_is_ordered_once_and_absences_do_no_harm():
    selection = Selection()
    said = one_factor(50, [0.3, 0.6, 0.9, 1.2]).asked.probabilities.copy()
    said[::3, 0] = np.nan
    said[1] = np.nan
    selection.watch(asked(said))
    assert set(selection.order((*names(4), "new"))) == {*names(4), "new"}


def test_a_negative_cost_is_refused():
    with pytest.raises(ValueError, match="costs"):
        Selection().order(("a",), costs={"a": -1.0})
