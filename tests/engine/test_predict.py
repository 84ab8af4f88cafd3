# SPDX-License-Identifier: Apache-2.0
import asyncio
import math

import numpy as np
import pytest

from server.engine.events import Arrived, Event, Started
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Durability, MemberSpec, Options
from server.forecasting.errors import (
    DeadlineError,
    InvalidRequestError,
    NoAnswerError,
    NotFoundError,
    RecordError,
)
from server.forecasting.forecast import Absent, AbsentReason, Cost, CostSource, Forecast
from server.forecasting.prediction import Action, Prediction, PredictionRecord
from server.forecasting.question import Exclusive, FreeText, Numeric, Question, Resolution
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Catalogue, Dying, Hanging, MemoryStore, Saying, Stubborn, yes
from tests.patience import LoopClock

QUESTION = Question("q1", "Will it rain?")


def ask(question: Question = QUESTION, **more: object) -> PredictionRequest:
    return PredictionRequest(question, **more)  # type: ignore[arg-type]


def reasons(prediction: Prediction) -> dict[str, str]:
    return {m.member: m.absent.reason.value for m in prediction.members if m.absent is not None}


async def test_pools_in_log_odds_and_says_who_did_what(store: MemoryStore) -> None:
    engine = engine_of(ensemble_of({"a": yes(0.9), "b": yes(0.6), "c": yes(0.3)}), store=store)
    prediction = await engine.predict(ask())
    odds = np.mean([math.log(p / (1 - p)) for p in (0.9, 0.6, 0.3)])
    assert prediction.probabilities == pytest.approx((1 / (1 + math.exp(-odds)), 1 / (1 + math.exp(odds))))
    assert prediction.outcome == "YES"
    assert prediction.agreement.vote_share == pytest.approx(2 / 3)
    assert prediction.decision.action is Action.REDUCE
    assert prediction.decision.size_multiplier == pytest.approx(2 / 3)
    assert [m.member for m in prediction.members] == ["a", "b", "c"]
    assert sum(m.weight for m in prediction.members) == pytest.approx(1)
    without_a = np.mean([math.log(p / (1 - p)) for p in (0.6, 0.3)])
    assert prediction.members[0].contribution == pytest.approx(
        prediction.probabilities[0] - 1 / (1 + math.exp(-without_a))
    )
    assert prediction.durable
    assert store.records[prediction.id].prediction == prediction


async def test_answers_with_those_in_hand_at_the_deadline() -> None:
    hanging, stubborn = Hanging(), Stubborn()
    members = {
        "good": yes(0.8),
        "fine": yes(0.7),
        "hangs": hanging,
        "ignores": stubborn,
        "lies": Saying(Forecast((0.9, 0.9))),
        "dies": Dying(),
        "refused": Saying(Absent(AbsentReason.PROVIDER_CONNECTION_FAILED, "refused", attempts=1)),
    }
    engine = engine_of(ensemble_of(members, deadline_s=0.3, min_responses=2))
    prediction = await engine.predict(ask())
    assert reasons(prediction) == {
        "hangs": "deadline_exceeded",
        "ignores": "deadline_exceeded",
        "lies": "provider_bad_output",
        "dies": "internal",
        "refused": "provider_connection_failed",
    }
    assert prediction.agreement.answered == 2
    assert prediction.agreement.asked == 7
    assert prediction.decision.action is Action.PROCEED
    assert "hangs" in prediction.warnings[0]
    assert "secret detail" not in str(prediction)
    assert hanging.cancelled == 1
    assert hanging.under_way == 0
    stubborn.release.set()


async def test_a_member_has_a_time_limit_of_its_own() -> None:
    specs = (MemberSpec("good"), MemberSpec("slow", timeout_s=0.01))
    engine = engine_of(ensemble_of({"good": yes(0.8), "slow": Hanging()}, specs=specs))
    prediction = await engine.predict(ask())
    assert reasons(prediction) == {"slow": "provider_timeout"}


