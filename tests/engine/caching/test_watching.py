# SPDX-License-Identifier: Apache-2.0
import asyncio
from dataclasses import replace

import pytest

from server.engine.answering import Answering
from server.engine.caching.answers import AnswerCache
from server.engine.caching.settings import CacheSettings
from server.engine.caching.watch_settings import WatchSettings
from server.engine.ensembles import Ensembles
from server.engine.modes.control import ModeControl
from server.engine.modes.mode import Mode
from server.engine.modes.settings import DegradationSettings
from server.engine.request import PredictionRequest
from server.engine.watching import WatchList
from server.forecasting.forecast import Absent, AbsentReason, Forecast
from server.forecasting.question import Question
from tests.clock import HandClock
from tests.engine.conftest import engine_of, ensemble_of
from tests.eventually import eventually
from tests.fakes import Catalogue, yes

RAIN = Question("rain", "Will it rain?", category="weather", market_probability=0.4)
SNOW = replace(RAIN, id="snow", text="Will it snow?")


class Bench:
    def __init__(self, **chosen: object) -> None:
        self.clock, self.member = HandClock(), yes(0.7)
        ensemble, catalogue = ensemble_of({"a": self.member}), Catalogue(RAIN, SNOW)
        ensembles = Ensembles([ensemble], "test")
        self.modes = ModeControl(ensembles, DegradationSettings(), self.clock)
        self.cache = AnswerCache(CacheSettings(), self.clock)
        answering = Answering(self.cache, self.modes)
        self.engine = engine_of(ensemble, catalogue=catalogue, answering=answering)
        settings = WatchSettings(**{"questions": ("rain",), "every_s": 100.0, **chosen})  # type: ignore[arg-type]
        self.list = WatchList("w", settings, self.engine, answering, ensembles, catalogue, self.clock)
        self.cache.on_hit = self.list.want


async def test_answers_are_there_before_anybody_asks() -> None:
    b = Bench()
    await b.list.refresh("rain")
    answer = await b.engine.predict(PredictionRequest(Question("rain"), caller="alice"))
    assert answer.cached, "also for a request that says nothing, and for every caller"
    assert b.member.asked[0].caller == "watch:w", "what a budget can bound"
    b.clock.move(201)
    assert not (await b.engine.predict(PredictionRequest(Question("rain"), caller="alice"))).cached


async def test_the_frequency_follows_activity() -> None:
    b = Bench(slowest_s=400.0)
    for _ in range(6):
        await b.list.refresh("rain")
    assert b.list.intervals_s["rain"] == 400.0
    b.member._answer = Forecast((0.5, 0.5))
    await b.list.refresh("rain")
    assert b.list.intervals_s["rain"] == 200.0, "it moved"
    await b.engine.predict(PredictionRequest(Question("rain")))
    await b.list.refresh("rain")
    assert b.list.intervals_s["rain"] == 100.0, "it is in demand"
    b.member._answer = Absent(AbsentReason.PROVIDER_OVERLOADED, attempts=1)
    await b.list.refresh("rain")
    assert b.list.intervals_s["rain"] == pytest.approx(150.0), "a failure is no reason to hurry"


async def test_in_trouble_nothing_is_asked_in_advance() -> None:
    b = Bench()
    b.modes.set(Mode.REDUCED)
    await b.list.refresh("rain")
    assert b.member.asked == []


async def test_a_query_of_the_catalogue_and_a_clean_end() -> None:
    b = Bench(questions=(), category="weather", every_s=0.001)
    assert list(b.list.intervals_s) == ["rain", "snow"]
    running = asyncio.create_task(b.list.run())
    await asyncio.sleep(0)
    b.clock.move(1)
    await eventually(lambda: {query.question.id for query in b.member.asked} == {"rain", "snow"})
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert b.member.under_way == 0
