# SPDX-License-Identifier: Apache-2.0
"""Experiments on live traffic."""

from dataclasses import dataclass
from enum import StrEnum

from consilience._enums import Numbers
from consilience.v1 import admin_service_pb2

__all__ = ["ArmReport", "Experiment", "ExperimentArm", "ExperimentReport", "ExperimentState"]


class ExperimentState(StrEnum):
    """What becomes of an experiment's traffic."""

    UNSPECIFIED = "unspecified"
    RUNNING = "running"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"


_STATES = Numbers(ExperimentState, admin_service_pb2.ExperimentState, "EXPERIMENT_STATE_")


@dataclass(frozen=True, slots=True)
class ExperimentArm:
    """One way to answer; ``differs`` names what is not as the ensemble has it, with its value."""

    name: str
    share: float
    differs: dict[str, str]

    @classmethod
    def from_message(cls, message: admin_service_pb2.ExperimentArm) -> "ExperimentArm":
        """From the contract's message."""
        options = message.options
        wishes = {
            field.name: _words(value) for field, value in options.ListFields() if field.name != "weights"
        }
        if options.weights:
            wishes["weights"] = ", ".join(
                f"{name} {value:g}" for name, value in sorted(options.weights.items())
            )
        return cls(message.name, message.share, wishes)


def _words(value: object) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value))  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Experiment:
    """``unit``, "question" or "caller", always gets the same of the ``arms``; the first is the control."""

    name: str
    ensemble: str
    unit: str
    arms: tuple[ExperimentArm, ...]
    state: ExperimentState
    promoted: str
    etag: str

    @classmethod
    def from_message(cls, message: admin_service_pb2.Experiment) -> "Experiment":
        """From the contract's message."""
        return cls(
            name=message.name,
            ensemble=message.ensemble,
            unit=message.unit,
            arms=tuple(map(ExperimentArm.from_message, message.arms)),
            state=_STATES[message.state],
            promoted=message.promoted,
            etag=message.etag,
        )


@dataclass(frozen=True, slots=True)
class ArmReport:
    """``difference`` of the Brier score from the control's: below 0 is better; the interval always holds."""

    arm: str
    predictions: int
    resolved: int
    brier: float | None
    difference: float | None
    low: float | None
    high: float | None
    finding: str

    @classmethod
    def from_message(cls, message: admin_service_pb2.ArmReport) -> "ArmReport":
        """From the contract's message."""
        return cls(
            arm=message.arm,
            predictions=message.predictions,
            resolved=message.resolved,
            brier=message.brier if message.HasField("brier") else None,
            difference=message.difference if message.HasField("difference") else None,
            low=message.low if message.HasField("low") else None,
            high=message.high if message.HasField("high") else None,
            finding=message.finding,
        )


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """An experiment and what it has shown so far; ``level`` is that of all intervals together."""

    experiment: Experiment
    reports: tuple[ArmReport, ...]
    level: float

    @classmethod
    def from_message(cls, message: admin_service_pb2.GetExperimentResponse) -> "ExperimentReport":
        """From the contract's message."""
        experiment = Experiment.from_message(message.experiment)
        return cls(experiment, tuple(map(ArmReport.from_message, message.reports)), message.level)