async def test_under_quorum_it_abstains() -> None:
    members = {"good": yes(0.9), "x": Dying(), "y": Dying()}
    prediction = await engine_of(ensemble_of(members)).predict(ask())
    assert prediction.decision.action is Action.ABSTAIN
    assert prediction.decision.size_multiplier == 0
    assert "1 of 3" in prediction.decision.reason
    assert prediction.probabilities[0] == pytest.approx(0.9)


async def test_no_answer_at_all_is_an_error_that_names_everyone() -> None:
    ensemble = ensemble_of({"x": Dying(), "y": Saying(Absent(AbsentReason.POLICY_CIRCUIT_OPEN))})
    with pytest.raises(NoAnswerError) as caught:
        await engine_of(ensemble).predict(ask())
    assert ensemble.standings["x"].absences == {"internal": 1}
    assert caught.value.absences == {"x": "internal", "y": "policy_circuit_open"}


async def test_a_cancelled_caller_leaves_nothing_behind() -> None:
    hanging = [Hanging() for _ in range(5)]
    engine = engine_of(ensemble_of({f"h{i}": h for i, h in enumerate(hanging)}))
    before = asyncio.all_tasks()
    asking = asyncio.create_task(engine.predict(ask()))
    for member in hanging:
        await member.was_asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert asyncio.all_tasks() == before
    assert all(h.cancelled == 1 and h.under_way == 0 for h in hanging)
    assert engine.in_flight == 0


async def test_tells_a_listener_as_it_happens() -> None:
    gate = asyncio.Event()
    late = Saying(Forecast((0.2, 0.8)), gate)
    seen: list[Event] = []

    def listen(event: Event) -> None:
        seen.append(event)
        if isinstance(event, Arrived) and event.member.member == "early":
            gate.set()

    engine = engine_of(ensemble_of({"late": late, "early": yes(0.9)}))
    prediction = await engine.predict(ask(), listen)
    assert isinstance(seen[0], Started)
    assert seen[0].members == ("late", "early")
    assert [e.member.member for e in seen[1:] if isinstance(e, Arrived)] == ["early", "late"]
    first, last = seen[1], seen[2]
    assert isinstance(first, Arrived)
    assert first.running is not None
    assert first.running.pooled.probabilities == pytest.approx((0.9, 0.1))
    assert isinstance(last, Arrived)
    assert last.running is not None
    assert last.running.pooled.probabilities == prediction.probabilities


async def test_stops_early_once_enough_weight_agrees() -> None:
    hanging = Hanging()
    members = {"a": yes(0.9), "b": yes(0.8), "c": hanging}
    engine = engine_of(ensemble_of(members, early_stop_threshold=0.6))
    prediction = await engine.predict(ask())
    assert reasons(prediction) == {"c": "not_needed"}
    assert hanging.cancelled == 1
    assert not prediction.warnings


async def test_the_same_request_is_answered_once(store: MemoryStore) -> None:
    gate = asyncio.Event()
    member = Saying(Forecast((0.7, 0.3)), gate)
    engine = engine_of(ensemble_of({"a": member}), store=store)
    request = ask(request_id="r1", caller="alice")
    first, second = (asyncio.create_task(engine.predict(request)) for _ in range(2))
    await member.was_asked.wait()
    second.cancel()  # one that hangs up does not take the answer from the other
    gate.set()
    prediction = await first
    assert await engine.predict(request) == prediction
    assert len(member.asked) == 1
    other = await engine.predict(ask(request_id="r1", caller="bob"))
    assert other.id != prediction.id


async def test_who_repeats_a_request_waits_no_longer_than_its_own_deadline(store: MemoryStore) -> None:
    gate = asyncio.Event()
    member = Saying(Forecast((0.7, 0.3)), gate)
    engine = engine_of(ensemble_of({"a": member}, deadline_s=60.0), store=store)
    first = asyncio.create_task(engine.predict(ask(request_id="r1")))
    await member.was_asked.wait()
    with pytest.raises(DeadlineError, match="repeat it"):
        await engine.predict(ask(request_id="r1", options=Options(deadline_s=0.2)))
    gate.set()
    assert (await first).outcome == "YES"


