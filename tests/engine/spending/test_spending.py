# SPDX-License-Identifier: Apache-2.0
"""What a prediction may spend, what it does spend, and what is booked."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from server.engine.nested import EnsembleForecaster
from server.engine.purse import Allowance, QueryPurse
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Durability, MemberSpec, Options
from server.forecasting.errors import NoAnswerError
from server.forecasting.forecast import Cost, CostSource, Forecast
from server.forecasting.money import Budget, Payer
from server.forecasting.purse import Hold
from server.forecasting.question import Question
from tests.engine.conftest import ensemble_of
from tests.engine.spending.conftest import Offices, absences
from tests.engine.spending.payers import CENT, Paid
from tests.eventually import eventually
from tests.fakes import Saying, yes

QUESTION = Question("q1", "Will it rain?", category="weather")
ASKED = PredictionRequest(QUESTION, caller="alice")


def budget(limit: int, scope: str = "all", name: str = "b", window: timedelta | None = None) -> Budget:
    return Budget(name, scope, limit, window)


async def test_every_call_is_reserved_settled_and_told(offices: Offices) -> None:
    members = {name: Paid(name, costs=(CENT // 2,)) for name in "ab"}
    office = await offices.open(ensemble_of(members), budgets=(budget(10 * CENT),))
    prediction = await office.engine.predict(ASKED)
    assert prediction.cost == Cost(CENT, CostSource.PROVIDER)
    assert await office.taken() == (CENT, 0)
    assert {name: spend.settled_nano_usd for name, spend in (await office.spend("member")).items()} == {
        "a": CENT // 2,
        "b": CENT // 2,
    }
    assert set(await office.spend("caller")) == {"alice"}
    assert set(await office.spend("category")) == {"weather"}
    assert [member for member, _ in office.told.settlements] == ["a", "b"]


async def test_free_members_have_no_purse_and_leave_no_entry(offices: Offices) -> None:
    free = yes(0.7)
    office = await offices.open(ensemble_of({"a": free, "local": Paid("local", free=True, costs=())}))
    await office.engine.predict(ASKED)
    assert free.asked[0].purse is None
    assert (await office.total()).calls == 0


async def test_the_limit_of_a_question_is_never_exceeded(offices: Offices) -> None:
    members = {name: Paid(name, bound=4 * CENT, costs=(4 * CENT,)) for name in "abc"}
    office = await offices.open(ensemble_of(members))  # of ten cents by default
    prediction = await office.engine.predict(ASKED)
    assert absences(prediction) == {"c": "policy_budget_exceeded"}
    assert office.told.refusals == [("c", "query")]
    assert (await office.total()).settled_nano_usd == 8 * CENT
    (absent,) = [m.absent for m in prediction.members if m.absent]
    assert absent.detail == "the call may cost 0.04 USD; of the limit of 0.10 USD 0.02 USD are left"


@pytest.mark.parametrize(("wish", "paid"), [(2 * CENT, 2), (0, 0), (1_000 * CENT, 3)])
async def test_a_caller_may_lower_the_limit_and_never_raise_it(
    offices: Offices, wish: int, paid: int
) -> None:
    members = {name: Paid(name) for name in "abcd"} | {"free": yes(0.8)}
    office = await offices.open(ensemble_of(members, max_cost_nano_usd=3 * CENT))
    await office.engine.predict(replace(ASKED, options=Options(max_cost_nano_usd=wish)))
    assert (await office.total()).calls == paid


async def test_repeated_attempts_need_money_each(offices: Offices) -> None:
    office = await offices.open(
        ensemble_of({"a": Paid("a", costs=(CENT, CENT, CENT)), "free": yes(0.6)}, max_cost_nano_usd=2 * CENT)
    )
    prediction = await office.engine.predict(ASKED)
    assert absences(prediction) == {"a": "policy_budget_exceeded"}
    assert (await office.total()).settled_nano_usd == 2 * CENT


async def test_what_a_cheap_call_gives_back_pays_for_the_next(offices: Offices) -> None:
    office = await offices.open(
        ensemble_of({"a": Paid("a", costs=(CENT // 4,) * 5)}, max_cost_nano_usd=2 * CENT)
    )
    assert (await office.engine.predict(ASKED)).cost == Cost(5 * CENT // 4, CostSource.PROVIDER)


async def test_hedged_away_and_cut_off_calls_are_booked_as_estimates(offices: Offices) -> None:
    hanging, hedged = Paid("slow", hangs=True), asyncio.Event()
    ensemble = ensemble_of(
        {"slow": hanging, "good": Saying(Forecast((0.9, 0.1)), hedged)},
        execution="hedged",
        hedge_delay_s=0.02,
        hedge_share=1.0,
        enough_responses=1,
        deadline_s=60.0,
        durability=Durability.NONE,
    )
    office = await offices.open(ensemble, budgets=(budget(100 * CENT),))
    asking = asyncio.create_task(office.engine.predict(ASKED))
    await eventually(lambda: hanging.calls >= 2)
    hedged.set()
    await asking
    total = await office.total()
    assert (total.settled_nano_usd, total.estimated_nano_usd) == (hanging.calls * CENT, hanging.calls * CENT)
    assert await office.taken() == (hanging.calls * CENT, 0)


async def test_a_caller_who_hangs_up_leaves_nothing_reserved(offices: Offices) -> None:
    hanging = Paid("slow", hangs=True)
    office = await offices.open(ensemble_of({"slow": hanging}), budgets=(budget(10 * CENT),))
    asking = asyncio.create_task(office.engine.predict(ASKED))
    await hanging.called.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert await office.taken() == (CENT, 0)
    assert (await office.total()).estimated_nano_usd == CENT


async def test_a_budget_without_room_makes_members_absent(offices: Offices) -> None:
    office = await offices.open(
        ensemble_of({"a": Paid("a"), "free": yes(0.7)}), budgets=(budget(CENT // 2, name="tiny"),)
    )
    prediction = await office.engine.predict(ASKED)
    assert absences(prediction) == {"a": "policy_budget_exceeded"}
    assert office.told.refusals == [("a", "tiny")]
    assert "budget 'tiny' has 0.005 USD left" in str([m.absent for m in prediction.members])


@pytest.mark.parametrize("scope", ["category:weather", "caller:alice", "member:a", "all"])
async def test_budgets_of_every_scope_hold(offices: Offices, scope: str) -> None:
    office = await offices.open(
        ensemble_of({"a": Paid("a"), "free": yes(0.7)}), budgets=(budget(2 * CENT, scope),)
    )
    for _ in range(4):
        await office.engine.predict(ASKED)
    assert await office.taken() == (2 * CENT, 0)
    other = replace(ASKED, caller="bob", question=Question("q2", "Will it snow?", category="snow"))
    await office.engine.predict(other)
    total = (await office.total()).settled_nano_usd
    assert total == (2 * CENT if scope in ("all", "member:a") else 3 * CENT)


async def test_without_money_for_anybody_nobody_answers(offices: Offices) -> None:
    office = await offices.open(ensemble_of({"a": Paid("a")}), budgets=(budget(0),))
    with pytest.raises(NoAnswerError, match="policy_budget_exceeded"):
        await office.engine.predict(ASKED)


async def test_an_unknown_price_is_refused_unless_allowed(offices: Offices) -> None:
    ensemble = ensemble_of({"a": Paid("a", bound=None), "free": yes(0.7)})
    strict = await offices.open(ensemble)
    prediction = await strict.engine.predict(ASKED)
    assert strict.told.refusals == [("a", "unpriced")]
    assert "[forecasters.a.price]" in str([m.absent for m in prediction.members])
    lenient = await offices.open(ensemble, allow_unpriced=True)
    assert absences(await lenient.engine.predict(ASKED)) == {}
    assert (await lenient.total()).settled_nano_usd == CENT
    assert lenient.told.excesses == []


async def test_a_member_that_bills_more_than_its_bound_is_switched_off(offices: Offices) -> None:
    dear = Paid("dear", bound=CENT, costs=(3 * CENT,))
    inner = ensemble_of({"dear": dear, "free": yes(0.6)}, "other")
    office = await offices.open(
        ensemble_of({"dear": dear, "free": yes(0.6)}), inner, budgets=(budget(10 * CENT),)
    )
    await office.engine.predict(ASKED)
    assert office.told.excesses == [("dear", 3 * CENT)]
    assert await office.taken() == (3 * CENT, 0), "the excess is booked"
    assert not inner.spec.member("dear").enabled
    assert absences(await office.engine.predict(ASKED)) == {"dear": "disabled"}
    dear.bound = 5 * CENT
    inner.change_member("dear", "", enabled=True)
    elsewhere = replace(ASKED, options=Options(ensemble="other"))
    assert absences(await office.engine.predict(elsewhere)) == {"dear": "policy_budget_exceeded"}
    office.engine.forgive("dear")
    assert absences(await office.engine.predict(elsewhere)) == {}


async def test_ensembles_within_ensembles_reserve_once(offices: Offices) -> None:
    leaves = {name: Paid(name) for name in "ab"}
    inner = ensemble_of(leaves, "inner")
    outer = ensemble_of({"panel": EnsembleForecaster("inner", lambda _: inner), "free": yes(0.6)}, "outer")
    office = await offices.open(outer, inner, budgets=(budget(2 * CENT),))
    assert outer.is_priced
    prediction = await office.engine.predict(ASKED)
    assert absences(prediction) == {}
    assert prediction.cost == Cost(2 * CENT, CostSource.PROVIDER)
    assert await office.taken() == (2 * CENT, 0)


async def test_an_inner_ensemble_has_its_own_limit_within_the_outer_one(offices: Offices) -> None:
    inner = ensemble_of({name: Paid(name) for name in "abc"}, "inner", max_cost_nano_usd=2 * CENT)
    panel = EnsembleForecaster("inner", lambda _: inner)
    outer = ensemble_of({"panel": panel, "d": Paid("d")}, "outer", max_cost_nano_usd=3 * CENT)
    office = await offices.open(outer, inner)
    await office.engine.predict(ASKED)
    assert sorted(await office.spend("member")) == ["a", "b", "d"]


def test_an_ensemble_of_free_ones_is_free() -> None:
    inner = ensemble_of({"a": yes(0.6)}, "inner")
    assert not ensemble_of({"panel": EnsembleForecaster("inner", lambda _: inner)}).is_priced


async def test_a_batch_shares_its_limit(offices: Offices) -> None:
    office = await offices.open(ensemble_of({"a": Paid("a"), "free": yes(0.7)}))
    shared = Allowance(3 * CENT)
    asked = [replace(ASKED, question=replace(QUESTION, id=f"q{i}"), shared=shared) for i in range(5)]
    await asyncio.gather(*(office.engine.predict(one) for one in asked))
    assert (await office.total()).settled_nano_usd == 3 * CENT


async def test_a_callers_own_key_spends_the_callers_money(offices: Offices) -> None:
    """It counts in the caller's limit and in no budget of ours."""
    members = {name: Paid(name) for name in "abc"} | {"free": yes(0.7)}
    office = await offices.open(ensemble_of(members, max_cost_nano_usd=2 * CENT), budgets=(budget(0),))
    prediction = await office.engine.predict(replace(ASKED, keys={"sim": "sk-own"}))
    assert absences(prediction) == {"c": "policy_budget_exceeded"}
    assert (await office.total()).calls == 0


