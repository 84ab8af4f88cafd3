# SPDX-License-Identifier: Apache-2.0
"""Experiments on live traffic: different ways to answer, each with its share of the questions or callers."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from server.forecasting.ensemble import Options


class Unit(StrEnum):
    """What always gets the same arm."""

    QUESTION = "question"
    CALLER = "caller"


class State(StrEnum):
    """What becomes of an experiment's traffic."""

    RUNNING = "running"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to answer: what differs from the ensemble as configured; nothing does in a control."""

    name: str
    share: float
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class Experiment:
    """``arms``: the control first; their shares sum to at most 1, the rest takes no part."""

    name: str
    ensemble: str
    unit: Unit
    arms: tuple[Arm, ...]
    level: float = 0.95

    def arm(self, name: str) -> Arm | None:
        """The arm of that name, or None."""
        return next((arm for arm in self.arms if arm.name == name), None)

    def drawn(self, unit: str) -> Arm | None:
        """The arm of a unit, always the same; None: it takes no part.

        The draw is the first 64 bits of SHA-256 over the experiment's name and the
        unit, so that two experiments draw independently.
        """
        digest = hashlib.sha256(f"{self.name}\0{unit}".encode()).digest()
        left = int.from_bytes(digest[:8], "big") / 2**64
        for arm in self.arms:
            left -= arm.share
            if left < 0.0:
                return arm
        return None


@dataclass(frozen=True, slots=True)
class Standing:
    """What has been decided about an experiment; ``arm`` is the promoted one."""

    state: State = State.RUNNING
    arm: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """A resolved prediction of an experiment: ``brier`` 0..1, in the order in which outcomes became known."""

    arm: str
    question_id: str
    caller: str
    brier: float


class ExperimentStore(Protocol):
    """Where decisions about experiments are kept, and where their predictions are."""

    async def standings(self) -> Mapping[str, Standing]:
        """What has been decided, by experiment."""
        ...

    async def decide(
        self, name: str, standing: Standing, actor: str, fits: Callable[[Standing], bool]
    ) -> None:
        """Keep a decision if what was decided before, by whatever server, fits; list it in the audit log.

        Raises:
            ConflictError: it does not fit: somebody else has decided meanwhile.
            RecordError: it is not on disk.
        """
        ...

    async def counts(self, name: str) -> Mapping[str, int]:
        """Predictions made, by arm."""
        ...

    async def observations(self, name: str) -> Sequence[Observation]:
        """All resolved predictions, in the order in which their outcomes became known."""
        ...
