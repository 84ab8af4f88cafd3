# SPDX-License-Identifier: Apache-2.0
"""Who is asked when, and when it is enough."""

import asyncio
from dataclasses import replace
from typing import ClassVar

import pytest

from server.engine.events import Arrived, Event
from server.engine.hedging import HedgeAllowance, hedge_delay_s
from server.engine.request import PredictionRequest
from server.engine.standing import Standing
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import EnsembleSpec, MemberSpec, Options
from server.forecasting.forecast import NOBODYS_FAULT, Absent, AbsentReason, Answer, Forecast
from server.forecasting.ports import Forecaster
from server.forecasting.prediction import Action, MemberAnswer
from server.forecasting.query import Query
from server.forecasting.question import Question
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Dying, Fake, Hanging, Saying, yes

ASK = PredictionRequest(Question("q1", "Will it rain?"))


class SlowFirst(Fake):
    """Hangs on its first ``slow`` attempts, then answers at once."""

    def __init__(self, slow: int, answer: Answer) -> None:
        super().__init__()
        self._slow, self._answer = slow, answer

    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        if len(self.asked) <= self._slow:
            await asyncio.Event().wait()
        return self._answer


async def test_sequential_stops_when_those_in_hand_agree() -> None:
    members = {name: yes(0.9) for name in "abcdef"}
    engine = engine_of(ensemble_of(members, execution="sequential", min_responses=3, min_consensus=1.0))
    prediction = await engine.predict(ASK)
    assert [len(member.asked) for member in members.values()] == [1, 1, 1, 0, 0, 0]
    assert [m.absent.reason.value for m in prediction.members if m.absent] == ["not_needed"] * 3
    assert prediction.decision.action is Action.PROCEED


async def test_sequential_goes_on_while_they_disagree() -> None:
    members = {"a": yes(0.9), "b": yes(0.1), "c": Dying(), "d": yes(0.9), "e": yes(0.9), "f": yes(0.9)}
    engine = engine_of(ensemble_of(members, execution="sequential", min_responses=2, min_consensus=0.7))
    await engine.predict(ASK)
    assert [len(member.asked) for member in members.values()] == [1, 1, 1, 1, 1, 0]


async def test_sequential_does_not_wait_for_one_slow_member() -> None:
    members = {"slow": Hanging(), "a": yes(0.9), "b": yes(0.8)}
    engine = engine_of(
        ensemble_of(members, execution="sequential", min_responses=2, min_consensus=1.0, deadline_s=0.5)
    )
    prediction = await engine.predict(ASK)
    assert prediction.agreement.answered == 2
    assert members["slow"].cancelled == 1


async def test_a_cascade_stops_at_the_first_confident_answer() -> None:
    members = {"quick": yes(0.97), "big": yes(0.99)}
    prediction = await engine_of(ensemble_of(members, execution="cascade")).predict(ASK)
    assert prediction.agreement.answered == 1
    assert prediction.decision.action is Action.PROCEED
    assert not members["big"].asked


async def test_a_cascade_asks_on_while_it_is_unsure() -> None:
    members = {"quick": yes(0.6), "big": yes(0.7), "last": yes(0.99)}
    engine = engine_of(ensemble_of(members, execution="cascade", confidence_threshold=0.95))
    await engine.predict(ASK)
    assert all(len(member.asked) == 1 for member in members.values())
    hasty = PredictionRequest(ASK.question, Options(confidence_threshold=0.5))
    await engine.predict(hasty)
    assert [len(member.asked) for member in members.values()] == [2, 1, 1]


async def test_a_hedge_overtakes_a_slow_attempt() -> None:
    slow = SlowFirst(1, Forecast((0.8, 0.2)))
    engine = engine_of(ensemble_of({"slow": slow, "a": yes(0.7)}, execution="hedged", hedge_delay_s=0.02))
    prediction = await engine.predict(ASK)
    assert prediction.agreement.answered == 2
    assert len(slow.asked) == 2
    assert slow.cancelled == 1
    assert slow.under_way == 0


async def test_there_are_at_most_two_hedges_and_a_cap() -> None:
    slow = SlowFirst(9, Forecast((0.8, 0.2)))
    ensemble = ensemble_of(
        {"slow": slow, "a": yes(0.7)}, execution="hedged", hedge_delay_s=0.01, hedge_share=1.0, deadline_s=0.3
    )
    await engine_of(ensemble).predict(ASK)
    assert len(slow.asked) == 3
    assert slow.cancelled == 3
    allowance = HedgeAllowance(share=0.5)
    assert allowance.spend()
    assert not allowance.spend()
    allowance.earn()
    assert not allowance.spend()
    allowance.earn()
    assert allowance.spend()


async def test_one_failed_attempt_waits_for_the_other() -> None:
    class Twice(Fake):
        def __init__(self) -> None:
            super().__init__()
            self.second = asyncio.Event()

        async def answer(self, query: Query, deadline: Deadline) -> Answer:
            if len(self.asked) == 1:
                await self.second.wait()
                return Absent(AbsentReason.PROVIDER_OVERLOADED, attempts=1)
            self.second.set()
            await asyncio.sleep(0)
            return Forecast((0.8, 0.2))

    member = Twice()
    engine = engine_of(ensemble_of({"a": member}, execution="hedged", hedge_delay_s=0.01))
    assert (await engine.predict(ASK)).agreement.answered == 1


