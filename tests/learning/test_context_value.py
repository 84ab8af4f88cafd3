# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.learning.batches import Asked, Resolved
from server.learning.context import Context
from server.learning.context_value import PRIOR_LOSS, ContextValue

POLITICS, SPORTS = Context("market", category="politics"), Context("market", category="sports")
MEMBERS = ("politician", "sportsman", "twin", "noise")


def taught(cases: int = 200) -> ContextValue:
    """One who knows politics, one who knows sports, a copy of the first, and one who guesses."""
    chance = np.random.default_rng(1)
    value = ContextValue()
    for context, sharp in ((POLITICS, 0), (SPORTS, 1)):
        truth = (chance.random(cases) < 0.5).astype(float)
        said = chance.random((cases, 4))
        good = np.clip(truth + chance.normal(0.0, 0.2, cases), 0.02, 0.98)
        said[:, sharp] = good
        said[:, 2] = said[:, 0]
        value.observe(Resolved.of(Asked(MEMBERS, said, (context,) * cases), truth))
    return value


def test_each_context_has_its_own_best() -> None:
    value = taught()
    assert value.order(MEMBERS, POLITICS)[0] in ("politician", "twin")
    assert value.order(MEMBERS, SPORTS)[0] == "sportsman"


def test_a_copy_adds_nothing() -> None:
    order = taught().order(("politician", "twin", "sportsman"), SPORTS)
    assert order.index("twin") > order.index("sportsman")
    alone = taught().order(MEMBERS, POLITICS, least_gain=0.05)
    assert not {"politician", "twin"} <= set(alone)


def test_price_counts() -> None:
    dear = {"politician": 100.0, "twin": 1.0, "sportsman": 1.0, "noise": 1.0}
    assert taught().order(MEMBERS, POLITICS, dear)[0] == "twin"
    with pytest.raises(ValueError, match="at least 0"):
        taught().order(MEMBERS, POLITICS, {"noise": -1.0})


def test_an_unknown_context_borrows_from_all() -> None:
    value = taught()
    nowhere = value.losses(MEMBERS, Context("market", category="weather"))
    assert nowhere[3] > nowhere[0]
    assert nowhere[0] == pytest.approx(value.losses(MEMBERS, Context("market"))[0])


def test_before_any_outcome_all_are_alike() -> None:
    value = ContextValue()
    assert value.empty
    np.testing.assert_allclose(value.losses(MEMBERS, POLITICS), PRIOR_LOSS)
    assert value.order(MEMBERS, POLITICS, most=2) == MEMBERS[:2]


@given(st.integers(1, 4), st.lists(st.floats(0.0, 10.0), min_size=4, max_size=4))
def test_orders_are_of_the_wanted_length_without_repetition(most: int, costs: list[float]) -> None:
    order = taught(20).order(MEMBERS, SPORTS, dict(zip(MEMBERS, costs, strict=True)), most=most)
    assert len(order) == most
    assert len(set(order)) == most
