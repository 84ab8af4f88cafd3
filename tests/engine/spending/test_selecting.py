# SPDX-License-Identifier: Apache-2.0
"""Whom selection and the controls of budgets let in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.engine.ensembles import Ensemble
from server.engine.gathering import CHOICES
from server.engine.pricing import estimate
from server.engine.request import PredictionRequest
from server.engine.selecting import plan_for
from server.forecasting.ensemble import MemberSpec, Options, make_plan
from server.forecasting.forecast import Cost, CostSource
from server.forecasting.money import Budget, BudgetStatus, Control, Thresholds
from server.forecasting.query import Query
from server.forecasting.question import Question
from tests.engine.conftest import ensemble_of
from tests.engine.spending.conftest import Offices, absences
from tests.engine.spending.payers import CENT, Paid
from tests.fakes import yes

QUESTION = Question("q1", "Will it rain?", category="weather", market_probability=0.5)
ASKED = PredictionRequest(QUESTION, caller="alice")


def chosen(ensemble: Ensemble, selection: str, question: Question = QUESTION, **options: object) -> list[str]:
    wishes = Options(selection=selection, **options)  # type: ignore[arg-type]
    plan = plan_for(ensemble, wishes, question, CHOICES)
    return [plan.members[place].name for place in plan.order]


class TestBudget:
    def test_greedy_by_weight_per_cost_within_the_limit(self) -> None:
        bounds = {"dear": 6 * CENT, "cheap": CENT, "fair": 3 * CENT}
        ensemble = ensemble_of({name: Paid(name, bound=bound) for name, bound in bounds.items()})
        assert chosen(ensemble, "budget", max_cost_nano_usd=10 * CENT) == ["cheap", "fair", "dear"]
        assert chosen(ensemble, "budget", max_cost_nano_usd=7 * CENT) == ["cheap", "fair"]

    def test_one_that_does_not_fit_is_passed_over(self) -> None:
        bounds = {"cheap": CENT, "fair": 3 * CENT, "dear": 8 * CENT}
        specs = (MemberSpec("cheap"), MemberSpec("fair", 0.1), MemberSpec("dear", 5.0))
        ensemble = ensemble_of({name: Paid(name, bound=b) for name, b in bounds.items()}, specs=specs)
        assert chosen(ensemble, "budget", max_cost_nano_usd=5 * CENT) == ["cheap", "fair"]

    def test_accuracy_counts_and_who_has_none_is_typical(self) -> None:
        ensemble = ensemble_of({name: Paid(name) for name in "abc"})
        ensemble.standings["b"].accuracy = 0.9
        ensemble.standings["c"].accuracy = 0.5
        assert chosen(ensemble, "budget") == ["b", "a", "c"]

    def test_nearly_free_members_count_as_a_tenth_of_a_cent(self) -> None:
        """Without the floor a member of a millionth of the price would beat every better one."""
        members = {"tiny": Paid("tiny", bound=1), "good": Paid("good", bound=CENT // 5)}
        specs = (MemberSpec("tiny", 0.4), MemberSpec("good", 1.0))
        assert chosen(ensemble_of(members, specs=specs), "budget") == ["good", "tiny"]

    def test_unknown_prices_are_left_out_and_somebody_is_always_asked(self) -> None:
        members = {"odd": Paid("odd", bound=None), "a": Paid("a", bound=4 * CENT)}
        assert chosen(ensemble_of(members), "budget") == ["a"]
        assert chosen(ensemble_of(members), "budget", max_cost_nano_usd=1) == ["a"]

    async def test_it_works_in_the_engine_and_those_left_out_were_not_selected(
        self, offices: Offices
    ) -> None:
        members = {name: Paid(name, bound=4 * CENT, costs=(CENT,)) for name in "abc"}
        office = await offices.open(ensemble_of(members))
        prediction = await office.engine.predict(replace(ASKED, options=Options(selection="budget")))
        assert absences(prediction) == {"c": "not_selected"}
        named = Options(selection="budget", members=("c",))
        assert absences(await office.engine.predict(replace(ASKED, options=named))) == {
            "a": "not_selected",
            "b": "not_selected",
        }


class TestEstimate:
    def test_bounds_and_guesses(self) -> None:
        members = {"a": Paid("a", bound=CENT, costs=(1, 1, 1)), "free": yes(0.5)}
        ensemble = ensemble_of(members)
        made = estimate(ensemble, make_plan(ensemble.spec, Options(), CHOICES), Query(QUESTION))
        assert made.bound == Cost(3 * CENT, CostSource.ESTIMATE)
        assert made.expected == Cost(CENT, CostSource.ESTIMATE)
        assert [price.is_free for price in made.members] == [False, True]

    def test_never_above_the_limit_and_hedges_count(self) -> None:
        ensemble = ensemble_of({"a": Paid("a", costs=(1, 1))}, execution="hedged")
        plan = make_plan(ensemble.spec, Options(), CHOICES)
        assert estimate(ensemble, plan, Query(QUESTION)).members[0].max_calls == 6
        calmly = make_plan(ensemble.spec, Options(execution="parallel"), CHOICES)
        assert estimate(ensemble, calmly, Query(QUESTION)).members[0].max_calls == 2, (
            "the caller's wish counts"
        )
        plan = make_plan(ensemble.spec, Options(max_cost_nano_usd=4), CHOICES)
        assert estimate(ensemble, plan, Query(QUESTION)).bound == Cost(4, CostSource.ESTIMATE)

    def test_nobody_knows(self) -> None:
        ensemble = ensemble_of({"a": Paid("a", bound=None)})
        plan = make_plan(ensemble.spec, Options(), CHOICES)
        assert estimate(ensemble, plan, Query(QUESTION)).bound is None


class TestControls:
    @pytest.mark.parametrize(
        ("used", "control"),
        [(0.0, Control.NONE), (0.75, Control.CHEAPER), (0.9, Control.CASCADE), (1.0, Control.STOP)],
    )
    def test_thresholds(self, used: float, control: Control) -> None:
        assert Thresholds().control(used) is control

    def test_a_new_window_begins_unused(self) -> None:
        noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
        status = BudgetStatus(Budget("b", "all", 100, timedelta(hours=1)), 60, 20, noon)
        assert status.used(noon + timedelta(minutes=59)) == 0.8
        assert status.used(noon + timedelta(minutes=60)) == 0.0
        assert BudgetStatus(Budget("b", "all", 0), 0, 0, None).used(noon) == 1.0

    async def spent(self, offices: Offices, share: float, **members: Paid) -> tuple[object, ...]:
        """An answer once this share of a budget is used."""
        limit = 100 * CENT
        first = Paid("first", bound=round(limit * share), costs=(round(limit * share),))
        ensemble = ensemble_of(dict(members))
        before = ensemble_of({"first": first}, "before", max_cost_nano_usd=limit)
        office = await offices.open(ensemble, before, budgets=(Budget("b", "all", limit),))
        if share:
            await office.engine.predict(replace(ASKED, options=Options(ensemble="before")))
            await office.ledger.status()
        return office, await office.engine.predict(ASKED)

    def three(self) -> dict[str, Paid]:
        return {name: Paid(name, bound=n * CENT) for n, name in enumerate("abc", start=1)}

    async def test_nothing_below(self, offices: Offices) -> None:
        _, prediction = await self.spent(offices, 0.5, **self.three())
        assert (absences(prediction), prediction.warnings) == ({}, ())  # type: ignore[arg-type,attr-defined]

    async def test_a_cheaper_set(self, offices: Offices) -> None:
        _, prediction = await self.spent(offices, 0.8, **self.three())
        assert absences(prediction) == {"c": "not_selected"}  # type: ignore[arg-type]
        assert prediction.warnings == (  # type: ignore[attr-defined]
            "budget 'b' is 80% used: a cheaper set of members was asked",
        )

    async def test_a_cascade(self, offices: Offices) -> None:
        members = self.three()
        members["a"].probability = 0.95
        office, prediction = await self.spent(offices, 0.91, **members)
        assert absences(prediction) == {"b": "not_needed", "c": "not_needed"}  # type: ignore[arg-type]
        assert prediction.method.execution == "cascade"  # type: ignore[attr-defined]
        assert "91% used" in prediction.warnings[0]  # type: ignore[attr-defined]
        ((status, restraint),) = office.engine.budgets  # type: ignore[attr-defined]
        assert (status.budget.name, restraint.control) == ("b", Control.CASCADE)

    async def test_a_stop_before_the_end(self, offices: Offices) -> None:
        terms = {"by_budget": {"b": Thresholds(0.1, 0.2, 0.3)}}
        ensemble = ensemble_of({"a": Paid("a", bound=40 * CENT, costs=(40 * CENT,)), "free": yes(0.7)},
                               max_cost_nano_usd=100 * CENT)  # fmt: skip
        office = await offices.open(ensemble, budgets=(Budget("b", "all", 100 * CENT),), **terms)
        await office.engine.predict(ASKED)
        await office.ledger.status()
        prediction = await office.engine.predict(ASKED)
        assert absences(prediction) == {"a": "policy_budget_exceeded"}
        assert office.told.refusals == [("a", "stopped")]
        assert prediction.warnings[0] == "budget 'b' is 40% used: members that cost money are refused"

    async def test_other_peoples_budgets_restrain_nobody(self, offices: Offices) -> None:
        office = await offices.open(
            ensemble_of({"a": Paid("a")}),
            budgets=(Budget("bobs", "caller:bob", 0), Budget("b's", "member:b", 0)),
        )
        assert (await office.engine.predict(ASKED)).warnings == ()
