# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.learning.batches import Asked, Resolved
from server.learning.context import Context
from server.learning.context_value import PRIOR_LOSS, ContextValue
from server.learning.selection import PRIOR_SCATTER, Selection

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
    np.testing.assert_allclose(value.losses(MEMBERS, POLITICS), PRIOR_LOSS + PRIOR_SCATTER)
    assert value.order(MEMBERS, POLITICS, most=2) == MEMBERS[:2]


@given(st.integers(1, 4), st.lists(st.floats(0.0, 10.0), min_size=4, max_size=4))
def test_orders_are_of_the_wanted_length_without_repetition(most: int, costs: list[float]) -> None:
    order = taught(20).order(MEMBERS, SPORTS, dict(zip(MEMBERS, costs, strict=True)), most=most)
    assert len(order) == most
    assert len(set(order)) == most


def scattered(answers: int) -> Selection:
    """Answers without an outcome: the last member is all over the place."""
    chance = np.random.default_rng(2)
    middle = chance.uniform(0.2, 0.8, (answers, 1))
    said = np.clip(middle + chance.normal(0.0, (0.05, 0.02, 0.06, 0.3), (answers, 4)), 0.01, 0.99)
    selection = Selection()
    selection.watch(Asked(MEMBERS, said, (POLITICS,) * answers))
    return selection


@pytest.mark.parametrize("seed", range(5))
def test_a_handful_of_outcomes_does_not_overturn_what_many_answers_show(seed: int) -> None:
    """The noisy one happened to be right twice; by its outcomes alone it would come first."""
    chance = np.random.default_rng(seed)
    value, answers = ContextValue(), scattered(300)
    said = np.column_stack([chance.uniform(0.4, 0.6, (2, 3)), np.full(2, 0.97)])
    value.observe(Resolved.of(Asked(MEMBERS, said, (POLITICS,) * 2), np.ones(2)))
    order = value.order(MEMBERS, POLITICS, answers=answers)
    assert order == answers.order(MEMBERS, POLITICS.kind)
    assert order[-1] != "politician"


def test_many_outcomes_do() -> None:
    """Far from the others, and right: what answers alone cannot tell."""
    chance = np.random.default_rng(3)
    truth = (chance.random(400) < 0.5).astype(float)
    said = chance.uniform(0.4, 0.6, (400, 4))
    said[:, 3] = np.where(truth > 0.5, 0.9, 0.1)
    asked = Asked(MEMBERS, said, (POLITICS,) * 400)
    alone = Selection()
    alone.watch(asked)
    assert alone.order(MEMBERS, POLITICS.kind)[-1] == "noise"
    value = ContextValue()
    value.observe(Resolved.of(asked, truth))
    assert value.order(MEMBERS, POLITICS)[0] == "noise"
    losses = value.losses(MEMBERS, POLITICS)
    direct = ((said - truth[:, None]) ** 2).mean(axis=0)
    np.testing.assert_allclose(losses, direct, atol=0.02)
