# SPDX-License-Identifier: Apache-2.0
"""The cache in front of real ensembles: what is asked, what is not, and what the answer says of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from server.engine.answering import Answering
from server.engine.caching.answers import AnswerCache
from server.engine.caching.settings import CacheSettings
from server.engine.events import Arrived, Event, Started
from server.engine.predict import PredictionEngine
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Options
from server.forecasting.errors import NoAnswerError
from server.forecasting.forecast import Absent, AbsentReason, Cost, CostSource, Forecast, TokenUsage
from server.forecasting.ports import Identity
from server.forecasting.prediction import CacheKind
from server.forecasting.question import Exclusive, Numeric, Question
from tests.clock import HandClock
from tests.engine.conftest import engine_of, ensemble_of
from tests.eventually import eventually
from tests.fakes import Dying, Hanging, MemoryStore, Saying, yes
from tests.patience import LoopClock

COST = Cost(1_000, CostSource.PROVIDER)
RAIN = Question("rain", "Will it rain in London on June 30, 2026?", category="weather")


@dataclass
class Bench:
    engine: PredictionEngine
    cache: AnswerCache
    clock: HandClock
    store: MemoryStore
    member: Saying

    async def ask(
        self,
        question: Question = RAIN,
        *,
        caller: str = "",
        keys: dict[str, str] | None = None,
        **wishes: object,
    ):
        options = Options(**wishes)  # type: ignore[arg-type]
        return await self.engine.predict(PredictionRequest(question, options, caller=caller, keys=keys or {}))

    @property
    def asked(self) -> int:
        return len(self.member.asked)


def bench(member: Saying | None = None, **settings: object) -> Bench:
    member = member or yes(0.8, cost=COST, usage=TokenUsage(10), raw="raw")
    clock, store = HandClock(), MemoryStore()
    cache = AnswerCache(CacheSettings(**{"max_age_s": 60.0, **settings}), clock)  # type: ignore[arg-type]
    engine = engine_of(ensemble_of({"a": member}), store=store, answering=Answering(cache))
    return Bench(engine, cache, clock, store, member)


async def test_the_same_question_again_costs_nothing_and_says_so() -> None:
    b = bench()
    first = await b.ask()
    b.clock.move(10)
    second = await b.ask()
    assert b.asked == 1
    assert (first.cached, second.cached) == (False, True)
    assert second.probabilities == first.probabilities
    assert second.id != first.id
    assert second.cost == Cost(0, CostSource.PROVIDER)
    hit = second.cache_hit
    assert hit is not None
    assert (hit.kind, hit.prediction_id, hit.question_id) == (CacheKind.EXACT, first.id, "rain")
    assert (hit.age_s, hit.saved_nano_usd) == (10.0, 1_000)
    assert any(first.id in warning for warning in second.warnings)
    (member,) = second.members
    assert member.forecast is not None
    assert member.forecast.cached
    assert (member.answer.cost, member.answer.usage, member.latency_s) == (
        Cost(0, CostSource.PROVIDER),
        None,
        None,
    )
    assert b.store.records[second.id].prediction == replace(second, durable=True)
    assert (b.cache.counts.exact, b.cache.counts.misses, b.cache.counts.saved_nano_usd) == (1, 1, 1_000)


async def test_a_hit_is_no_answer_of_the_members() -> None:
    b = bench()
    await b.ask()
    await b.ask()
    (ensemble,) = b.engine._ensembles
    assert ensemble.standings["a"].answers == 1


async def test_an_answer_ages() -> None:
    b = bench(keep_s=100.0)
    await b.ask()
    b.clock.move(60.5)
    await b.ask()
    assert b.asked == 2
    b.clock.move(99)
    assert (await b.ask(max_age_s=99.5)).cached
    b.clock.move(1.5)
    assert not (await b.ask(max_age_s=1_000.0)).cached


async def test_the_caller_decides_how_old_is_too_old() -> None:
    b = bench()
    await b.ask()
    b.clock.move(5)
    assert not (await b.ask(max_age_s=0.0)).cached
    b.clock.move(5)
    assert not (await b.ask(max_age_s=4.0)).cached
    b.clock.move(5)
    assert (await b.ask(max_age_s=6.0)).cached


async def test_by_default_nobody_gets_an_answer_of_the_past() -> None:
    b = bench(max_age_s=0.0)
    await b.ask()
    assert not (await b.ask()).cached
    assert (await b.ask(max_age_s=10.0)).cached


@pytest.mark.parametrize(
    "change",
    [
        lambda q: replace(q, text=q.text.replace("London", "Paris")),
        lambda q: replace(q, id="another"),
        lambda q: replace(q, kind=Exclusive(("YES", "NO", "MAYBE"))),
        lambda q: replace(q, kind=Numeric((0.0, 1.0))),
        lambda q: replace(q, background="It is dry."),
        lambda q: replace(q, resolution_criteria="By the Met Office."),
        lambda q: replace(q, category="sport"),
        lambda q: replace(q, as_of_time=datetime(2026, 1, 1, tzinfo=UTC)),
        lambda q: replace(q, resolve_time=datetime(2026, 1, 1, tzinfo=UTC)),
        lambda q: replace(q, stake_usd=5.0),
        lambda q: replace(q, market_probability=0.5),
        lambda q: replace(q, source="here"),
        lambda q: replace(q, url="https://here"),
    ],
)
async def test_everything_about_a_question_is_in_the_key(change: Callable[[Question], Question]) -> None:
    b = bench(Saying(Absent(AbsentReason.NOT_APPLICABLE)))
    b.member._answer = Forecast((0.5, 0.5))
    await b.ask()
    other = change(RAIN)
    b.member._answer = Forecast((0.2, 0.3, 0.5) if isinstance(other.kind, Exclusive) else (0.5, 0.6))
    if not isinstance(other.kind, Exclusive | Numeric):
        b.member._answer = Forecast((0.5, 0.5))
    await b.ask(other)
    assert b.asked == 2


@pytest.mark.parametrize(
    "wishes",
    [
        {"members": ("a",)},
        {"pooling": "linear"},
        {"min_agreement": 0.1},
        {"share_market_price": True},
        {"weights": {"a": 2.0}},
        {"tags": {"desk": "fx"}},
    ],
)
async def test_every_wish_that_matters_is_in_the_key(wishes: dict[str, object]) -> None:
    b = bench()
    await b.ask()
    await b.ask(**wishes)
    assert b.asked == 2
    await b.ask(**wishes)
    assert b.asked == 2


async def test_when_an_answer_is_due_does_not_matter() -> None:
    b = bench()
    await b.ask()
    await b.ask(deadline_s=1.0)
    assert b.asked == 1


async def test_a_changed_ensemble_asks_anew() -> None:
    b = bench()
    await b.ask()
    (ensemble,) = b.engine._ensembles
    ensemble.change_member("a", "", weight=2.0)
    await b.ask()
    assert b.asked == 2


async def test_callers_do_not_share_unless_told_to() -> None:
    b = bench()
    await b.ask(caller="alice")
    await b.ask(caller="bob")
    assert b.asked == 2
    shared = bench(shared=True)
    await shared.ask(caller="alice")
    assert (await shared.ask(caller="bob")).cached


async def test_what_own_keys_paid_for_is_for_their_owner() -> None:
    b = bench(shared=True)
    await b.ask(keys={"openai": "sk-1"})
    await b.ask()
    await b.ask(keys={"openai": "sk-2"})
    assert b.asked == 3
    assert (await b.ask(keys={"openai": "sk-1"})).cached
    assert "sk-1" not in repr(vars(b.cache._shelf))


async def test_the_market_may_move_a_little() -> None:
    b = bench(price_tolerance=0.02)
    await b.ask(replace(RAIN, market_probability=0.50))
    assert (await b.ask(replace(RAIN, market_probability=0.52))).cached
    assert not (await b.ask(replace(RAIN, market_probability=0.53))).cached
    assert not (await b.ask(RAIN)).cached


async def test_free_members_are_asked_as_ever() -> None:
    b = bench()
    b.member.identity = Identity("market")
    await b.ask()
    assert not (await b.ask()).cached
    assert len(b.cache) == 0


async def test_an_answer_that_lacks_members_is_soon_forgotten() -> None:
    clock = HandClock()
    cache = AnswerCache(CacheSettings(max_age_s=60.0, partial_s=5.0), clock)
    late = Saying(Absent(AbsentReason.PROVIDER_OVERLOADED, attempts=1))
    engine = engine_of(ensemble_of({"a": yes(0.8), "b": late}), answering=Answering(cache))
    request = PredictionRequest(RAIN)
    await engine.predict(request)
    clock.move(4)
    assert (await engine.predict(request)).cached
    clock.move(2)
    assert not (await engine.predict(request)).cached


async def test_nothing_is_kept_of_no_answer() -> None:
    b = bench(Saying(Absent(AbsentReason.PROVIDER_OVERLOADED, attempts=1)))
    for _ in range(2):
        with pytest.raises(NoAnswerError):
            await b.ask()
    assert b.asked == 2


async def test_memory_is_bounded() -> None:
    b = bench(entries=3)
    for i in range(10):
        await b.ask(replace(RAIN, id=f"q{i}"))
    assert len(b.cache) == 3
    assert (await b.ask(replace(RAIN, id="q9"))).cached
    big = bench(max_mib=1)
    for i in range(10):
        await big.ask(replace(RAIN, id=f"q{i}", background="x" * 200_000))
    assert len(big.cache) == 2
    assert big.cache._shelf.bytes <= 1 << 20


async def test_equal_questions_under_way_share_one_asking() -> None:
    gate = asyncio.Event()
    b = bench(Saying(Forecast((0.8, 0.2), cost=COST), gate))
    asking = [asyncio.create_task(b.ask()) for _ in range(50)]
    await b.member.was_asked.wait()
    gate.set()
    answers = await asyncio.gather(*asking)
    assert b.asked == 1
    assert len({answer.id for answer in answers}) == 50
    assert sum(answer.cost.nano_usd for answer in answers if answer.cost) == 1_000
    kinds = [answer.cache_hit.kind if answer.cache_hit else None for answer in answers]
    assert kinds.count(None) == 1
    assert kinds.count(CacheKind.SHARED) == 49
    assert len(b.store.records) == 50


async def test_questions_at_other_prices_are_asked_side_by_side() -> None:
    gate = asyncio.Event()
    b = bench(Saying(Forecast((0.8, 0.2)), gate))
    asking = [asyncio.create_task(b.ask(replace(RAIN, market_probability=p))) for p in (0.2, 0.9, 0.9, None)]
    await b.member.was_asked.wait()
    gate.set()
    answers = await asyncio.gather(*asking)
    assert [answer.cached for answer in answers] == [False, False, True, False]
    assert b.asked == 3


async def test_who_hangs_up_harms_nobody() -> None:
    gate = asyncio.Event()
    b = bench(Saying(Forecast((0.8, 0.2)), gate))
    asking = [asyncio.create_task(b.ask()) for _ in range(3)]
    await b.member.was_asked.wait()
    asking[0].cancel()
    asking[1].cancel()
    await asyncio.wait(asking[:2])
    assert asking[0].cancelled()
    gate.set()
    assert (await asking[2]).probabilities[0] == pytest.approx(0.8)
    assert b.asked == 1
    assert b.member.cancelled == 0


async def test_when_all_have_hung_up_nobody_is_asked_any_more() -> None:
    b = bench()
    hanging = Hanging()
    (ensemble,) = b.engine._ensembles
    ensemble.forecasters["a"] = hanging
    asking = [asyncio.create_task(b.ask()) for _ in range(3)]
    await hanging.was_asked.wait()
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    await eventually(lambda: hanging.cancelled == 1 and not hanging.under_way)
    assert len(b.cache._flights) == 0
    ensemble.forecasters["a"] = yes(0.7)
    assert (await b.ask()).probabilities[0] == pytest.approx(0.7)


async def test_a_failure_is_shared_and_then_forgotten() -> None:
    b = bench()
    (ensemble,) = b.engine._ensembles
    ensemble.forecasters["a"] = Dying()
    results = await asyncio.gather(*(b.ask() for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, NoAnswerError) for result in results)
    ensemble.forecasters["a"] = yes(0.7)
    assert not (await b.ask()).cached


async def test_a_caller_in_a_hurry_does_not_wait_for_one_with_time() -> None:
    b = bench()
    hanging = Hanging()
    (ensemble,) = b.engine._ensembles
    ensemble.forecasters["a"] = hanging
    slow = asyncio.create_task(b.ask())
    await hanging.was_asked.wait()
    ensemble.forecasters["a"] = yes(0.7)
    quick = await b.engine.predict(PredictionRequest(RAIN, deadline=Deadline.after(0.5, LoopClock())))
    assert not quick.cached
    slow.cancel()
    await asyncio.wait([slow])


async def test_a_poor_answer_is_not_forced_on_one_with_time() -> None:
    b = bench()
    hanging = Hanging()
    (ensemble,) = b.engine._ensembles
    ensemble.forecasters["a"] = hanging
    hurried = asyncio.create_task(
        b.engine.predict(PredictionRequest(RAIN, deadline=Deadline.after(0.3, LoopClock())))
    )
    await hanging.was_asked.wait()
    ensemble.forecasters["a"] = yes(0.7)
    assert not (await b.ask()).cached
    with pytest.raises(NoAnswerError):
        await hurried


async def test_a_watcher_of_a_hit_sees_the_members_too() -> None:
    b = bench()
    await b.ask()
    events: list[Event] = []
    prediction = await b.engine.predict(PredictionRequest(RAIN), events.append)
    assert prediction.cached
    assert isinstance(events[0], Started)
    assert events[0].prediction_id == prediction.id
    assert [type(event) for event in events[1:]] == [Arrived]


async def test_the_same_question_in_other_words() -> None:
    b = bench(similar=True)
    first = await b.ask()
    reworded = replace(
        RAIN, id="rain-2", text="On 30 June 2026, what's the probability that it rains in London?"
    )
    # The date stands in another place, the words are other forms: still the same question.
    answer = await b.ask(reworded)
    assert answer.cached
    assert answer.question_id == "rain-2"
    hit = answer.cache_hit
    assert hit is not None
    assert (hit.kind, hit.question_id, hit.prediction_id) == (CacheKind.SIMILAR, "rain", first.id)
    assert 0.9 <= hit.similarity < 1.0
    assert not (await b.ask(replace(reworded, id="x"), similar=False)).cached
    assert not (await b.ask(replace(reworded, id="y", category="sport"))).cached
    assert not (await b.ask(replace(reworded, id="z", text=reworded.text.replace("30", "29")))).cached


async def test_similar_answers_never_cross_tenants() -> None:
    b = bench(similar=True)
    await b.ask(caller="alice")
    assert not (await b.ask(replace(RAIN, id="rain-2"), caller="bob")).cached
    assert (await b.ask(replace(RAIN, id="rain-3"), caller="alice")).cached


async def test_what_is_left_in_an_outage_does_not_replace_a_whole_answer() -> None:
    clock = HandClock()
    cache = AnswerCache(CacheSettings(max_age_s=60.0), clock)
    flaky = yes(0.6)
    engine = engine_of(ensemble_of({"a": yes(0.8), "b": flaky}), answering=Answering(cache))
    whole = await engine.predict(PredictionRequest(RAIN))
    flaky._answer = Absent(AbsentReason.PROVIDER_OVERLOADED, attempts=1)
    partial = await engine.predict(PredictionRequest(RAIN, Options(max_age_s=0.0)))
    assert partial.agreement.answered == 1
    again = await engine.predict(PredictionRequest(RAIN))
    assert again.cache_hit is not None
    assert again.cache_hit.prediction_id == whole.id