class TestHolds:
    async def held(self, offices: Offices) -> tuple[QueryPurse, Hold, Allowance]:
        office = await offices.open(ensemble_of({"a": Paid("a")}), budgets=(budget(10 * CENT),))
        self.office, allowance = office, Allowance(2 * CENT)
        purse = office.treasury.open(Payer("ticket")).purse(allowance)
        hold = await purse.reserve("a", "sim", CENT)
        assert not isinstance(hold, str)
        return purse, hold, allowance  # type: ignore[return-value]

    async def test_settling_again_does_nothing(self, offices: Offices) -> None:
        _, hold, allowance = await self.held(offices)
        hold.settle(Cost(5, CostSource.PROVIDER))
        hold.settle(Cost(7, CostSource.PROVIDER))
        hold.settle(None)
        assert allowance.taken_nano_usd == 5
        assert await self.office.taken() == (5, 0)

    async def test_the_truth_takes_the_place_of_an_estimate(self, offices: Offices) -> None:
        _, hold, allowance = await self.held(offices)
        hold.settle(Cost(500, CostSource.ESTIMATE))
        hold.settle(Cost(400, CostSource.ESTIMATE))
        hold.settle(Cost(300, CostSource.PROVIDER))
        hold.settle(Cost(200, CostSource.PROVIDER))
        assert allowance.taken_nano_usd == 300
        total = await self.office.total()
        assert (total.settled_nano_usd, total.estimated_nano_usd, total.calls) == (300, 0, 1)
        assert await self.office.taken() == (300, 0)
        assert self.office.told.corrections == [("a", -200)]

    async def test_what_was_never_called_is_given_back(self, offices: Offices) -> None:
        _, hold, allowance = await self.held(offices)
        hold.settle(None)
        assert allowance.taken_nano_usd == 0
        assert await self.office.taken() == (0, 0)

    async def test_a_closed_ledger_lets_nobody_pay(self, offices: Offices) -> None:
        purse, hold, allowance = await self.held(offices)
        hold.settle(None)
        await self.office.ledger.close()
        assert "nothing may be spent" in str(await purse.reserve("a", "sim", CENT))
        assert allowance.taken_nano_usd == 0


def test_specs_default_to_ten_cents() -> None:
    assert ensemble_of({"a": yes(0.5)}, specs=(MemberSpec("a"),)).spec.max_cost_nano_usd == 10 * CENT
