# SPDX-License-Identifier: Apache-2.0
"""The pure rules: names, plans, decisions, deadlines, answers as a matrix."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.consensus import Consensus
from server.forecasting.answers import OTHER, answer_matrix, fault_in, numeric_result, votes
from server.forecasting.deadline import Deadline
from server.forecasting.disagreement import decide
from server.forecasting.ensemble import Choices, EnsembleSpec, MemberSpec, Options, make_plan
from server.forecasting.errors import InvalidRequestError
from server.forecasting.explanation import explain
from server.forecasting.forecast import Absent, AbsentReason, Cost, CostSource, Forecast
from server.forecasting.market_price import MarketPrice
from server.forecasting.names import canonical, choose
from server.forecasting.normalization import normalise
from server.forecasting.pooling import PARAMETERS, POOLINGS, pooling
from server.forecasting.prediction import Action, MemberAnswer
from server.forecasting.query import Query
from server.forecasting.question import (
    Exclusive,
    FreeText,
    Normalization,
    Numeric,
    NumericScale,
    Question,
)

CHOICES = Choices(POOLINGS, ("parallel",), ("all",), ("none",), ("fixed",))


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> object:
        raise AssertionError


def test_a_deadline_is_asked_how_much_is_left() -> None:
    clock = Hands()
    deadline = Deadline.after(2.0, clock)  # type: ignore[arg-type]
    assert deadline.remaining_s() == 2.0
    assert deadline.earlier(0.5).remaining_s() == 1.5
    assert deadline.within(1.0).remaining_s() == 1.0
    assert deadline.within(3.0).remaining_s() == 2.0
    clock.at += 5
    assert deadline.expired
    assert deadline.remaining_s() == 0.0


@pytest.mark.parametrize(
    ("given_name", "found"),
    [
        ("WeightedAverage", "linear"),
        ("WEIGHTED_VOTING", "weighted_vote"),
        (":best_confidence", "best_confidence"),
        ("log-odds", "log_odds"),
        ("Bayesian", "bayesian"),
    ],
)
def test_older_names_are_known(given_name: str, found: str) -> None:
    assert canonical(given_name) == found
    assert choose("pooling", given_name, POOLINGS) == found


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match="beta_linear"):
        choose("pooling", "magic", POOLINGS)


@given(st.integers(0, 12), st.integers(0, 12), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_decisions_follow_the_thresholds(
    answered: int, wanted: int, share: float, low: float, high: float
) -> None:
    low, high = min(low, high), max(low, high)
    decision = decide(
        share, answered=answered, asked=12, min_responses=wanted, min_agreement=low, high_agreement=high
    )
    expected = (
        Action.ABSTAIN
        if answered < wanted or share < low
        else Action.REDUCE
        if share < high
        else Action.PROCEED
    )
    assert decision.action is expected
    assert (
        decision.size_multiplier == {Action.ABSTAIN: 0.0, Action.REDUCE: share, Action.PROCEED: 1.0}[expected]
    )
    assert decision.reason


def test_a_pooling_without_a_winner_abstains() -> None:
    decision = decide(
        1.0, answered=3, asked=3, min_responses=1, min_agreement=0, high_agreement=0, decided=False
    )
    assert decision.action is Action.ABSTAIN


@pytest.mark.parametrize(("members", "quorum"), [(1, 1), (2, 1), (3, 2), (12, 6), (13, 7)])
def test_the_quorum_is_half_rounded_up(members: int, quorum: int) -> None:
    spec = EnsembleSpec("e", tuple(MemberSpec(str(i)) for i in range(members)))
    assert make_plan(spec, Options(), CHOICES).min_responses == quorum


def test_a_caller_may_shorten_the_deadline_never_lengthen_it() -> None:
    spec = EnsembleSpec("e", (MemberSpec("a"),), deadline_s=2.0)
    assert make_plan(spec, Options(deadline_s=1.0), CHOICES).spec.deadline_s == 1.0
    assert make_plan(spec, Options(deadline_s=9.0), CHOICES).spec.deadline_s == 2.0


@pytest.mark.parametrize(
    ("rule", "same", "different"),
    [
        (Normalization.LOWERCASE_TRIM, ["Paris", " PARIS. ", "paris"], "Lyon"),
        (Normalization.NUMERIC, ["1,000", "1000.0", "about 1e3 USD", "1k", "1 000"], "1001"),
        (Normalization.NUMERIC, ["3 or 4", "3."], "3 400"),
        (Normalization.BOOLEAN, ["Yes", "true", "Y, surely", "1"], "no"),
        (Normalization.JSON, ['{"b":1,"a":2}', '{ "a": 2, "b": 1 }'], '{"a":1}'),
    ],
)
def test_equal_answers_have_one_form(rule: Normalization, same: list[str], different: str) -> None:
    forms = {normalise(text, rule) for text in same}
    assert len(forms) == 1
    assert normalise(different, rule) not in forms


@given(
    st.text(max_size=60),
    st.sampled_from([rule for rule in Normalization if rule is not Normalization.EMBEDDING]),
)
def test_a_normal_form_is_its_own_normal_form(text: str, rule: Normalization) -> None:
    once = normalise(text, rule)
    assert normalise(once, rule) == once


@pytest.mark.parametrize(
    ("kind", "forecast", "fault"),
    [
        (Exclusive(("a", "b")), Forecast((0.4, 0.6)), ""),
        (Exclusive(("a", "b")), Forecast((0.4,)), "2 are wanted"),
        (Exclusive(("a", "b")), Forecast((0.4, 0.5)), "sum to 1"),
        (Exclusive(("a", "b")), Forecast((-0.1, 1.1)), "outside"),
        (Exclusive(("a", "b")), Forecast((math.nan, 1.0)), "outside"),
        (Numeric((1.0, 2.0)), Forecast((0.4, 0.4)), ""),
        (Numeric((1.0, 2.0)), Forecast((0.4, 0.3)), "decrease"),
        (FreeText(), Forecast((), text=" "), "empty"),
        (FreeText(), Forecast((), text="x"), ""),
    ],
)
def test_forecasts_must_fit_their_question(kind: object, forecast: Forecast, fault: str) -> None:
    found = fault_in(Question("q", kind=kind), forecast)  # type: ignore[arg-type]
    assert (fault in found) if fault else not found


def test_absent_and_unsure_members_are_nan_rows() -> None:
    answers = [Forecast((0.9, 0.1)), Absent(AbsentReason.INTERNAL), None, Forecast((0.6, 0.4))]
    matrix = answer_matrix(Question("q"), answers, [0.0, 0.0, 0.0, 0.7])
    np.testing.assert_array_equal(matrix.probabilities[0], [0.9, 0.1])
    assert np.isnan(matrix.probabilities[1:]).all()


def test_free_text_rows_sum_to_one() -> None:
    answers = [
        Forecast((), text="A", self_confidence=0.7),
        Forecast((), text="b"),
        Absent(AbsentReason.INTERNAL),
    ]
    matrix = answer_matrix(Question("q", kind=FreeText()), answers, [0, 0, 0])
    assert matrix.outcomes == ("a", "b", OTHER)
    np.testing.assert_allclose(matrix.probabilities[0], [0.7, 0.15, 0.15])
    np.testing.assert_allclose(matrix.probabilities[1], [0, 1, 0])
    assert votes(matrix) == (1, 1, 0)


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_a_median_lies_where_the_curve_crosses_one_half(raw: list[float]) -> None:
    masses = np.array(raw) / sum(raw)
    result = numeric_result(Numeric((1.0, 10.0, 100.0), scale=NumericScale.LOG), masses.tolist())
    cumulative = np.cumsum(masses)[:-1]
    if cumulative[0] > 0.5 or cumulative[-1] < 0.5:
        assert math.isnan(result.median)
    else:
        at_median = np.interp(math.log(result.median), np.log([1.0, 10.0, 100.0]), cumulative)
        assert at_median == pytest.approx(0.5)


@pytest.mark.parametrize("name", POOLINGS)
def test_every_named_pooling_pools(name: str) -> None:
    rows = np.array([[0.7, 0.3], [0.8, 0.2], [0.6, 0.4]])
    pooled = pooling(name, {}, 3, 2).pool(rows, np.ones(3))
    assert math.fsum(pooled.probabilities) == pytest.approx(1)
    assert pooled.chosen == 0
    assert pooled.agreement.answered == 3
    assert len(PARAMETERS[name]) <= 2


def test_poolings_of_one_shape_share_buffers_and_nothing_else() -> None:
    rows = np.array([[0.7, 0.3], [0.8, 0.2]])
    first = pooling("linear", {}, 2, 2).pool(rows, np.ones(2))
    pooling("linear", {}, 2, 2).pool(rows[::-1] * 0 + 0.5, np.ones(2))
    assert first.probabilities == pytest.approx((0.75, 0.25))
    assert isinstance(Consensus(2, 2)(rows, np.ones(2)), np.ndarray)


async def test_the_market_price_is_a_member() -> None:
    deadline = Deadline.after(1.0, Hands())  # type: ignore[arg-type]
    priced = await MarketPrice().forecast(Query(Question("q", market_probability=0.3)), deadline)
    assert isinstance(priced, Forecast)
    assert priced.probabilities == pytest.approx((0.3, 0.7))
    for question in (Question("q"), Question("q", kind=Exclusive(("a", "b")), market_probability=0.3)):
        absent = await MarketPrice().forecast(Query(question), deadline)
        assert isinstance(absent, Absent)
        assert absent.reason is AbsentReason.NOT_APPLICABLE


def test_costs_add_up_and_keep_the_least_certain_source() -> None:
    assert Cost.total([]) is None
    total = Cost.total([Cost(5, CostSource.PROVIDER), Cost(7, CostSource.PRICE_TABLE)])
    assert total == Cost(12, CostSource.PRICE_TABLE)


def test_an_explanation_names_movers_and_missing() -> None:
    members = [
        MemberAnswer("up", Forecast((0.9, 0.1)), 1.0, 0.5, 0.1),
        MemberAnswer("down", Forecast((0.6, 0.4)), 1.0, 0.5, -0.1),
        MemberAnswer("gone", Absent(AbsentReason.PROVIDER_TIMEOUT, attempts=1), 1.0),
        MemberAnswer("off", Absent(AbsentReason.DISABLED), 1.0),
    ]
    decision = decide(1.0, answered=2, asked=3, min_responses=1, min_agreement=0.6, high_agreement=0.8)
    text = explain("YES", 0.75, "linear", members, decision)
    assert "up (+0.100)" in text
    assert "down (-0.100)" in text
    assert "gone (provider_timeout)" in text
    assert "off" not in text


def test_keys_are_not_in_a_repr() -> None:
    assert "sesame" not in repr(Query(Question("q"), keys={"openai": "sesame"}))
