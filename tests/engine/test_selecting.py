# SPDX-License-Identifier: Apache-2.0
"""Who is asked, in which order, and how many of them."""

import random
from dataclasses import replace

import pytest

from server.engine.request import PredictionRequest
from server.engine.selecting import explores
from server.forecasting.ensemble import Options
from server.forecasting.forecast import Absent, AbsentReason, Cost, CostSource
from server.forecasting.market_price import MarketPrice
from server.forecasting.prediction import MemberAnswer
from server.forecasting.question import Question
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Fake, Hanging, Saying, yes

ASK = PredictionRequest(Question("q1", "Will it rain?"))


def staked(stake_usd: float) -> PredictionRequest:
    return PredictionRequest(Question("q1", "Will it rain?", stake_usd=stake_usd))


def asked(members: dict[str, Fake]) -> list[str]:
    return [name for name, member in members.items() if member.asked]


async def test_small_stakes_ask_the_quickest_member_alone() -> None:
    members: dict[str, Fake] = {name: yes(0.9) for name in "abc"}
    ensemble = ensemble_of(members, selection="stake", min_responses=2)
    for name, latency_s in (("a", 0.3), ("b", 0.1), ("c", 0.2)):
        ensemble.standings[name].add(MemberAnswer(name, members[name]._answer, 1.0, latency_s=latency_s))
    prediction = await engine_of(ensemble).predict(staked(49.0))
    assert asked(members) == ["b"]
    assert prediction.decision.size_multiplier == 1.0
    reasons = {m.member: m.absent.reason for m in prediction.members if m.absent}
    assert reasons == {"a": AbsentReason.NOT_SELECTED, "c": AbsentReason.NOT_SELECTED}
    await engine_of(ensemble).predict(staked(50.0))
    assert asked(members) == ["a", "b", "c"]


async def test_a_cascade_asks_everyone_where_much_is_at_stake() -> None:
    members: dict[str, Fake] = {name: yes(0.97) for name in "abc"}
    engine = engine_of(ensemble_of(members, execution="cascade", stake_threshold_usd=20.0))
    await engine.predict(staked(19.0))
    assert asked(members) == ["a"]
    assert (await engine.predict(staked(20.0))).method.execution == "parallel"
    assert asked(members) == ["a", "b", "c"]


async def test_only_as_many_as_wanted_and_spare_are_asked() -> None:
    members: dict[str, Fake] = {"a": yes(0.9), "slow": Hanging(), "b": yes(0.8), "c": yes(0.7)}
    engine = engine_of(ensemble_of(members, enough_responses=2, spare_members=1, min_responses=2))
    prediction = await engine.predict(ASK)
    assert asked(members) == ["a", "slow", "b"]
    assert prediction.agreement.answered == 2


@pytest.mark.parametrize("execution", ["parallel", "hedged"])
async def test_the_next_in_line_takes_the_place_of_one_that_fails(execution: str) -> None:
    broken = Saying(Absent(AbsentReason.PROVIDER_SERVER_ERROR, attempts=1))
    members: dict[str, Fake] = {"a": broken, "b": broken, "c": yes(0.8), "d": yes(0.7), "e": yes(0.7)}
    choices = {"execution": execution, "enough_responses": 2, "spare_members": 0, "min_responses": 1}
    prediction = await engine_of(ensemble_of(members, **choices)).predict(ASK)
    assert asked(members) == ["a", "b", "c", "d"]
    assert prediction.agreement.answered == 2


async def test_those_of_value_are_asked_first() -> None:
    source = random.Random(3)  # noqa: S311
    spread = {"noise": 0.35, "precise": 0.01, "loose": 0.2, "middling": 0.1}
    members: dict[str, Fake] = {name: yes(0.5) for name in spread}
    ensemble = ensemble_of(members, selection="value", explore_share=1.0)
    engine = engine_of(ensemble)
    for i in range(60):
        truth = source.uniform(0.3, 0.7)
        for name, own in spread.items():
            said = min(max(truth + source.gauss(0.0, own), 0.02), 0.98)
            ensemble.forecasters[name] = yes(said)
        await engine.predict(PredictionRequest(Question(f"q{i}", "?")))
    last = {name: yes(0.95) for name in spread}
    ensemble.forecasters.update(last)
    ensemble.change("", lambda spec: replace(spec, execution="cascade", explore_share=0.0))
    await engine.predict(ASK)
    assert [name for name, member in last.items() if member.asked] == ["precise"]


