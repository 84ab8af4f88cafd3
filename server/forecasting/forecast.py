# SPDX-License-Identifier: Apache-2.0
"""What a forecaster answers: a forecast, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from server.forecasting.computation import Computation


class AbsentReason(StrEnum):
    """Closed list; the values are ``error.type`` in metrics and reasons in errors."""

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


class CostSource(StrEnum):
    """Where a cost comes from, best first."""

    PROVIDER = "provider"
    PRICE_TABLE = "price_table"
    ESTIMATE = "estimate"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Cost:
    """Money in integer billionths of a US dollar."""

    nano_usd: int
    source: CostSource

    @staticmethod
    def total(costs: "list[Cost]") -> "Cost | None":
        """Sum of the costs, as uncertain as the least certain of them; None of none."""
        if not costs:
            return None
        order = list(CostSource)
        worst = max((cost.source for cost in costs), key=order.index)
        return Cost(sum(cost.nano_usd for cost in costs), worst)


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens in disjoint buckets; ``reasoning`` is part of ``output``."""

    input_uncached: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecaster's answer.

    ``probabilities`` has one entry for each outcome of the question and sums to
    1; for a numeric question it holds the cumulative probabilities at the grid
    points. ``text`` is the answer to a free-text question as it was given.
    ``raw`` is what the forecaster really said, kept for the record. ``price``: it is
    the market's price, which is trusted by rules of its own. ``fallback`` names the
    forecaster that answered in the member's place. ``inner`` is how an inner
    ensemble came to it. ``group``: the answer of another member that says the same
    as ``text``, where meanings are compared; empty: its own.
    """

    probabilities: tuple[float, ...]
    self_confidence: float | None = None
    rationale: str = ""
    model: str = ""
    text: str = ""
    raw: str = ""
    usage: TokenUsage | None = None
    cost: Cost | None = None
    attempts: int = 1
    cached: bool = False
    recorded: bool = False
    expected_return_bps: float | None = None
    prompt_hash: str = ""
    price: bool = False
    fallback: str = ""
    inner: "Inner | None" = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """Why there is no forecast. ``cost`` is what the attempts cost all the same."""

    reason: AbsentReason
    detail: str = ""
    cost: Cost | None = None
    usage: TokenUsage | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Inner:
    """How an ensemble that is a member of another came to its forecast: for replay.

    ``answers`` are those of its own members, in the order of the computation's seats.
    """

    computation: Computation
    answers: tuple[Forecast | Absent, ...]


Answer = Forecast | Absent

#: Reasons that mean "was never asked"; such members are no part of the vote.
NOT_ASKED = frozenset({AbsentReason.NOT_NEEDED, AbsentReason.NOT_SELECTED, AbsentReason.DISABLED})
#: Absences that say nothing of a member's health: nobody asked it, the question was not for it or not well
#: put, our own money or limits kept it from answering, or the caller hung up.
NOBODYS_FAULT = NOT_ASKED | {
    AbsentReason.NOT_APPLICABLE,
    AbsentReason.CALLER_INVALID_REQUEST,
    AbsentReason.CALLER_CANCELLED,
    AbsentReason.POLICY_BUDGET_EXCEEDED,
    AbsentReason.POLICY_RATE_LIMITED,
}


def absence_reasons(answers: Mapping[str, Answer]) -> dict[str, str]:
    """Each absent member's reason, by name."""
    return {name: answer.reason.value for name, answer in answers.items() if isinstance(answer, Absent)}
