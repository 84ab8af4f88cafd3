# SPDX-License-Identifier: Apache-2.0
"""Restart, several servers, corrections and the past, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.learner import Learner, longest_s, market_members
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.replay import Verdict, replay
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.ensemble import Durability, EnsembleSpec, MemberSpec, Options
from server.forecasting.errors import UnreadableError
from server.forecasting.forecast import Answer, Forecast
from server.forecasting.market_price import MarketPrice
from server.forecasting.ports import Identity
from server.forecasting.prediction import Action, Prediction
from server.forecasting.query import Query
from server.forecasting.question import Numeric, Question, Resolution
from server.learning.methods import ADAPTIVE, CALIBRATORS, WEIGHTINGS
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.eventually import eventually
from tests.fakes import Catalogue
from tests.storage.samples import record

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MEMBERS = ("good", "fair", "bad")
LONGEST_S = 300.0


class Guessing:
    """Knows the outcome of a question (its number's parity) through noise of its own."""

    identity = Identity("fake")

    def __init__(self, name: str, noise: float) -> None:
        self._name, self._noise = name, noise

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        number = int(query.question.id.partition("-")[2])
        chance = np.random.default_rng([number, sum(map(ord, self._name))])
        towards = 1.5 if happened(number) else -1.5
        said = float(1.0 / (1.0 + np.exp(-(towards + self._noise * chance.normal()))))
        return Forecast((said, 1.0 - said))

    async def close(self) -> None:
        pass


def happened(number: int) -> bool:
    return number % 2 == 0


@dataclass
class Server:
    """A server's engine and learner on a database."""

    store: SqlPredictionStore
    learner: Learner
    engine: PredictionEngine
    ensemble: Ensemble

    async def ask(self, number: int, day: int, **options: object) -> Prediction:
        question = Question(
            f"q-{number}",
            "Will it?",
            category="c",
            source="s",
            as_of_time=BEGIN + timedelta(days=day),
            market_probability=0.6 if happened(number) else 0.45,
        )
        wishes = Options(**{"weighting": "agreement", "calibration": "hierarchical", **options})  # type: ignore[arg-type]
        return await self.engine.predict(PredictionRequest(question, wishes))

    async def tell(self, number: int, day: int, **changes: object) -> None:
        outcome = "YES" if happened(number) else "NO"
        known = BEGIN + timedelta(days=day)
        resolution = Resolution(f"q-{number}", known, outcome=outcome, version=0)
        (result,) = await self.learner.record([replace(resolution, **changes)])  # type: ignore[arg-type]
        assert not result.error

    async def stop(self) -> None:
        await self.learner.close()
        await self.store.close()


Open = Callable[..., Awaitable[Server]]


@pytest.fixture
async def open_server(tmp_path: Path) -> AsyncIterator[Open]:
    opened: list[Server] = []

    async def make(poll_s: float = 3600.0) -> Server:
        store = await open_store(StorageSettings(url=f"sqlite:///{tmp_path}/predictions.db"))
        forecasters = {
            **{name: Guessing(name, noise) for name, noise in zip(MEMBERS, (0.5, 1.5, 4.0), strict=True)},
            "price": MarketPrice(),
        }
        spec = EnsembleSpec("test", tuple(map(MemberSpec, forecasters)), deadline_s=LONGEST_S)
        ensemble = Ensemble(spec, forecasters)
        ensembles = Ensembles([ensemble], "test")
        learner = Learner(
            SqlOutcomeStore(store.database, store.trail),
            SystemClock(),
            market_members(ensembles),
            longest_s=longest_s(ensembles),
            poll_s=poll_s,
        )
        ensemble.adviser = ensemble.experienced = learner
        learner.watches = True
        learner.start()
        await learner.ready()
        engine = PredictionEngine(
            ensembles, Catalogue(), Recorder(store), (), SystemClock(), EngineSettings("test", 0.05)
        )
        opened.append(Server(store, learner, engine, ensemble))
        return opened[-1]

    yield make
    for server in opened:
        await server.stop()


async def live(server: Server, numbers: range, *, until: int | None = None) -> None:
    """A question a day, resolved the day after."""
    for number in numbers:
        await server.ask(number, number)
        await server.learner.advance()
        if until is None or number < until:
            await server.tell(number, number + 1)


async def answers(server: Server, number: int = 1000) -> list[float]:
    """What every weighting and calibration says of a question."""
    choices = [*((name, "none") for name in (*WEIGHTINGS, ADAPTIVE)), *(("fixed", c) for c in CALIBRATORS)]
    return [
        (
            await server.ask(number, number, weighting=w, calibration=c, durability=Durability.NONE)
        ).probabilities[0]
        for w, c in choices
    ]


async def test_learning_shows_in_weights_and_calibration(open_server: Open) -> None:
    server = await open_server()
    await live(server, range(40))
    prediction = await server.ask(1000, 1000, weighting="performance")
    weights = {member.member: member.weight for member in prediction.members}
    assert weights["good"] > weights["fair"] > weights["bad"] > 0.0
    assert weights["price"] > 0.0
    assert prediction.raw_probabilities != prediction.probabilities
    assert server.learner.status().outcomes == 40
    assert sum(server.learner.status().belief.values()) == pytest.approx(1.0)


async def test_an_answer_says_how_many_independent_members_it_rests_on(open_server: Open) -> None:
    server = await open_server()
    assert (await server.ask(0, 0, weighting="performance")).agreement.independent_members is None
    await live(server, range(1, 40))
    prediction = await server.ask(1000, 1000, weighting="performance")
    names = tuple(member.member for member in prediction.members)
    weights = np.array([member.weight for member in prediction.members])
    correlation = server.learner.memory.records[prediction.ensemble].errors.correlation(names)
    worth = prediction.agreement.independent_members
    assert worth == pytest.approx(max(1.0 / (weights @ correlation @ weights), 1.0))
    plain = await server.ask(1001, 1000, weighting="fixed", calibration="none")
    assert plain.agreement.independent_members is None
    stored = await server.store.get(prediction.id)
    assert stored is not None
    assert replay(stored).verdict is Verdict.IDENTICAL
    assert stored.prediction.agreement == prediction.agreement


@pytest.mark.parametrize("snapshot", [True, False])
async def test_a_restart_knows_what_was_known(open_server: Open, snapshot: bool) -> None:
    first = await open_server()
    await live(first, range(30))
    said = await answers(first)
    if snapshot:
        await first.learner.close()
    second = await open_server()
    assert await answers(second) == pytest.approx(said, abs=1e-12 if snapshot else 0.02)
    third = await open_server()
    assert third.learner.status().outcomes == 30


async def test_servers_on_one_database_learn_the_same(open_server: Open) -> None:
    first, second = await open_server(), await open_server()
    for number in range(20):
        asked, told = (first, second) if number % 3 else (second, first)
        await asked.ask(number, number)
        await asyncio.gather(first.learner.advance(), second.learner.advance())
        await told.tell(number, number + 1)
        await asyncio.gather(first.learner.advance(), second.learner.advance())
    assert first.learner.status() == second.learner.status()
    assert await answers(first) == pytest.approx(await answers(second), abs=1e-12)
    rows = [s.learner.memory.standings("test", 2**60) for s in (first, second)]
    assert rows[0] == rows[1]


async def rename(server: Server, table: str, name: str) -> None:
    """Take a table away from all servers of the database, or give it back."""

    def work(connection: Connection) -> None:
        with connection.begin():
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")

    await server.store.database.write(work)


async def test_what_could_not_be_read_is_learned_later(open_server: Open) -> None:
    server, other = await open_server(), await open_server()
    await live(other, range(4), until=3)
    await rename(other, "member_forecasts", "away")
    with pytest.raises(UnreadableError, match="cannot be read"):
        await server.learner.advance()
    server.learner.watches = False
    with pytest.raises(UnreadableError, match="cannot be read"):
        await server.learner.advance()
    server.learner.watches = True
    await rename(other, "away", "member_forecasts")
    await server.learner.advance()
    assert (server.learner.status().answers, server.learner.status().outcomes) == (4, 3)


async def test_a_database_that_comes_back_is_learned_from_again(open_server: Open) -> None:
    other = await open_server()
    server = await open_server(poll_s=0.01)
    await live(other, range(3), until=2)
    with capture_logs() as logs:
        await rename(other, "outcomes", "away")
        await eventually(lambda: any(line["event"] == "learning.behind" for line in logs))
    await rename(other, "away", "outcomes")
    await other.tell(2, 3)
    await eventually(lambda: server.learner.status().outcomes == 3)


async def test_an_answer_that_took_long_is_watched_however_late_it_is_stored(open_server: Open) -> None:
    server = await open_server()
    await server.store.save(record("quick", question_id="later", after=timedelta(seconds=LONGEST_S)))
    await server.learner.advance()
    await server.store.save(record("slow", question_id="earlier"))
    await server.learner.advance()
    assert server.learner.status().answers == 2


async def test_a_past_that_could_not_be_read_is_read_again(open_server: Open) -> None:
    server = await open_server()
    await live(server, range(20))
    said = (await server.ask(500, 10, durability=Durability.NONE)).probabilities
    server.learner._pasts.clear()
    await rename(server, "outcomes", "away")
    await server.ask(500, 10, durability=Durability.NONE)  # is answered without
    await rename(server, "away", "outcomes")
    assert (await server.ask(500, 10, durability=Durability.NONE)).probabilities == said


async def test_a_correction_is_learned_as_if_it_had_been_so_from_the_start(open_server: Open) -> None:
    server = await open_server()
    await live(server, range(20))
    said = await answers(server)
    await server.tell(6, 7, outcome="NO")
    assert await answers(server) != pytest.approx(said, abs=1e-6)
    await server.tell(6, 7, outcome="YES")
    fresh = await open_server()
    assert await answers(server) == pytest.approx(await answers(fresh), abs=1e-12)
    await server.tell(6, 7, outcome=None, annulled=True)
    assert server.learner.status().outcomes == 19


async def test_late_outcomes_are_learned_in_their_place(open_server: Open) -> None:
    server = await open_server()
    await live(server, range(20), until=10)
    for number in reversed(range(10, 20)):
        await server.tell(number, number + 1)
    fresh = await open_server()
    assert await answers(server) == pytest.approx(await answers(fresh), abs=1e-12)


async def test_the_future_does_not_change_the_past_of_any_method(open_server: Open) -> None:
    server = await open_server()
    await live(server, range(8))
    methods = [(weighting, c) for weighting in (*WEIGHTINGS, ADAPTIVE) for c in CALIBRATORS]

    async def said(day: int) -> dict[tuple[str, str], float]:
        asked = {
            (w, c): await server.ask(500, day, weighting=w, calibration=c, durability=Durability.NONE)
            for w, c in methods
        }
        return {method: prediction.probabilities[0] for method, prediction in asked.items()}

    before = await said(8)
    for number in range(9, 17):
        await server.ask(number, number)
        await server.tell(number, number + 1, outcome="NO" if happened(number) else "YES")
    assert await said(8) == pytest.approx(before, abs=1e-12)
    now = await said(20)
    assert all(abs(now[each] - before[each]) > 1e-9 for each in methods if each != ("fixed", "none"))


async def test_cold_start_is_equal_weights_in_log_odds(open_server: Open) -> None:
    server = await open_server()
    prediction = await server.ask(1, 0, members=MEMBERS, calibration="none")
    assert [round(m.weight, 12) for m in prediction.members[:3]] == [round(1 / 3, 12)] * 3


async def test_numbers_are_pooled_as_configured(open_server: Open) -> None:
    server = await open_server()
    question = Question("n-1", "How many?", Numeric((0.0, 1.0)))

    class Counting(Guessing):
        async def forecast(self, query: Query, deadline: Deadline) -> Answer:
            return Forecast((0.2, 0.7))

    server.ensemble.forecasters.update(dict.fromkeys(MEMBERS, Counting("n", 1.0)))
    prediction = await server.engine.predict(PredictionRequest(question, Options(weighting="agreement")))
    assert prediction.numeric is not None
    assert prediction.numeric.cumulative == pytest.approx((0.2, 0.7))


async def test_context_selection_asks_who_is_worth_it(open_server: Open) -> None:
    server = await open_server()
    await live(server, range(60))
    server.ensemble.spec = replace(
        server.ensemble.spec, selection="context", selection_parameters={"most": 1}, explore_share=0.0
    )
    prediction = await server.ask(1000, 1000, weighting="fixed", calibration="none")
    (asked,) = [member.member for member in prediction.members if member.forecast is not None]
    assert asked == "good"


async def test_answers_say_how_doubtful_they_are_and_which_outcomes_hold_the_truth(open_server: Open) -> None:
    server = await open_server()
    await live(server, range(30))
    prediction = await server.ask(1000, 1000)
    assert prediction.doubt == pytest.approx(prediction.probabilities[0] * prediction.probabilities[1])
    assert prediction.label_set is not None
    assert prediction.label_set.outcomes[0] == prediction.outcome
    assert (prediction.label_set.level, prediction.label_set.method) == (0.9, "conformal")
    server.ensemble.spec = replace(server.ensemble.spec, max_doubt=0.001)
    doubted = await server.ask(1001, 1000)
    assert doubted.decision.action is Action.ABSTAIN
    assert "expected loss" in doubted.decision.reason
