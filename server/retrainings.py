# SPDX-License-Identifier: Apache-2.0
"""The schedules of ``[training.retrain]``, put together from what a server has."""

from collections.abc import Coroutine, Iterator
from dataclasses import asdict
from typing import Any

from server.assembly import Assembly
from server.config import Settings
from server.engine.changes import Change, Changes
from server.forecasting.deadline import Clock
from server.training.artifacts import read_metrics
from server.training.retraining import Retraining
from server.training.state import Wish
from server.training.trainings import Trainings

#: Who the audit log says has begun such a training.
SCHEDULE = "schedule"


def retrainings(
    settings: Settings, trainings: Trainings, assembly: Assembly, changes: Changes, clock: Clock
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Name and work of every schedule."""
    repository = settings.inference.repository

    async def note(wish: Wish) -> None:
        await changes.note(Change("StartTraining", wish.architecture, SCHEDULE, asdict(wish)))

    for name, plan in settings.training.retrain.items():
        retraining = Retraining(
            plan,
            trainings,
            clock,
            note=note,
            served=assembly.network_versions,
            scores=lambda artifact: read_metrics(repository / artifact),
        )
        yield name, retraining.run()