async def test_a_request_that_another_process_answered_first_gets_that_answer(store: MemoryStore) -> None:
    ensemble = ensemble_of({"a": yes(0.7)})
    gate = asyncio.Event()
    slow = ensemble_of({"a": Saying(Forecast((0.2, 0.8)), gate)})
    late = asyncio.create_task(engine_of(slow, store=store).predict(ask(request_id="r1")))
    first = await engine_of(ensemble, store=store).predict(ask(request_id="r1"))
    gate.set()
    assert await late == first


async def test_durable_means_on_disk() -> None:
    stalled = MemoryStore(gate=asyncio.Event())
    engine = engine_of(ensemble_of({"a": yes(0.7)}, deadline_s=0.2), store=stalled)
    with pytest.raises(RecordError):
        await engine.predict(ask())
    quick = await engine.predict(ask(options=Options(durability=Durability.DEADLINE_FIRST)))
    assert not quick.durable
    assert quick.warnings
    assert stalled.gate is not None
    stalled.gate.set()
    assert (await engine.predict(ask())).durable


class Hung(MemoryStore):
    async def find_request(self, caller: str, request_id: str) -> PredictionRecord | None:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_database_that_hangs_holds_nobody_beyond_the_deadline() -> None:
    engine = engine_of(ensemble_of({"a": yes(0.7)}, deadline_s=0.2), store=Hung())
    with pytest.raises(DeadlineError):
        await engine.predict(ask(request_id="r1"))


async def test_a_slow_disk_costs_the_time_of_members_that_hang_and_not_the_answer() -> None:
    ensemble = ensemble_of({"a": yes(0.7), "b": Hanging()}, deadline_s=1.6, min_responses=1)
    engine = engine_of(ensemble, store=MemoryStore(takes_s=0.195), reply_margin_s=0.2)
    with pytest.raises(RecordError):
        await engine.predict(ask())
    prediction = await engine.predict(ask())
    assert prediction.durable
    assert reasons(prediction) == {"b": "deadline_exceeded"}


async def test_a_failing_disk_is_never_durable() -> None:
    engine = engine_of(ensemble_of({"a": yes(0.7)}), store=MemoryStore(broken=True))
    with pytest.raises(RecordError):
        await engine.predict(ask())
    assert not (await engine.predict(ask(options=Options(durability=Durability.DEADLINE_FIRST)))).durable


async def test_durability_none_stores_nothing(store: MemoryStore) -> None:
    engine = engine_of(ensemble_of({"a": yes(0.7)}), store=store)
    assert not (await engine.predict(ask(options=Options(durability=Durability.NONE)))).durable
    assert not store.records


async def test_members_never_see_the_outcome() -> None:
    known = Question(
        "known",
        "Did it?",
        resolution=Resolution("known", LoopClock().now(), outcome="YES"),
        market_probability=0.4,
    )
    member = yes(0.5)
    engine = engine_of(ensemble_of({"a": member}), catalogue=Catalogue(known))
    prediction = await engine.predict(ask(Question("known", stake_usd=10)))
    assert prediction.question_id == "known"
    (query,) = member.asked
    assert query.question.resolution is None
    assert query.question.text == "Did it?"
    assert query.question.stake_usd == 10


@pytest.mark.parametrize(
    ("request_", "error", "names"),
    [
        (ask(Question("nowhere")), NotFoundError, "nowhere"),
        (ask(Question("")), InvalidRequestError, "question"),
        (ask(options=Options(ensemble="nope")), NotFoundError, "nope"),
        (ask(options=Options(members=("nope",))), NotFoundError, "nope"),
        (ask(options=Options(weights={"nope": 1.0})), NotFoundError, "nope"),
        (ask(options=Options(pooling="nope")), InvalidRequestError, "options.pooling"),
        (ask(options=Options(execution="nope")), InvalidRequestError, "options.execution"),
        (ask(options=Options(selection="nope")), InvalidRequestError, "options.selection"),
        (ask(options=Options(calibration="nope")), InvalidRequestError, "options.calibration"),
        (ask(options=Options(min_responses=9)), InvalidRequestError, "options.min_responses"),
        (ask(options=Options(high_agreement=0.1)), InvalidRequestError, "options.high_agreement"),
        (ask(options=Options(members=("off",))), InvalidRequestError, "options.members"),
        (ask(options=Options(deadline_s=0.01)), DeadlineError, "s are left"),
    ],
)
async def test_refuses_what_it_cannot_do(
    request_: PredictionRequest, error: type[Exception], names: str
) -> None:
    specs = (MemberSpec("a"), MemberSpec("off", enabled=False))
    engine = engine_of(ensemble_of({"a": yes(0.7), "off": yes(0.7)}, specs=specs))
    with pytest.raises(error, match=names):
        await engine.predict(request_)


