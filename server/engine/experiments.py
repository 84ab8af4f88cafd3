# SPDX-License-Identifier: Apache-2.0
"""Gives each request its arm, and carries out what is decided about experiments."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from server.engine.experiment_report import ArmReport, reports
from server.engine.identify import content_id
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Options
from server.forecasting.errors import (
    ConflictError,
    ConsilienceError,
    InvalidRequestError,
    NotFoundError,
)
from server.forecasting.experiment import Arm, Experiment, ExperimentStore, Standing, State, Unit

log = structlog.get_logger(__name__)

#: Wishes that an arm may have. A request that has one itself takes no part.
WISHES = ("members", "pooling", "execution", "selection", "calibration", "weighting", "weights")


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """An experiment as an administrator sees it."""

    experiment: Experiment
    standing: Standing
    etag: str


class Experiments:
    """The experiments of one server; at most one for each ensemble."""

    def __init__(
        self,
        experiments: Iterable[Experiment],
        default_ensemble: str,
        store: ExperimentStore,
        poll_s: float = 5.0,
    ) -> None:
        self._experiments = {one.name: one for one in experiments}
        self._by_ensemble = {one.ensemble or default_ensemble: one for one in self._experiments.values()}
        self._default = default_ensemble
        self._store = store
        self._standings: Mapping[str, Standing] = {}
        self._poll_s = poll_s
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what was decided, and follow what other servers of the database decide.

        Raises:
            StorageError: the decisions cannot be read.
        """
        self._standings = await self._store.standings()
        self._task = asyncio.create_task(self._follow(), name="experiments")

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                async with self._turn:
                    self._standings = await self._store.standings()
            except (ConsilienceError, OSError) as error:
                log.warning("experiments.behind", error=str(error))
            except Exception as error:  # noqa: BLE001 - a database that is away comes back
                log.warning("experiments.behind", error=str(error))

    def drawn(self, request: PredictionRequest) -> PredictionRequest:
        """The request as its arm answers it; as it is where it takes no part."""
        experiment = self._by_ensemble.get(request.options.ensemble or self._default)
        if experiment is None or any(getattr(request.options, name) for name in WISHES):
            return request
        standing = self._standing(experiment.name)
        if standing.state is State.ROLLED_BACK:
            return request
        if standing.state is State.PROMOTED:
            arm = experiment.arm(standing.arm)
            return request if arm is None else replace(request, options=_merged(request.options, arm))
        arm = experiment.drawn(_unit(experiment, request))
        if arm is None:
            return request
        options = _merged(request.options, arm)
        return replace(request, options=options, experiment=experiment.name, arm=arm.name)

    def views(self) -> list[ExperimentView]:
        """All of them, in order of name."""
        return [self._view(one) for _, one in sorted(self._experiments.items())]

    async def report(self, name: str) -> tuple[ExperimentView, list[ArmReport]]:
        """An experiment and what it has shown so far, the control first.

        Raises:
            NotFoundError: there is no such experiment.
            StorageError: the predictions cannot be read.
        """
        experiment = self._get(name)
        counts = await self._store.counts(name)
        observations = await self._store.observations(name)
        return self._view(experiment), await asyncio.to_thread(reports, experiment, counts, observations)

    async def update(self, name: str, etag: str, standing: Standing, actor: str) -> ExperimentView:
        """Promote an arm, roll back, or run again. Holds at once here, elsewhere within seconds.

        Raises:
            NotFoundError: there is no such experiment.
            ConflictError: the etag is given and stale.
            InvalidRequestError: there is no such arm.
            RecordError: it could not be written; nothing has changed.
        """
        experiment = self._get(name)
        promoted = standing.state is State.PROMOTED
        if promoted and experiment.arm(standing.arm) is None:
            known = ", ".join(arm.name for arm in experiment.arms)
            raise InvalidRequestError.of("arm", f"{standing.arm!r} is not known; use {known}")
        standing = standing if promoted else Standing(standing.state)

        def fits(present: Standing) -> bool:
            return not etag or etag == _etag(experiment, present)

        async with self._turn:
            try:
                await self._store.decide(name, standing, actor, fits)
            except ConflictError:
                # Another server's decision, perhaps: whoever reads it again is to see that one.
                self._standings = await self._store.standings()
                raise
            self._standings = {**self._standings, name: standing}
        return self._view(experiment)

    def _get(self, name: str) -> Experiment:
        found = self._experiments.get(name)
        if found is None:
            raise NotFoundError(
                "experiment", name, "known: " + (", ".join(sorted(self._experiments)) or "none")
            )
        return found

    def _standing(self, name: str) -> Standing:
        return self._standings.get(name, Standing())

    def _view(self, experiment: Experiment) -> ExperimentView:
        standing = self._standing(experiment.name)
        shown = replace(experiment, ensemble=experiment.ensemble or self._default)
        return ExperimentView(shown, standing, _etag(experiment, standing))


def _etag(experiment: Experiment, standing: Standing) -> str:
    return hashlib.blake2b(repr((experiment, standing)).encode(), digest_size=8).hexdigest()


def _unit(experiment: Experiment, request: PredictionRequest) -> str:
    if experiment.unit is Unit.CALLER:
        return request.caller
    return request.question.id or content_id(request.question)


def _merged(options: Options, arm: Arm) -> Options:
    """The caller's wishes with the arm's."""
    wishes: dict[str, Any] = {
        name: value for name in ("ensemble", *WISHES) if (value := getattr(arm.options, name))
    }
    return replace(options, **wishes) if wishes else options