def test_hedging_learns_the_median_and_stops_in_an_outage() -> None:
    spec = EnsembleSpec("e", (MemberSpec("a"),), hedge_delay_s=0.5, hedge_multiple=2.0)
    standing = Standing()
    assert hedge_delay_s(spec, standing) == 0.5
    for latency_s in (0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3):
        standing.add(MemberAnswer("a", Forecast((0.5, 0.5)), 1.0, latency_s=latency_s))
    assert hedge_delay_s(spec, standing) == pytest.approx(0.4)
    for _ in range(10):
        standing.add(MemberAnswer("a", Absent(AbsentReason.PROVIDER_TIMEOUT, attempts=1), 1.0))
    assert hedge_delay_s(spec, standing) is None
    assert hedge_delay_s(spec, standing, elsewhere=True) == pytest.approx(0.4), "another provider is well"


def test_one_failure_is_no_outage_and_closed_doors_are_none_at_all() -> None:
    spec = EnsembleSpec("e", (MemberSpec("a"),), hedge_delay_s=0.5)
    late, refused = Standing(), Standing()
    late.add(MemberAnswer("a", Absent(AbsentReason.PROVIDER_TIMEOUT, attempts=1), 1.0))
    assert hedge_delay_s(spec, late) == 0.5
    for reason in sorted(NOBODYS_FAULT):
        for _ in range(20):
            refused.add(MemberAnswer("a", Absent(reason), 1.0))
    assert hedge_delay_s(spec, refused) == 0.5
    assert (refused.attempts, refused.failed_lately(8)) == (0, 0)


def test_a_scarce_allowance_is_kept_for_the_slowest() -> None:
    spec = EnsembleSpec("e", (MemberSpec("a"),), hedge_multiple=2.0, hedge_share=0.08)
    wide, narrow = Standing(), Standing()
    for number in range(100):
        for standing, latency_s in ((wide, float(number)), (narrow, 1.0 + number / 1_000)):
            standing.add(MemberAnswer("a", Forecast((0.5, 0.5)), 1.0, latency_s=latency_s))
    # The last 64 are remembered: 36 to 99; the 94th per cent of them is the 60th.
    assert hedge_delay_s(spec, wide) == 2 * 68.0
    assert hedge_delay_s(replace(spec, hedge_multiple=1.0), wide) == 68.0
    assert hedge_delay_s(replace(spec, hedge_multiple=1.0), wide, scarce=True) == 96.0
    assert hedge_delay_s(spec, narrow, scarce=True) == hedge_delay_s(spec, narrow)


def test_an_allowance_is_scarce_until_it_is_three_quarters_full() -> None:
    allowance = HedgeAllowance(share=0.5)
    assert allowance.is_scarce
    for _ in range(20):
        allowance.earn()
    assert not allowance.is_scarce
    for _ in range(3):
        assert allowance.spend()
    assert allowance.is_scarce


async def test_a_hedge_goes_to_whom_the_member_names() -> None:
    class Backed(Hanging):
        others: ClassVar = [yes(0.8), yes(0.9)]

        def instead(self, attempt: int) -> Forecaster:
            return self.others[attempt - 1]

    member = Backed()
    engine = engine_of(ensemble_of({"a": member}, execution="hedged", hedge_delay_s=0.01))
    prediction = await engine.predict(ASK)
    assert prediction.probabilities[0] == pytest.approx(0.8)
    assert [len(other.asked) for other in member.others] == [1, 0]
    assert (len(member.asked), member.cancelled) == (1, 1)


async def test_over_provisioning_stops_at_n() -> None:
    hanging = Hanging()
    members = {"a": yes(0.9), "b": hanging, "c": yes(0.3), "d": yes(0.8)}
    prediction = await engine_of(ensemble_of(members, enough_responses=3)).predict(ASK)
    assert prediction.agreement.answered == 3
    assert hanging.cancelled == 1
    assert not prediction.warnings


async def test_it_stops_once_the_rest_cannot_change_the_decision() -> None:
    hanging = {f"h{i}": Hanging() for i in range(2)}
    sure = {f"s{i}": yes(0.9) for i in range(9)}
    engine = engine_of(ensemble_of({**sure, **hanging}, pooling="majority", stop_when_settled=True))
    prediction = await engine.predict(ASK)
    assert prediction.agreement.answered == 9
    assert prediction.decision.action is Action.PROCEED
    assert [h.cancelled for h in hanging.values()] == [1, 1]


async def test_it_waits_while_the_rest_can() -> None:
    gate = asyncio.Event()
    late = Saying(Forecast((0.01, 0.99)), gate)
    seen: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, Arrived) and event.running is not None:
            seen.append(event.running.settled)
            gate.set()

    members = {"a": yes(0.6), "b": late}
    engine = engine_of(ensemble_of(members, stop_when_settled=True, min_responses=1))
    prediction = await engine.predict(ASK, listen)
    assert prediction.outcome == "NO"
    assert seen == [False, True]