async def test_whose_answer_does_no_good_is_not_asked_where_that_is_wanted() -> None:
    """But for the questions that explore, so that a change for the better is noticed."""
    source = random.Random(5)  # noqa: S311
    spread = {"a": 0.02, "b": 0.02, "noise": 0.4}
    ensemble = ensemble_of({name: yes(0.5) for name in spread}, selection="value", explore_share=1.0)
    engine = engine_of(ensemble)
    for i in range(60):
        truth = source.uniform(0.3, 0.7)
        for name, own in spread.items():
            said = min(max(truth + source.gauss(0.0, own), 0.02), 0.98)
            ensemble.forecasters[name] = yes(said)
        await engine.predict(PredictionRequest(Question(f"q{i}", "?")))

    async def asked_with(**changes: object) -> set[str]:
        last = {name: yes(0.6) for name in spread}
        ensemble.forecasters.update(last)
        ensemble.change("", lambda spec: replace(spec, **changes))  # type: ignore[arg-type]
        await engine.predict(ASK)
        return {name for name, member in last.items() if member.asked}

    assert await asked_with(explore_share=0.0) == set(spread)
    assert await asked_with(selection_parameters={"least_gain": 0.0}) == {"a", "b"}
    assert len(await asked_with(selection_parameters={"most": 1})) == 1
    assert await asked_with(explore_share=1.0) == set(spread)


@pytest.mark.parametrize(("price", "wanted"), [(0.9, ["market", "a"]), (None, ["a"])])
async def test_the_price_at_hand_is_asked_beside_those_of_value(
    price: float | None, wanted: list[str]
) -> None:
    """However far the market has been from the others' median, and in nobody's place."""
    members: dict[str, Fake | MarketPrice] = {name: yes(0.5) for name in "abc"}
    members["market"] = MarketPrice()
    choices = {"enough_responses": 1, "spare_members": 0, "min_responses": 1, "explore_share": 1.0}
    ensemble = ensemble_of(members, selection="value", **choices)
    engine = engine_of(ensemble)
    for i in range(40):
        # The market alone is far off; "a" is always the others' median.
        members["a"]._answer = yes(0.3)._answer
        members["b"]._answer = yes(0.2 + 0.002 * i)._answer
        members["c"]._answer = yes(0.4 - 0.002 * i)._answer
        await engine.predict(PredictionRequest(Question(f"q{i}", "?", market_probability=0.95)))
    ensemble.change("", lambda spec: replace(spec, explore_share=0.0))
    prediction = await engine.predict(PredictionRequest(Question("last", "?", market_probability=price)))
    answered = [m.member for m in prediction.members if m.forecast is not None]
    assert sorted(answered) == sorted(wanted)


def test_a_share_of_the_questions_is_explored_always_the_same() -> None:
    questions = [Question(f"q{i}") for i in range(4000)]
    first = [explores(0.05, question) for question in questions]
    assert first == [explores(0.05, question) for question in questions]
    assert 0.04 < sum(first) / len(first) < 0.06
    assert not any(explores(0.0, question) for question in questions)
    assert all(explores(1.0, question) for question in questions)


async def test_asking_ends_where_it_is_not_worth_its_price() -> None:
    dear = Cost(10_000_000_000, CostSource.PROVIDER)  # ten dollars
    members: dict[str, Fake] = {name: yes(0.6, cost=dear) for name in "abcdef"}
    engine = engine_of(ensemble_of(members, execution="value", call_cost_usd=10.0, loss_usd=1.0))
    prediction = await engine.predict(ASK)
    assert asked(members) == ["a"]
    assert {m.absent.reason for m in prediction.members if m.absent} == {AbsentReason.NOT_NEEDED}
    # Where ten thousand dollars hang on it, all of them are cheap.
    rich = PredictionRequest(Question("q2", "?", stake_usd=1e6))
    assert (await engine.predict(rich)).agreement.answered == 6


async def test_nobody_knows_what_a_mistake_costs_so_all_are_asked() -> None:
    members: dict[str, Fake] = {name: yes(0.6) for name in "abc"}
    options = Options(execution="value")
    await engine_of(ensemble_of(members, call_cost_usd=10.0)).predict(
        PredictionRequest(ASK.question, options)
    )
    assert asked(members) == ["a", "b", "c"]
