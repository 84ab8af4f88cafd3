# SPDX-License-Identifier: Apache-2.0
"""What one member of an ensemble said, or why it said nothing."""

from dataclasses import dataclass
from enum import StrEnum

from consilience._enums import Numbers
from consilience._times import to_seconds
from consilience.v1 import forecast_pb2, money_pb2

__all__ = ["Absent", "AbsentReason", "Cost", "CostSource", "Forecast", "MemberAnswer", "TokenUsage"]


class CostSource(StrEnum):
    """Where the figure of a cost comes from, best first."""

    UNSPECIFIED = "unspecified"
    PROVIDER = "provider"
    PRICE_TABLE = "price_table"
    ESTIMATE = "estimate"
    SIMULATED = "simulated"


class AbsentReason(StrEnum):
    """Why there is no answer; a closed list, explained in ``forecast.proto``."""

    UNSPECIFIED = "unspecified"
    PROVIDER_CONNECTION_FAILED = "provider_connection_failed"
    PROVIDER_TIMEOUT = "provider_timeout"
    PROVIDER_SERVER_ERROR = "provider_server_error"
    PROVIDER_OVERLOADED = "provider_overloaded"
    PROVIDER_RATE_LIMITED = "provider_rate_limited"
    PROVIDER_BILLING = "provider_billing"
    PROVIDER_AUTH_FAILED = "provider_auth_failed"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_BAD_OUTPUT = "provider_bad_output"
    CALLER_MODEL_UNKNOWN = "caller_model_unknown"
    CALLER_INVALID_REQUEST = "caller_invalid_request"
    CALLER_CANCELLED = "caller_cancelled"
    POLICY_BUDGET_EXCEEDED = "policy_budget_exceeded"
    POLICY_RATE_LIMITED = "policy_rate_limited"
    POLICY_CIRCUIT_OPEN = "policy_circuit_open"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    NOT_APPLICABLE = "not_applicable"
    NOT_NEEDED = "not_needed"
    NOT_SELECTED = "not_selected"
    DISABLED = "disabled"
    INTERNAL = "internal"


_SOURCES = Numbers(CostSource, money_pb2.CostSource, "COST_SOURCE_")
_REASONS = Numbers(AbsentReason, forecast_pb2.AbsentReason, "ABSENT_REASON_")


@dataclass(frozen=True, slots=True)
class Cost:
    """Money, exact: billionths of a US dollar.

    >>> Cost(1_250_000, CostSource.PROVIDER).usd
    0.00125
    """

    nano_usd: int
    source: CostSource

    @property
    def usd(self) -> float:
        """The amount in US dollars."""
        return self.nano_usd / 1_000_000_000

    @classmethod
    def from_message(cls, message: money_pb2.Cost) -> "Cost":
        """From the contract's message."""
        return cls(message.nano_usd, _SOURCES[message.source])


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens in disjoint buckets; ``reasoning`` is part of ``output``."""

    input_uncached: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int
    estimated: bool

    @classmethod
    def from_message(cls, message: forecast_pb2.TokenUsage) -> "TokenUsage":
        """From the contract's message."""
        return cls(
            message.input_uncached,
            message.cache_read,
            message.cache_write,
            message.output,
            message.reasoning,
            message.estimated,
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """A member's answer: one probability for each outcome, in the question's order."""

    probabilities: tuple[float, ...]
    self_confidence: float | None = None
    rationale: str = ""
    model: str = ""
    text: str = ""
    usage: TokenUsage | None = None
    cached: bool = False
    recorded: bool = False
    expected_return_bps: float | None = None

    @classmethod
    def from_message(cls, message: forecast_pb2.Forecast) -> "Forecast":
        """From the contract's message."""
        return cls(
            probabilities=tuple(message.probabilities),
            self_confidence=message.self_confidence if message.HasField("self_confidence") else None,
            rationale=message.rationale,
            model=message.model,
            text=message.text,
            usage=TokenUsage.from_message(message.usage) if message.HasField("usage") else None,
            cached=message.cached,
            recorded=message.recorded,
            expected_return_bps=message.expected_return_bps
            if message.HasField("expected_return_bps")
            else None,
        )


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a member gave no forecast, with one sentence for people."""

    reason: AbsentReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """A member's part in an answer: exactly one of ``forecast`` and ``absent`` is set.

    ``weight`` is its share in the pool. ``contribution`` is how much it moved the
    probability of the chosen outcome: the pool with everyone minus the pool
    without it. ``latency_s`` and ``cost`` are None where they mean nothing, as
    for a recorded answer.
    """

    member: str
    forecast: Forecast | None
    absent: Absent | None
    weight: float
    contribution: float
    latency_s: float | None
    cost: Cost | None
    attempts: int

    @property
    def probability(self) -> float | None:
        """Its probability of the first outcome (binary: YES); None when absent."""
        answered = self.forecast is not None and self.forecast.probabilities
        return answered[0] if answered else None

    @classmethod
    def from_message(cls, message: forecast_pb2.MemberAnswer) -> "MemberAnswer":
        """From the contract's message."""
        present = message.WhichOneof("answer") == "forecast"
        return cls(
            member=message.member,
            forecast=Forecast.from_message(message.forecast) if present else None,
            absent=None if present else Absent(_REASONS[message.absent.reason], message.absent.detail),
            weight=message.weight,
            contribution=message.contribution,
            latency_s=to_seconds(message.latency) if message.HasField("latency") else None,
            cost=Cost.from_message(message.cost) if message.HasField("cost") else None,
            attempts=message.attempts,
        )
