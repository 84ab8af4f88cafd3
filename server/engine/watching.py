# SPDX-License-Identifier: Apache-2.0
"""Answers made in advance: questions on a watch list are asked ever again, more often while they move."""

import asyncio
import heapq
import random

import structlog

from server.engine.answering import Answering
from server.engine.caching.answers import Inquiry
from server.engine.caching.watch_settings import WatchSettings
from server.engine.ensembles import Ensembles
from server.engine.identify import identify
from server.engine.modes.mode import Mode
from server.engine.predict import PredictionEngine
from server.engine.request import PredictionRequest
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.ensemble import Options
from server.forecasting.errors import ConsilienceError
from server.forecasting.ports import QuestionCatalogue
from server.forecasting.prediction import Prediction
from server.forecasting.question import Question

log = structlog.get_logger(__name__)

#: A probability that changed by more has moved.
_MOVED = 0.02
_JITTER = 0.2
_SLOWER = 1.5
#: An answer made in advance serves requests that say nothing for so many intervals.
_GOOD_FOR = 2.0


class WatchList:
    """One watch list. Its caller is "watch:NAME", so that a budget can bound it."""

    def __init__(
        self,
        name: str,
        settings: WatchSettings,
        engine: PredictionEngine,
        answering: Answering,
        ensembles: Ensembles,
        catalogue: QuestionCatalogue,
        clock: Clock,
    ) -> None:
        self.caller = f"watch:{name}"
        self._settings = settings
        self._engine = engine
        self._answering = answering
        self._ensembles = ensembles
        self._catalogue = catalogue
        self._clock = clock
        self._random = random.Random(name)  # noqa: S311 - it spreads questions over time
        self._wanted: set[str] = set()
        self._last: dict[str, tuple[float, ...]] = {}
        self.intervals_s = dict.fromkeys(self._questions(), settings.every_s)

    def want(self, question_id: str) -> None:
        """A caller was answered from the cache: the question is in demand."""
        if question_id in self.intervals_s:
            self._wanted.add(question_id)

    async def run(self) -> None:
        """Ask whoever is due, one at a time, until cancelled."""
        now_s = self._clock.monotonic()
        spread_s = self._settings.every_s / max(1, len(self.intervals_s))
        due = [(now_s + place * spread_s, name) for place, name in enumerate(self.intervals_s)]
        while due:
            at_s, name = due[0]
            await asyncio.sleep(max(0.0, at_s - self._clock.monotonic()))
            await self.refresh(name)
            jitter = 1.0 + self._random.uniform(-_JITTER, _JITTER)
            heapq.heapreplace(due, (self._clock.monotonic() + self.intervals_s[name] * jitter, name))

    async def refresh(self, name: str) -> None:
        """Ask one question and keep the answer for everybody; in trouble nothing is asked in advance."""
        modes = self._answering.modes
        if modes is not None and modes.mode is not Mode.NORMAL:
            return
        options = Options(ensemble=self._settings.ensemble, max_age_s=0.0)
        request = PredictionRequest(Question(name), options, caller=self.caller)
        try:
            prediction = await self._engine.predict(request)
        except ConsilienceError as error:
            log.info("watched_question_failed", question=name, reason=error.reason)
            self._slow_down(name)
            return
        self._adapt(name, prediction)
        self._keep(request, prediction)

    def _keep(self, request: PredictionRequest, prediction: Prediction) -> None:
        cache, ensemble = self._answering.cache, self._ensembles.get(self._settings.ensemble)
        if cache is None or not ensemble.costs:
            return
        question = identify(request.question, self._catalogue)
        inquiry = Inquiry(request, question, ensemble, Deadline.after(0.0, self._clock))
        cache.keep(prediction, inquiry, _GOOD_FOR * self.intervals_s[prediction.question_id])

    def _adapt(self, name: str, prediction: Prediction) -> None:
        before = self._last.get(name)
        self._last[name] = prediction.probabilities
        moved = (
            before is not None
            and len(before) == len(prediction.probabilities)
            and max(abs(a - b) for a, b in zip(before, prediction.probabilities, strict=True)) > _MOVED
        )
        if moved or name in self._wanted:
            self._wanted.discard(name)
            self.intervals_s[name] = max(self._settings.every_s, self.intervals_s[name] / 2)
        elif before is not None:
            self._slow_down(name)

    def _slow_down(self, name: str) -> None:
        self.intervals_s[name] = min(self._settings.slowest_s, self.intervals_s[name] * _SLOWER)

    def _questions(self) -> list[str]:
        settings = self._settings
        found = list(settings.questions)
        if settings.category or settings.contains:
            matching = self._catalogue.list(category=settings.category, contains=settings.contains)
            found += [question.id for question in matching[: settings.most]]
        return list(dict.fromkeys(found))
