# SPDX-License-Identifier: Apache-2.0
"""Modes entered and left by what really happens to members and records."""

import asyncio
import contextlib
from dataclasses import dataclass, field, replace

import pytest

from server.engine.answering import Answering
from server.engine.caching.answers import AnswerCache
from server.engine.caching.settings import CacheSettings
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.modes.control import ModeControl
from server.engine.modes.mode import Cause, Mode, ModeStatus
from server.engine.modes.settings import DegradationSettings
from server.engine.nested import EnsembleForecaster
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import Options
from server.forecasting.errors import HaltedError, NoAnswerError, RecordError
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.market_price import MarketPrice
from server.forecasting.prediction import Prediction
from server.forecasting.query import Query
from server.forecasting.question import Question
from tests.clock import HandClock
from tests.engine.conftest import ensemble_of
from tests.eventually import eventually
from tests.fakes import Catalogue, Fake, Hanging, MemoryStore
from tests.patience import LoopClock

QUESTION = Question("q", "Will it rain?", market_probability=0.3)


class Flapping(Fake):
    """Answers while it is well."""

    def __init__(self, probability: float = 0.8) -> None:
        super().__init__()
        self.well = True
        self.circuit = "closed"
        self.probability = probability

    async def answer(self, query: Query, deadline: Deadline) -> Answer:
        if self.well:
            return Forecast((self.probability, 1 - self.probability))
        return Absent(AbsentReason.PROVIDER_OVERLOADED, "busy", attempts=1)


@dataclass
class Bench:
    engine: PredictionEngine
    modes: ModeControl
    cache: AnswerCache
    clock: HandClock
    store: MemoryStore
    ensemble: Ensemble
    changes: list[tuple[Mode, Mode]] = field(default_factory=list)
    budget_left: float | None = None

    async def ask(self, **wishes: object) -> Prediction:
        return await self.engine.predict(PredictionRequest(QUESTION, Options(**wishes)))  # type: ignore[arg-type]

    async def ask_often(self, times: int = 6) -> None:
        for _ in range(times):
            with contextlib.suppress(NoAnswerError, HaltedError, RecordError):
                await self.ask(max_age_s=0.0)

    def pass_time(self, seconds: float) -> None:
        """Step by step, with looks in between."""
        for _ in range(int(seconds)):
            self.clock.move(1)
            self.modes.look()


def bench(members: dict[str, object], **settings: object) -> Bench:
    clock, store = HandClock(), MemoryStore()
    ensemble = ensemble_of(members)  # type: ignore[arg-type]
    ensembles = Ensembles([ensemble], "test")
    given: list[Bench] = []
    modes = ModeControl(
        ensembles,
        DegradationSettings(**settings),
        clock,
        lambda: given[0].budget_left if given else None,  # type: ignore[arg-type]
    )
    cache = AnswerCache(CacheSettings(), clock)
    engine = PredictionEngine(
        ensembles,
        Catalogue(),
        Recorder(store),
        (),
        LoopClock(),
        EngineSettings("t", 0.05),
        answering=Answering(cache, modes),
    )
    b = Bench(engine, modes, cache, clock, store, ensemble)
    given.append(b)

    def changed(before: ModeStatus, after: ModeStatus) -> None:
        b.changes.append((before.mode, after.mode))

    modes.listen(changed)
    return b


def three() -> dict[str, Flapping]:
    return {name: Flapping() for name in "abc"}


async def test_the_sick_are_left_out_and_come_back() -> None:
    members = three()
    b = bench({**members, "market": MarketPrice()})
    assert b.modes.course().mode is Mode.NORMAL
    members["a"].well = members["b"].well = False
    await b.ask_often()
    b.pass_time(1)
    assert b.modes.mode is Mode.REDUCED
    asked = len(members["a"].asked)
    answer = await b.ask()
    assert len(members["a"].asked) == asked
    assert [m.member for m in answer.members if m.forecast] == ["c", "market"]
    assert answer.members[0].absent is not None
    assert answer.members[0].absent.reason is AbsentReason.NOT_SELECTED
    assert any("mode reduced: 2 of 4" in warning for warning in answer.warnings)
    # Nobody asks the sick, so their failures leave the window, and after the dwell time all is tried again.
    members["a"].well = members["b"].well = True
    b.pass_time(60)
    assert b.modes.mode is Mode.REDUCED
    b.pass_time(35)
    assert b.modes.mode is Mode.NORMAL
    assert b.changes == [(Mode.NORMAL, Mode.REDUCED), (Mode.REDUCED, Mode.NORMAL)]


