# SPDX-License-Identifier: Apache-2.0
"""What happened, and how well members did."""

from collections.abc import Mapping
from dataclasses import dataclass

from consilience._times import to_seconds
from consilience.v1 import admin_service_pb2

__all__ = ["ErrorCorrelation", "OutcomeResult", "Performance", "PerformanceReport"]


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """What became of a resolution; ``error`` says why it was refused and is empty where it was not."""

    question_id: str
    version: int
    scored_forecasts: int
    error: str

    @classmethod
    def from_message(cls, message: admin_service_pb2.RecordOutcomeResult) -> "OutcomeResult":
        """From the contract's message."""
        return cls(message.question_id, message.version, message.scored_forecasts, message.error)


@dataclass(frozen=True, slots=True)
class Performance:
    """How well a member did in one cell over one window; empty parts of the cell mean "all".

    Accuracy, Brier, log score and excess are drawn towards wider cells where answers are few;
    None where a figure means nothing. ``admin_service.proto`` explains each.
    """

    member: str
    category: str
    regime: str
    horizon: str
    window: str
    count: int
    accuracy: float
    brier: float
    log_score: float
    excess: float
    bias: float
    calibration_slope: float
    calibration_error: float
    mean_latency_s: float | None
    mean_cost_nano_usd: int | None
    profit_factor: float | None
    contribution: float | None

    @classmethod
    def from_message(cls, message: admin_service_pb2.Performance) -> "Performance":
        """From the contract's message."""
        has = message.HasField
        return cls(
            member=message.member,
            category=message.category,
            regime=message.regime,
            horizon=message.horizon,
            window=message.window,
            count=message.count,
            accuracy=message.accuracy,
            brier=message.brier,
            log_score=message.log_score,
            excess=message.excess,
            bias=message.bias,
            calibration_slope=message.calibration_slope,
            calibration_error=message.calibration_error,
            mean_latency_s=to_seconds(message.mean_latency) if has("mean_latency") else None,
            mean_cost_nano_usd=message.mean_cost_nano_usd if has("mean_cost_nano_usd") else None,
            profit_factor=message.profit_factor if has("profit_factor") else None,
            contribution=message.contribution if has("contribution") else None,
        )


@dataclass(frozen=True, slots=True)
class ErrorCorrelation:
    """Who errs with whom; ``effective_members``: how many independent ones they are worth."""

    members: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    effective_members: float

    @classmethod
    def from_message(cls, message: admin_service_pb2.ErrorCorrelation) -> "ErrorCorrelation":
        """From the contract's message."""
        size = len(message.members)
        flat = tuple(message.values)
        rows = tuple(flat[start : start + size] for start in range(0, size * size, size or 1))
        return cls(tuple(message.members), rows, message.effective_members)

    def of(self, first: str, second: str) -> float:
        """The correlation of two members' errors; NaN where they share too few questions.

        Raises:
            ValueError: one of them is not among the members.
        """
        return self.values[self.members.index(first)][self.members.index(second)]


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """All rows that were wanted; ``correlation`` is None before any outcome."""

    performances: tuple[Performance, ...]
    correlation: ErrorCorrelation | None

    def overall(self, window: str = "all") -> Mapping[str, Performance]:
        """Each member over all categories, horizons and regimes."""
        return {
            row.member: row
            for row in self.performances
            if row.window == window and not (row.category or row.horizon or row.regime)
        }
