# SPDX-License-Identifier: Apache-2.0
"""One cell, driven through the engine that serves live traffic, in virtual time.

Every case is asked at its own instant. Before that, the outcomes that have become
known by then are shown to whatever learns; nothing else ever is.
"""

import heapq
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Durability, EnsembleSpec, MemberSpec, Options
from server.forecasting.errors import DeadlineError, NoAnswerError
from server.forecasting.prediction import Prediction
from server.learning.batches import MARKET
from server.research.grid.cell import Cell
from server.research.grid.choosing import Chooser
from server.research.grid.dataset import Case, DataSet
from server.research.grid.declared import NOTHING, Declared, Meter, MeteredForecaster
from server.research.grid.nowhere import NoCatalogue, Nowhere
from server.research.grid.teacher import Teacher
from server.research.virtual_time import VirtualClock, run_virtually

#: Kept back from a deadline for the reply; the engine's own default.
REPLY_MARGIN_S = 0.15


@dataclass(frozen=True, slots=True)
class World:
    """What is the same for every cell of a run.

    ``declared`` by member name, ``others`` for whoever is not named. ``spec`` holds
    thresholds and times of the ensembles; names and members are filled in.
    ``weights``: of members, for the weighting ``fixed``; 1 unless told.
    """

    data: DataSet
    declared: Mapping[str, Declared] = field(default_factory=dict)
    others: Declared = NOTHING
    spec: EnsembleSpec = EnsembleSpec("", (), deadline_s=60.0)
    seed: int = 1
    weights: Mapping[str, float] = field(default_factory=dict)

    def declared_of(self, name: str) -> Declared:
        """What is declared of a member; the market's price takes and costs nothing unless it is named."""
        return self.declared.get(name, NOTHING if name == MARKET else self.others)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one case in one cell; ``prediction`` is None where nobody answered in time."""

    case: Case
    prediction: Prediction | None
    calls: int
    nano_usd: int


def drive(world: World, cell: Cell, progress: Callable[[], None] = lambda: None) -> list[Answer]:
    """Every case of the data set, in order; ``progress`` is called after each."""
    begin = min(case.as_of for case in world.data.cases)

    async def main(clock: VirtualClock) -> list[Answer]:
        answers = []
        async for answer in _Drive(world, cell, clock).run():
            answers.append(answer)
            progress()
        return answers

    return run_virtually(main, begin)


class _Drive:
    def __init__(self, world: World, cell: Cell, clock: VirtualClock) -> None:
        self._world = world
        self._clock = clock
        self._meter = Meter()
        self._teacher = Teacher(cell.weighting, cell.calibration, world.data.panels)
        self._chooser = Chooser(cell, world.data.panels, world.seed)
        self._engine = self._made(cell)

    async def run(self) -> AsyncIterator[Answer]:
        """Answers as they are given."""
        waiting: list[tuple[datetime, int]] = []
        for place, case in enumerate(self._world.data.cases):
            await self._clock.until(case.as_of)
            self._reveal(waiting)
            yield await self._asked(case)
            heapq.heappush(waiting, (case.known_at, place))

    def _reveal(self, waiting: list[tuple[datetime, int]]) -> None:
        """Show what has become known by now, instant by instant."""
        now = self._clock.now()
        while waiting and waiting[0][0] <= now:
            instant = waiting[0][0]
            together = []
            while waiting and waiting[0][0] == instant:
                together.append(self._world.data.cases[heapq.heappop(waiting)[1]])
            self._teacher.known(together)

    async def _asked(self, case: Case) -> Answer:
        self._meter.calls = self._meter.nano_usd = 0
        self._teacher.about(case)
        prediction = await self._predicted(case)
        if prediction is not None:
            self._teacher.answered(case, prediction)
        return Answer(case, prediction, self._meter.calls, self._meter.nano_usd)

    async def _predicted(self, case: Case) -> Prediction | None:
        options = Options(ensemble=case.panel, members=self._chooser.members(case))
        try:
            return await self._engine.predict(PredictionRequest(case.question, options))
        except (NoAnswerError, DeadlineError):
            return None

    def _made(self, cell: Cell) -> PredictionEngine:
        ensembles = [self._ensemble(name, members, cell) for name, members in self._world.data.panels.items()]
        return PredictionEngine(
            Ensembles(ensembles, ensembles[0].spec.name),
            NoCatalogue(),
            Recorder(Nowhere()),
            (),
            self._clock,
            EngineSettings("research", REPLY_MARGIN_S),
        )

    def _ensemble(self, name: str, members: Sequence[str], cell: Cell) -> Ensemble:
        spec = replace(
            self._world.spec,
            name=name,
            members=tuple(MemberSpec(member, self._world.weights.get(member, 1.0)) for member in members),
            pooling=cell.pooling,
            weighting=cell.weighting,
            calibration=cell.calibration,
            execution=cell.execution,
            durability=Durability.NONE,
        )
        ensemble = Ensemble(self._chooser.spec(spec), {member: self._metered(member) for member in members})
        ensemble.adviser = self._teacher if cell.learns else None
        return ensemble

    def _metered(self, member: str) -> MeteredForecaster:
        world = self._world
        return MeteredForecaster(
            member, world.data.forecasters[member], world.declared_of(member), world.seed, self._meter
        )