async def test_an_open_circuit_is_trouble_at_once() -> None:
    members = three()
    b = bench(members)  # type: ignore[arg-type]
    members["a"].circuit = members["b"].circuit = "open"
    b.pass_time(1)
    assert b.modes.mode is Mode.REDUCED
    assert b.modes.status.measured == {"paid_members": 3.0, "paid_members_in_trouble": 2.0}


async def test_no_flapping() -> None:
    """Trouble that comes and goes each second moves the mode once, not each second."""
    members = three()
    b = bench(members, dwell_s=30.0)  # type: ignore[arg-type]
    for second in range(300):
        members["a"].circuit = members["b"].circuit = "open" if second % 10 == 0 else "closed"
        b.pass_time(1)
    assert b.changes == [(Mode.NORMAL, Mode.REDUCED)]


async def test_an_outage_is_answered_from_the_cache_then_by_whoever_is_free() -> None:
    members = three()
    b = bench({**members, "market": MarketPrice()}, trial_s=1e9)
    first = await b.ask()
    b.clock.move(1_000)
    for member in members.values():
        member.circuit = "open"
    b.pass_time(1)
    assert b.modes.mode is Mode.CACHED_ONLY
    answer = await b.ask()
    assert answer.cached
    assert answer.cache_hit is not None
    assert answer.cache_hit.prediction_id == first.id
    fresh = await b.engine.predict(PredictionRequest(Question("other", "Snow?", market_probability=0.1)))
    assert [m.member for m in fresh.members if m.forecast] == ["market"]
    b.pass_time(601)
    assert b.modes.mode is Mode.MARKET_ONLY
    market = await b.ask()
    assert not market.cached
    assert market.probabilities[0] == pytest.approx(0.3)
    assert all(len(member.asked) == 1 for member in members.values())


async def test_with_nobody_free_and_nothing_cached_it_says_why() -> None:
    members = three()
    b = bench(members, trial_s=1e9)  # type: ignore[arg-type]
    for member in members.values():
        member.circuit = "open"
    b.pass_time(1)
    with pytest.raises(HaltedError, match="3 of 3 paid members are in trouble") as caught:
        await b.ask()
    assert caught.value.mode == "cached_only"


async def test_trials_find_the_end_of_an_outage() -> None:
    members = three()
    b = bench({**members, "market": MarketPrice()}, trial_s=5.0, window_s=20.0, dwell_s=10.0)
    for member in members.values():
        member.well = False
    await b.ask_often()
    b.pass_time(1)
    assert b.modes.mode is Mode.CACHED_ONLY
    asked = len(members["a"].asked)
    for _ in range(20):
        b.pass_time(1)
        await b.ask(max_age_s=0.0)
    assert 3 <= len(members["a"].asked) - asked <= 4, "one request in five seconds"
    assert b.modes.mode is Mode.CACHED_ONLY
    for member in members.values():
        member.well = True
    for _ in range(40):
        b.pass_time(1)
        await b.ask(max_age_s=0.0)
    assert b.modes.mode is Mode.NORMAL


async def test_an_outage_does_not_end_because_nobody_asks() -> None:
    members = three()
    b = bench({**members, "market": MarketPrice()}, trial_s=5.0, window_s=20.0, dwell_s=10.0)
    for member in members.values():
        member.well = False
    await b.ask_often()
    b.pass_time(300)
    assert b.modes.mode is Mode.CACHED_ONLY
    await b.ask(max_age_s=0.0)  # a trial, in vain
    b.pass_time(300)
    assert b.modes.mode is Mode.CACHED_ONLY
    members["a"].well = True
    await b.ask(max_age_s=0.0)  # a trial that one answers
    b.pass_time(40)
    assert b.modes.mode is Mode.NORMAL


async def test_an_outage_ends_with_the_last_of_those_who_are_out() -> None:
    """Where an operator has switched every paid member off, there is nobody left who could answer."""
    members = three()
    b = bench({**members, "market": MarketPrice()}, dwell_s=10.0, window_s=20.0)
    for member in members.values():
        member.circuit = "open"
    b.pass_time(1)
    assert b.modes.mode is Mode.CACHED_ONLY
    spec = b.ensemble.spec
    off = tuple(replace(each, enabled=each.name == "market") for each in spec.members)
    b.ensemble.spec = replace(spec, members=off)
    b.pass_time(40)
    assert b.modes.mode is Mode.NORMAL


