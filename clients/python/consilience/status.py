# SPDX-License-Identifier: Apache-2.0
"""What a server is, and the members of its ensembles."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consilience._enums import Numbers
from consilience._times import to_datetime, to_seconds
from consilience.prediction import Method, Prediction
from consilience.spending import BudgetStatus
from consilience.v1 import admin_service_pb2

__all__ = ["EnsembleStatus", "LearningStatus", "Member", "OperatingMode", "ServerStatus"]


class OperatingMode(StrEnum):
    """How freely the server spends and asks."""

    UNSPECIFIED = "unspecified"
    NORMAL = "normal"
    REDUCED = "reduced"
    CACHED_ONLY = "cached_only"
    MARKET_ONLY = "market_only"
    HALT = "halt"


_MODES = Numbers(OperatingMode, admin_service_pb2.OperatingMode, "OPERATING_MODE_")


@dataclass(frozen=True, slots=True)
class EnsembleStatus:
    """An ensemble and its named choices."""

    name: str
    is_default: bool
    method: Method
    member_count: int
    enabled_count: int
    etag: str
    outcomes: tuple[str, ...]

    @classmethod
    def from_message(cls, message: admin_service_pb2.EnsembleStatus) -> "EnsembleStatus":
        """From the contract's message."""
        return cls(
            name=message.name,
            is_default=message.is_default,
            method=Method.from_message(message.method),
            member_count=message.member_count,
            enabled_count=message.enabled_count,
            etag=message.etag,
            outcomes=tuple(message.outcomes),
        )


@dataclass(frozen=True, slots=True)
class LearningStatus:
    """What has been learned so far; ``belief``: each weighting's share in the adaptive mixture."""

    version: str
    answers: int
    outcomes: int
    belief: dict[str, float]
    ready: bool

    @classmethod
    def from_message(cls, message: admin_service_pb2.LearningStatus) -> "LearningStatus":
        """From the contract's message."""
        return cls(message.version, message.answers, message.outcomes, dict(message.belief), message.ready)


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What a server is and how it is doing."""

    version: str
    start_time: datetime
    ensembles: tuple[EnsembleStatus, ...]
    mode: OperatingMode
    poolings: tuple[str, ...]
    executions: tuple[str, ...]
    selections: tuple[str, ...]
    calibrations: tuple[str, ...]
    weightings: tuple[str, ...]
    learning: "LearningStatus"
    predictions_in_flight: int
    predictions_answered: int
    storage: str
    last_prediction: Prediction | None
    budgets: tuple[BudgetStatus, ...]
    mode_reason: str = ""

    @classmethod
    def from_message(cls, message: admin_service_pb2.GetStatusResponse) -> "ServerStatus":
        """From the contract's message."""
        answered = message.HasField("last_prediction")
        return cls(
            version=message.version,
            start_time=to_datetime(message.start_time),
            ensembles=tuple(map(EnsembleStatus.from_message, message.ensembles)),
            mode=_MODES[message.mode],
            poolings=tuple(message.poolings),
            executions=tuple(message.executions),
            selections=tuple(message.selections),
            calibrations=tuple(message.calibrations),
            weightings=tuple(message.weightings),
            learning=LearningStatus.from_message(message.learning),
            predictions_in_flight=message.predictions_in_flight,
            predictions_answered=message.predictions_answered,
            storage=message.storage,
            last_prediction=Prediction.from_message(message.last_prediction) if answered else None,
            budgets=tuple(map(BudgetStatus.from_message, message.budgets)),
            mode_reason=message.mode_status.reason,
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an ensemble; None where a figure means nothing."""

    name: str
    kind: str
    provider: str
    model: str
    enabled: bool
    weight: float
    timeout_s: float | None
    min_confidence: float
    accuracy: float | None
    mean_cost_nano_usd: int | None
    mean_latency_s: float | None
    answers: int
    absences: dict[str, int]
    etag: str
    circuit: str
    selection_state: str
    selection_reason: str
    profit_factor: float | None = None

    @classmethod
    def from_message(cls, message: admin_service_pb2.Member) -> "Member":
        """From the contract's message."""
        has = message.HasField
        return cls(
            name=message.name,
            kind=message.kind,
            provider=message.provider,
            model=message.model,
            enabled=message.enabled,
            weight=message.weight,
            timeout_s=to_seconds(message.timeout) if has("timeout") else None,
            min_confidence=message.min_confidence,
            accuracy=message.accuracy if has("accuracy") else None,
            mean_cost_nano_usd=message.mean_cost_nano_usd if has("mean_cost_nano_usd") else None,
            mean_latency_s=to_seconds(message.mean_latency) if has("mean_latency") else None,
            answers=message.answers,
            absences=dict(message.absences),
            etag=message.etag,
            circuit=message.circuit,
            selection_state=message.selection_state,
            selection_reason=message.selection_reason,
            profit_factor=message.profit_factor if has("profit_factor") else None,
        )