async def test_the_callers_deadline_counts() -> None:
    engine = engine_of(ensemble_of({"a": yes(0.7), "b": Hanging()}, deadline_s=300.0))
    prediction = await engine.predict(ask(deadline=Deadline.after(0.2, LoopClock())))
    assert reasons(prediction) == {"b": "deadline_exceeded"}
    with pytest.raises(DeadlineError):
        await engine.predict(ask(deadline=Deadline.after(0.0, LoopClock())))


async def test_weights_and_members_of_one_request() -> None:
    engine = engine_of(ensemble_of({"a": yes(0.9), "b": yes(0.1), "c": yes(0.1)}, pooling="linear"))
    options = Options(weights={"a": 3.0}, members=("a", "b"))
    prediction = await engine.predict(ask(options=options))
    assert prediction.probabilities[0] == pytest.approx(0.7)
    assert reasons(prediction) == {"c": "not_selected"}
    assert prediction.agreement.asked == 2


async def test_the_cost_is_the_sum_and_as_sure_as_its_least_sure_part() -> None:
    sure = Cost(2_000_000, CostSource.PROVIDER)
    guess = Cost(500_000, CostSource.ESTIMATE)
    members = {
        "a": yes(0.9, cost=sure),
        "b": Saying(Absent(AbsentReason.PROVIDER_TIMEOUT, "", guess)),
        "c": yes(0.8),
    }
    prediction = await engine_of(ensemble_of(members)).predict(ask())
    assert prediction.cost == Cost(2_500_000, CostSource.ESTIMATE)


async def test_named_outcomes() -> None:
    kind = Exclusive(("red", "green", "blue"))
    members = {"a": Saying(Forecast((0.6, 0.3, 0.1))), "b": Saying(Forecast((0.5, 0.2, 0.3)))}
    prediction = await engine_of(ensemble_of(members, pooling="linear")).predict(
        ask(Question("k", "?", kind))
    )
    assert prediction.outcomes == kind.outcomes
    assert prediction.probabilities == pytest.approx((0.55, 0.25, 0.2))
    assert prediction.outcome == "red"


async def test_a_number_is_a_distribution() -> None:
    kind = Numeric((10.0, 20.0, 30.0), "USD")
    members = {"a": Saying(Forecast((0.1, 0.5, 0.9))), "b": Saying(Forecast((0.3, 0.7, 0.7)))}
    prediction = await engine_of(ensemble_of(members, pooling="linear")).predict(
        ask(Question("n", "?", kind))
    )
    assert prediction.numeric is not None
    assert prediction.numeric.cumulative == pytest.approx((0.2, 0.6, 0.8))
    assert prediction.numeric.median == pytest.approx(10 + 10 * 0.3 / 0.4)
    falling = {"a": Saying(Forecast((0.5, 0.4, 0.9))), "b": yes(0.5)}
    with pytest.raises(NoAnswerError):
        await engine_of(ensemble_of(falling)).predict(ask(Question("n", "?", kind)))


async def test_free_text_is_grouped_and_voted_on() -> None:
    def says(text: str) -> Saying:
        return Saying(Forecast((), text=text, self_confidence=0.9))

    members = {"a": says("Paris"), "b": says(" paris. "), "c": says("Lyon")}
    prediction = await engine_of(ensemble_of(members, pooling="linear")).predict(
        ask(Question("f", "Capital?", FreeText()))
    )
    assert prediction.outcome == "paris"
    assert dict(zip(prediction.outcomes, prediction.votes, strict=True))["paris"] == 2
    assert prediction.agreement.vote_share == pytest.approx(2 / 3)
