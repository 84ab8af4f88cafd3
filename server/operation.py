# SPDX-License-Identifier: Apache-2.0
"""What runs a server beside its requests: cache, modes, watch list, probes, and who is told of it all."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import CollectorRegistry

from server.config import Settings
from server.engine.answering import Answering
from server.engine.caching.answers import AnswerCache
from server.engine.ensembles import Ensembles
from server.engine.happenings import Happenings
from server.engine.modes.control import ModeControl
from server.engine.predict import PredictionEngine
from server.engine.watching import WatchList
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.forecast import Cost
from server.forecasting.ports import QuestionCatalogue
from server.forecasting.purse import Purse
from server.llm.attempts import Attempt, AttemptLog
from server.telemetry.attempts import AttemptMetrics, AttemptObservers
from server.telemetry.operation import CacheCollector, ModeMetrics

if TYPE_CHECKING:
    from server.llm.room import LanguageModels

log = structlog.get_logger(__name__)

#: Longest time that opening connections may hold up the start.
WARM_UP_S = 2.0


class Operation:
    """Made before the forecasters, which tell it of their calls; started after them."""

    def __init__(
        self, settings: Settings, stack: AsyncExitStack, clock: Clock, registry: CollectorRegistry
    ) -> None:
        self._settings = settings
        self._stack = stack
        self._clock = clock
        self._registry = registry
        self.happenings = Happenings(clock)
        self._metrics = AttemptMetrics(registry)
        self.observer = AttemptObservers((AttemptLog(), self._metrics, Teller(self.happenings)))
        self.answering: Answering
        self.modes: ModeControl
        self.cache: AnswerCache | None

    def circuit_changed(self, provider: str, model: str, before: str, after: str) -> None:
        """A breaker has changed: for the metrics and for those who watch."""
        self._metrics.circuit_changed(provider, model, before, after)
        self.happenings.circuit_changed(provider, model, before, after)

    def begin(self, ensembles: Ensembles, budget_left: Callable[[], float | None]) -> None:
        """Cache and modes of these ensembles; from now on the modes follow what is measured."""
        settings, clock = self._settings, self._clock
        self.cache = AnswerCache(settings.cache, clock) if settings.cache.entries else None
        self.modes = ModeControl(ensembles, settings.degradation, clock, budget_left)
        self.answering = Answering(self.cache, self.modes)
        self.modes.listen(self.happenings.mode_changed)
        ModeMetrics(self.modes, self._registry)
        if self.cache is not None:
            self._registry.register(CacheCollector(self.cache))
        for ensemble in ensembles:
            ensemble.listen(self.happenings.spec_changed)
            told = partial(self.happenings.selection_changed, ensemble.spec.name)
            ensemble.roll_call.listeners.append(told)
        self.run(self.modes.run(), "modes")

    async def warm(self, models: "LanguageModels | None", purse: Purse | None = None) -> None:
        """Open the providers' connections, but not for longer than a moment; then look after them."""
        if models is None:
            return
        for name, provider in models.providers.items():
            for model, endpoint in provider.endpoints.items():
                self._metrics.circuit_is(name, model, endpoint.breaker.state)
        deadline = Deadline.after(WARM_UP_S, self._clock)
        with suppress(TimeoutError):
            async with deadline.timeout():
                await models.warm_up(deadline, purse)
        self.run(models.watch(), "providers")

    def watch(self, engine: PredictionEngine, ensembles: Ensembles, catalogue: QuestionCatalogue) -> None:
        """Begin to make answers in advance; begun last, it is the first to stop."""
        lists = [
            WatchList(name, settings, engine, self.answering, ensembles, catalogue, self._clock)
            for name, settings in self._settings.watch.items()
        ]
        if self.cache is not None and lists:

            def want(question_id: str) -> None:
                for each in lists:
                    each.want(question_id)

            self.cache.on_hit = want
        for each in lists:
            self.run(each.run(), each.caller)

    def run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Work in the background until the server stops; its failure is logged and stops nothing else."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_ended)
        self._stack.push_async_callback(_cancel, task)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


def _ended(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("background_work_failed", task=task.get_name(), exc_info=error)


class Teller:
    """Tells those who watch of calls and alerts; an ``AttemptObserver``."""

    def __init__(self, happenings: Happenings) -> None:
        self._happenings = happenings

    def attempted(self, attempt: Attempt) -> None:
        """A call that cost money."""
        if self._happenings.watched and attempt.cost is not None:
            cost = attempt.cost
            self._happenings.spent(attempt.member, attempt.provider, cost.nano_usd / 1e9, cost.source.value)

    def alerted(self, provider: str, what: str, detail: str) -> None:
        """Something needs an operator."""
        self._happenings.alerted(provider, what, detail)

    def reconciled(self, attempt: Attempt, cost: Cost) -> None:
        """An estimate has become a figure."""
        if self._happenings.watched:
            self._happenings.spent(
                attempt.member, attempt.provider, cost.nano_usd / 1e9, f"{cost.source.value}, corrected"
            )
