# SPDX-License-Identifier: Apache-2.0
"""Trains networks again on schedule, and serves what has become better.

A schedule is known by what it trains: its last training is found among those
kept on disk, so a server that was away for a while neither forgets a turn nor
makes up for several. A training that the end of a server interrupted goes on at
the next start. Of servers that share the folder one keeps the schedule, while it
lives; the others serve what that one has come to serve.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from server.forecasting.deadline import Clock
from server.training.folder import INTERRUPTED
from server.training.settings import RetrainSettings
from server.training.state import Stage, Training, Wish
from server.training.trainings import Trainings

log = structlog.get_logger(__name__)

#: Longest sleep: the wall clock decides when a turn has come, and it may be set.
NAP_S = 60.0
_SCORE, _BASELINE = "macro_f1_h", "macro_f1_persistence_h"


class Versions(Protocol):
    """The networks that are served."""

    def default_version(self, name: str) -> int | None:
        """The version that answers where none is named; None where none is loaded."""
        ...

    async def turn_to(self, name: str, version: int) -> object:
        """Make a version the default."""
        ...


Note = Callable[[Wish], Awaitable[None]]
Served = Callable[[], Awaitable[Versions]]
Scores = Callable[[str], Mapping[str, float]]


class Retraining:
    """One schedule. ``note`` writes a start into the audit log, ``scores`` reads those of NAME/VERSION."""

    def __init__(
        self,
        plan: RetrainSettings,
        trainings: Trainings,
        clock: Clock,
        *,
        note: Note,
        served: Served,
        scores: Scores,
    ) -> None:
        self._plan = plan
        self._trainings = trainings
        self._clock = clock
        self._note = note
        self._served = served
        self._scores = scores
        self._followed = self._latest_served()

    async def run(self) -> None:
        """Keep the schedule, or follow the server that does, until cancelled."""
        while (lead := self._trainings.lead(self._plan.wish)) is None:
            try:
                await self.follow()
            except Exception as error:  # noqa: BLE001 - what is served stays served
                log.error("retraining_not_followed", architecture=self._plan.architecture, problem=str(error))
            await asyncio.sleep(NAP_S)
        with lead:
            await self._keep_schedule()

    async def _keep_schedule(self) -> None:
        """Train whenever a turn has come. What fails is logged and ends no schedule."""
        while True:
            await self._wait()
            try:
                await self._note(self._plan.wish)
                training = await self._trainings.finished(self._trainings.start(self._plan.wish).id)
                if training.stage is Stage.DONE:
                    await self.settle(training)
            except Exception as error:  # noqa: BLE001 - one turn lost ends no schedule
                log.error("retraining_failed", architecture=self._plan.architecture, problem=str(error))
                await asyncio.sleep(NAP_S)

    async def follow(self) -> None:
        """Serve what another server of this schedule has come to serve since the last look."""
        training = self._latest_served()
        if training is None or (self._followed is not None and training.id == self._followed.id):
            return
        name, _, version = training.artifact.rpartition("/")
        await (await self._served()).turn_to(name, int(version))
        self._followed = training

    def _latest_served(self) -> Training | None:
        return self._trainings.latest_served(self._plan.wish)

    async def _wait(self) -> None:
        while True:
            left = (self.due() - self._clock.now()).total_seconds()
            if left <= 0:
                return
            await asyncio.sleep(min(left, NAP_S))

    def due(self) -> datetime:
        """When the next turn comes; now, where there was none or the last one was interrupted."""
        last = self._trainings.latest(self._plan.wish)
        if last is None or last.error == INTERRUPTED:
            return self._clock.now()
        return last.started + timedelta(hours=self._plan.every_hours)

    async def settle(self, training: Training) -> None:
        """Serve the network of a training that is done, or set it aside, as the plan says."""
        if self._plan.serve == "never":
            return
        name, _, version = training.artifact.rpartition("/")
        versions = await self._served()
        current = versions.default_version(name)
        if self._plan.serve == "better" and current not in {None, int(version)}:
            gain = lead(training.metrics) - lead(self._scores(f"{name}/{current}"))
            if gain <= 0:
                # Left in the repository it would be served after the next start, as the newest.
                await asyncio.to_thread(self._trainings.set_aside, training)
                log.info("retrained_no_better", artifact=training.artifact, gain=round(gain, 4))
                return
        await versions.turn_to(name, int(version))
        self._trainings.served(training)
        log.info("retrained", artifact=training.artifact, before=current)


def lead(metrics: Mapping[str, float]) -> float:
    """Mean lead of the macro-F1 over persistence, over all horizons; below any where nothing was tested.

    Two trainings are tested on other stretches of a market, some of them harder.
    What repeating the last label is worth there is taken off.
    """
    horizons = [key.removeprefix(_SCORE) for key in metrics if key.startswith(_SCORE)]
    leads = [metrics[_SCORE + horizon] - metrics[_BASELINE + horizon] for horizon in horizons]
    return sum(leads) / len(leads) if leads else float("-inf")
