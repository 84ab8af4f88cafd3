# SPDX-License-Identifier: Apache-2.0
"""What holds for every weighting, by its name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from server.learning.batches import MARKET, STALE_MARKET
from server.learning.context import Context
from server.learning.market import WithMarket
from server.learning.methods import ADAPTIVE, WEIGHTINGS, Weightings
from tests.learning.cases import asked, one_factor

NAMES = (*WEIGHTINGS, ADAPTIVE)


def taught(name, resolved, with_market=False):
    """A weighting that has seen the questions asked and answered."""
    learners = Weightings(with_market=with_market)
    for learner in learners.learners:
        learner.watch(resolved.asked)
    for learner in learners.learners:
        learner.observe(resolved)
    return learners[name]


@pytest.mark.parametrize("with_market", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_cold_start_weighs_members_equally(name, with_market):
    weights = Weightings(with_market=with_market)[name].weights(asked([[0.2, 0.9, 0.6, np.nan]]))
    np.testing.assert_allclose(weights, [[1 / 3, 1 / 3, 1 / 3, 0]], atol=1e-12)


@pytest.mark.parametrize("with_market", [False, True])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(
    p=arrays(
        float,
        st.tuples(st.integers(1, 6), st.just(4)),
        elements=st.one_of(st.just(np.nan), st.floats(0, 1)),
    )
)
def test_weights_sum_to_one_over_those_present(name, with_market, p):
    weighting = taught(name, one_factor(30, [0.3, 1, 2, 0.5]), with_market)
    weights = weighting.weights(asked(p))
    present = ~np.isnan(p)
    assert (weights >= 0).all()
    assert (weights[~present] == 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), present.any(axis=1), atol=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "fixed"])
def test_the_sharper_member_comes_to_weigh_more(name):
    weights = taught(name, one_factor(400, [0.2, 1.5, 1.5])).weights(asked([[0.5, 0.6, 0.7]]))[0]
    assert weights[0] > weights[1:].max()


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_members_does_not_matter(name):
    resolved = one_factor(60, [0.2, 1.0, 2.0], names="abc")
    weighting = taught(name, resolved)
    p = np.array([[0.2, 0.7, 0.9]])
    one = weighting.weights(asked(p, "abc"))
    other = weighting.weights(asked(p[:, ::-1], "cba"))
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_member_never_met_is_taken_in(name):
    weighting = taught(name, one_factor(60, [0.5, 0.5]))
    weights = weighting.weights(asked([[0.4, 0.5, 0.6]], ["m0", "m1", "new"]))[0]
    assert weights.sum() == pytest.approx(1)
    assert weights[2] > 0


@pytest.mark.parametrize("name", NAMES)
def test_an_outcome_of_weight_zero_teaches_nothing(name):
    resolved = one_factor(50, [0.1, 2.0])
    weighting = Weightings(with_market=False)
    muted = type(resolved)(resolved.asked, resolved.outcomes, resolved.shocks, resolved.weights * 0)
    for learner in weighting.learners:
        learner.observe(muted)
    np.testing.assert_allclose(weighting[name].weights(asked([[0.3, 0.4]])), 0.5, atol=1e-9)


def test_configured_weights_count_where_somebody_set_them():
    fixed = WEIGHTINGS["fixed"]
    np.testing.assert_allclose(
        type(fixed())({"m1": 3.0}).weights(asked([[0.1, 0.2], [0.1, np.nan]])), [[0.25, 0.75], [1, 0]]
    )


MARKETS = Context(kind="market", source="polymarket")


def with_price(resolved, price, name=MARKET):
    p = np.column_stack([resolved.asked.probabilities, price])
    a = asked(p, (*resolved.asked.members, name), MARKETS)
    return type(resolved)(a, resolved.outcomes, resolved.shocks, resolved.weights)


def share_of(name, weighting):
    return weighting.weights(asked([[0.4, 0.5, 0.6]], ["m0", "m1", name], MARKETS))[0, 2]


def test_a_price_that_is_right_earns_its_share_and_one_that_is_noise_loses_it():
    members = one_factor(300, [1.0, 1.0], seed=3)
    good = np.where(members.outcomes > 0, 0.9, 0.1)
    noise = np.random.default_rng(0).random(300)
    shares = {}
    for kind, price in (("good", good), ("noise", noise)):
        weighting = WithMarket(WEIGHTINGS["fixed"]())
        cold = share_of(MARKET, weighting)
        weighting.observe(with_price(members, price))
        shares[kind] = share_of(MARKET, weighting)
    assert cold == pytest.approx(0.5, abs=0.1)
    assert shares["good"] > 0.8
    assert shares["noise"] < 0.15


def test_a_stale_price_is_trusted_less_and_only_where_there_is_no_fresh_one():
    weighting = WithMarket(WEIGHTINGS["fixed"]())
    both = asked([[0.4, 0.6, 0.7]], ["m0", MARKET, STALE_MARKET])
    stale = asked([[0.4, np.nan, 0.7]], ["m0", MARKET, STALE_MARKET])
    assert weighting.weights(both)[0, 2] == 0
    assert 0 < weighting.weights(stale)[0, 2] < weighting.weights(both)[0, 1]


def test_a_price_alone_is_the_answer():
    weighting = WithMarket(WEIGHTINGS["fixed"]())
    np.testing.assert_allclose(weighting.weights(asked([[np.nan, 0.7]], ["m0", MARKET])), [[0, 1]])