async def test_nothing_is_paid_for_that_cannot_be_kept() -> None:
    members = three()
    b = bench({**members, "market": MarketPrice()}, min_records=3, trial_s=5.0, window_s=20.0, dwell_s=10.0)
    b.store.broken = True
    await b.ask_often(3)
    b.pass_time(1)
    assert b.modes.mode is Mode.HALT
    asked = len(members["a"].asked)
    with pytest.raises(HaltedError, match="100% of the records"):
        await b.ask()
    b.pass_time(6)
    with pytest.raises(RecordError):
        await b.ask()  # the trial, with free members only
    assert len(members["a"].asked) == asked
    b.store.broken = False
    for _ in range(60):
        b.pass_time(1)
        await b.ask_often(1)
    assert b.modes.mode is Mode.NORMAL


async def test_the_budget_runs_low_and_out() -> None:
    members = {name: Flapping() for name in "abcdefg"}
    b = bench(members, reduced_members=2)  # type: ignore[arg-type]
    b.budget_left = 0.05
    b.pass_time(1)
    assert b.modes.mode is Mode.REDUCED
    assert (await b.ask()).agreement.asked == 2
    b.budget_left = 0.0
    b.pass_time(1)
    assert b.modes.mode is Mode.CACHED_ONLY
    assert (await b.ask(max_age_s=60.0)).cached
    b.budget_left = 1.0
    b.pass_time(40)
    assert b.modes.mode is Mode.NORMAL


async def test_the_caller_who_names_members_gets_them_while_anybody_may_be_paid() -> None:
    members = three()
    b = bench(members)  # type: ignore[arg-type]
    b.modes.set(Mode.REDUCED)
    members["a"].circuit = "open"
    assert [m.member for m in (await b.ask(members=("a",))).members if m.forecast] == ["a"]
    b.modes.set(Mode.MARKET_ONLY)
    with pytest.raises(HaltedError):
        await b.ask(members=("a",))


async def test_late_members_are_to_blame_only_if_they_had_their_time() -> None:
    hanging = Hanging()
    b = bench({"a": Flapping(), "h": hanging}, min_calls=2, reduced_share=0.5)
    for _ in range(3):
        await b.engine.predict(PredictionRequest(QUESTION, deadline=Deadline.after(0.1, LoopClock())))
    b.pass_time(1)
    assert b.modes.mode is Mode.NORMAL
    b.ensemble.change("", lambda spec: replace(spec, deadline_s=0.1))
    for _ in range(3):
        await b.ask()
    b.pass_time(1)
    assert b.modes.mode is Mode.REDUCED


async def test_an_operator_has_the_last_word() -> None:
    members = three()
    b = bench({**members, "market": MarketPrice()})
    status = b.modes.set(Mode.MARKET_ONLY, "exchange maintenance", seconds=100)
    assert status.manual
    assert status.reason == "exchange maintenance"
    assert status.until_time is not None
    for member in members.values():
        member.circuit = "open"
    b.pass_time(99)
    assert b.modes.status.cause is Cause.OPERATOR
    b.pass_time(2)
    assert (b.modes.mode, b.modes.status.cause) == (Mode.CACHED_ONLY, Cause.MEMBERS)
    b.modes.set(Mode.HALT)
    with pytest.raises(HaltedError, match="set by an operator"):
        await b.ask()
    assert b.modes.set(None).mode is Mode.CACHED_ONLY


async def test_switched_off_it_changes_by_hand_only() -> None:
    members = three()
    b = bench(members, enabled=False)  # type: ignore[arg-type]
    for member in members.values():
        member.circuit = "open"
    b.pass_time(5)
    assert b.modes.mode is Mode.NORMAL
    assert b.modes.set(Mode.REDUCED).mode is Mode.REDUCED
    assert b.modes.set(None).mode is Mode.NORMAL


async def test_an_ensemble_of_free_members_is_free() -> None:
    inner = ensemble_of({"market": MarketPrice()}, "inner")
    nested = EnsembleForecaster("inner", lambda name: inner)
    b = bench({"a": Flapping(), "inner": nested})
    b.modes.set(Mode.MARKET_ONLY)
    assert [m.member for m in (await b.ask()).members if m.forecast] == ["inner"]


async def test_it_looks_also_while_nobody_asks() -> None:
    members = three()
    b = bench(members, look_s=0.001)  # type: ignore[arg-type]
    for member in members.values():
        member.circuit = "open"
    looking = asyncio.create_task(b.modes.run())
    await eventually(lambda: b.modes.mode is Mode.CACHED_ONLY)
    looking.cancel()
    await asyncio.wait([looking])
