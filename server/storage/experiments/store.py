# SPDX-License-Identifier: Apache-2.0
"""The experiment store that the server uses."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, func, insert, select, text

from server.forecasting.errors import ConflictError, RecordError
from server.forecasting.experiment import Observation, Standing, State
from server.storage import locks
from server.storage.audit.entries import event
from server.storage.audit.trail import AuditTrail
from server.storage.database import FAULTS, Database, cause_of
from server.storage.experiments.tables import experiment_states
from server.storage.reading import read
from server.storage.tables import predictions

Result = TypeVar("Result")

_RESOLVED = text("""
SELECT p.arm, p.question_id, p.caller, p.outcomes, p.probabilities, o.result, o.outcome, o.number
FROM predictions p JOIN outcomes o ON o.question_id = p.question_id
WHERE p.experiment = :name AND p.experiment <> '' AND p.kind IN ('binary', 'exclusive')
  AND coalesce(p.asked_time_us, p.create_time_us) < o.known_time_us
  AND o.result IN ('outcome', 'fraction')
  AND o.version = (SELECT max(version) FROM outcomes WHERE question_id = p.question_id)
ORDER BY o.known_time_us, o.sequence, p.create_time_us, p.id
""")


class SqlExperimentStore:
    """An ``ExperimentStore``; the database is closed by the prediction store that opened it."""

    def __init__(self, database: Database, trail: AuditTrail) -> None:
        self._database = database
        self._trail = trail

    async def standings(self) -> Mapping[str, Standing]:
        """See ``ExperimentStore``."""
        return await self._read(_standings)

    async def decide(
        self, name: str, standing: Standing, actor: str, fits: Callable[[Standing], bool]
    ) -> None:
        """See ``ExperimentStore``."""
        work = partial(self._decide, name=name, standing=standing, actor=actor, fits=fits)
        try:
            await self._database.write(work)
        except FAULTS as error:
            raise RecordError(f"the decision is not on disk: {cause_of(error)}") from error

    async def counts(self, name: str) -> Mapping[str, int]:
        """See ``ExperimentStore``."""
        return await self._read(partial(_counts, name=name))

    async def observations(self, name: str) -> Sequence[Observation]:
        """See ``ExperimentStore``."""
        return await self._read(partial(_observations, name=name))

    def _decide(
        self,
        connection: Connection,
        name: str,
        standing: Standing,
        actor: str,
        fits: Callable[[Standing], bool],
    ) -> None:
        row = {"state": standing.state.value, "arm": standing.arm}
        with self._trail.transaction(connection) as append:
            locks.take(connection, locks.Lock.EXPERIMENTS)
            if not fits(_standings(connection).get(name, Standing())):
                raise ConflictError(
                    f"experiment {name!r} was changed by somebody else; read it again and repeat the change"
                )
            connection.execute(delete(experiment_states).where(experiment_states.c.experiment == name))
            connection.execute(insert(experiment_states).values(experiment=name, **row))
            append([event("UpdateExperiment", name, actor, row)])

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        return await read(self._database, work, "the experiments")


def _standings(connection: Connection) -> dict[str, Standing]:
    rows = connection.execute(select(experiment_states))
    return {row.experiment: Standing(State(row.state), row.arm) for row in rows}


def _counts(connection: Connection, name: str) -> dict[str, int]:
    columns = predictions.c
    wanted = (columns.experiment == name) & (columns.experiment != text("''"))
    query = select(columns.arm, func.count().label("number")).where(wanted).group_by(columns.arm)
    return {row.arm: row.number for row in connection.execute(query)}


def _observations(connection: Connection, name: str) -> list[Observation]:
    found = []
    for row in connection.execute(_RESOLVED, {"name": name}):
        happened = _happened(row)
        if happened is not None:
            said = np.frombuffer(row.probabilities, "<f8")
            brier = 0.5 * float(((said - happened) ** 2).sum())
            found.append(Observation(row.arm, row.question_id, row.caller, brier))
    return found


def _happened(row: Row[Any]) -> NDArray[np.float64] | None:
    """(C,) how far each outcome happened; None where the outcome is not one of the question's."""
    names: list[str] = json.loads(row.outcomes)
    if row.result == "fraction":
        return np.array([row.number, 1.0 - row.number]) if len(names) == 2 else None
    if row.outcome not in names:
        return None
    return np.array([float(name == row.outcome) for name in names])
