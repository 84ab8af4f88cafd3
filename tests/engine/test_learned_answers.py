# SPDX-License-Identifier: Apache-2.0
"""The live engine says what the walk-forward evaluation says, and nothing of it depends on the future."""

import json
import math
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.learner import Learner, market_members
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.ensemble import EnsembleSpec, MemberSpec, Options
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.market_price import MarketPrice
from server.forecasting.ports import Forecaster, Identity
from server.forecasting.prediction import Prediction
from server.forecasting.query import Query
from server.forecasting.question import Question, Resolution
from server.research.cases import Ensemble as Panel
from server.research.evaluate import Evaluation, evaluate_table
from server.research.panels import read_panels
from server.research.series import DEFAULT, Method, Series
from server.research.table import ForecastTable, read_table
from server.storage.outcomes.store import SqlOutcomeStore
from server.storage.settings import StorageSettings
from server.storage.store import SqlPredictionStore, open_store
from tests.fakes import Catalogue

FORECASTS = Path(os.environ.get("CONSILIENCE_DATA", "nowhere")) / "forecasts"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
METHODS = (DEFAULT, Method(Series("log_odds", "adaptive", market=True), "beta"))

pytestmark = pytest.mark.skipif(
    not (FORECASTS / "forecasts.parquet").exists(), reason="set CONSILIENCE_DATA to the full data"
)


class Told:
    """Says what it was told to say, by question."""

    def __init__(self, answers: dict[str, float]) -> None:
        self.identity = Identity("recorded")
        self._answers = answers

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        said = self._answers.get(query.question.id, math.nan)
        if math.isnan(said):
            return Absent(AbsentReason.NOT_APPLICABLE)
        return Forecast((said, 1.0 - said), recorded=True)

    async def close(self) -> None:
        pass


def day(number: int) -> datetime:
    return EPOCH + timedelta(days=number)


@dataclass
class Stage:
    """One panel of the recorded forecasts, alone in its file, and a server's engine beside it."""

    table: ForecastTable
    evaluation: Evaluation
    panel: Panel
    store: SqlPredictionStore
    learner: Learner
    engine: PredictionEngine

    def question(self, row: int) -> Question:
        unit = int(self.panel.unit[row])
        context = self.table.contexts[unit]
        fresh, stale = self.table.price[unit], self.table.stale_price[unit]
        price = stale if math.isnan(fresh) else fresh
        asked = day(int(self.panel.forecast_day[row]))
        return Question(
            id=self.table.unit_id[unit],
            text="recorded",
            category=context.category,
            source=context.source,
            origin=context.kind,
            as_of_time=asked,
            resolve_time=day(int(self.panel.resolution_day[row])),
            market_probability=None if math.isnan(price) else float(price),
            market_time=asked - timedelta(days=10 if math.isnan(fresh) else 0),
        )

    def resolution(self, row: int) -> Resolution:
        known = day(int(self.panel.resolution_day[row]) + 1)
        return Resolution(self.question(row).id, known, fraction=float(self.panel.outcome[row]))

    async def ask(self, row: int, method: Method) -> Prediction:
        options = Options(
            pooling=method.series.pooling,
            weighting=method.series.weighting,
            calibration=method.calibration,
        )
        return await self.engine.predict(PredictionRequest(self.question(row), options))


async def staged(folder: Path, panel: str, units: int, url: str) -> Stage:
    panels = json.loads((FORECASTS / "panels.json").read_text())["panels"]
    wanted = next(each for each in panels if each["name"] == panel)
    frame = pl.read_parquet(FORECASTS / "forecasts.parquet").filter(
        pl.col("collection") == wanted["collection"], pl.col("model").is_in(wanted["models"])
    )
    answered = frame.group_by("unit_id").agg(pl.len()).filter(pl.col("len") >= wanted["min_forecasters"])
    chosen = answered["unit_id"].sort().gather_every(max(1, len(answered) // units))
    path = folder / "forecasts.parquet"
    frame.filter(pl.col("unit_id").is_in(chosen.implode())).write_parquet(path)
    (folder / "panels.json").write_text(json.dumps({"panels": [wanted]}))
    table = read_table(path)
    evaluation = evaluate_table(table, read_panels(folder / "panels.json"), METHODS)
    return await opened(table, evaluation, url)


async def opened(table: ForecastTable, evaluation: Evaluation, url: str) -> Stage:
    (found,) = [each for each in evaluation.ensembles if each.panel == 0]
    store = await open_store(StorageSettings(url=url))
    names = found.asked.members[:-2]
    forecasters: dict[str, Forecaster] = {
        name: Told(
            {
                table.unit_id[int(unit)]: float(found.asked.probabilities[row, column])
                for row, unit in enumerate(found.unit)
            }
        )
        for column, name in enumerate(names)
    }
    forecasters["price"] = MarketPrice()
    spec = EnsembleSpec(found.asked.ensemble, tuple(MemberSpec(name) for name in forecasters))
    ensembles = Ensembles([Ensemble(spec, forecasters)], spec.name)
    learner = Learner(
        SqlOutcomeStore(store.database, store.trail), SystemClock(), market_members(ensembles), poll_s=3600
    )
    for ensemble in ensembles:
        ensemble.adviser = learner
    learner.watches = True
    learner.start()
    await learner.ready()
    engine = PredictionEngine(
        ensembles, Catalogue(), Recorder(store), (), SystemClock(), EngineSettings("test", 0.05)
    )
    return Stage(table, evaluation, found, store, learner, engine)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = await staged(tmp_path, "metaculus-q2-2025", 60, f"sqlite:///{tmp_path}/live.db")
    yield made
    await made.learner.close()
    await made.store.close()


async def walk(stage: Stage, method: Method) -> np.ndarray:  # type: ignore[type-arg]
    """Every unit as the server answers it, day by day; outcomes come in when they became known."""
    panel = stage.panel
    said = np.full(len(panel.unit), np.nan)
    told: set[int] = set()
    for today in sorted(set(panel.forecast_day.tolist())):
        known = [r for r in range(len(said)) if panel.resolution_day[r] < today and r not in told]
        told.update(known)
        if known:
            await stage.learner.record([stage.resolution(row) for row in known])
        rows = np.flatnonzero(panel.forecast_day == today).tolist()
        # The evaluation pools a day's questions once all of them have been answered.
        for row in rows:
            await stage.ask(row, method)
        await stage.learner.advance()
        for row in rows:
            said[row] = (await stage.ask(row, method)).probabilities[0]
        await stage.learner.advance()
    return said


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_the_server_says_what_the_evaluation_says(stage: Stage, method: Method) -> None:
    said = await walk(stage, method)
    place = stage.evaluation.walked.methods.index(method)
    np.testing.assert_allclose(said, stage.evaluation.walked.said["strict"][0][place], atol=1e-9)
    assert stage.learner.memory.learning.outcomes > 0


async def test_an_answer_names_what_made_it(stage: Stage) -> None:
    answer = await stage.ask(0, DEFAULT)
    again = replace(answer.method)
    assert again.weighting == "agreement"
    assert again.calibration == "hierarchical"
    assert again.curve == "platt"
    assert len(again.curve_parameters) == 2
    assert again.weights_version.startswith("answers-")
