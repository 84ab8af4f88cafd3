# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with one attempt, in our words."""

from dataclasses import dataclass, replace
from enum import StrEnum

from server.forecasting.forecast import AbsentReason


class Parameter(StrEnum):
    """Optional parts of a request that a model may refuse, and that can be left out."""

    TEMPERATURE = "temperature"
    SCHEMA = "schema"
    SEED = "seed"
    EFFORT = "effort"
    MAX_TOKENS = "max_tokens"
    STREAM_OPTIONS = "stream_options"


#: So much of a secret at the end of a text that was cut is blotted out, too.
_TELLING = 4


def _blotted(text: str, secret: str) -> str:
    if not secret:
        return text
    text = text.replace(secret, "***")
    for length in range(min(len(secret), len(text)), _TELLING - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + "***"
    return text


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt gave no answer.

    ``retry_after_s`` is the wait that the provider asked for. ``parameter`` is
    the part of the request that it refused. ``retry`` is the provider's own word
    on retrying, where it gave one. ``billed`` says whether the attempt may cost
    money although it failed. ``too_long``: the prompt is more than the model takes;
    a larger one may take it. ``unnamed_parameter``: it refused a part of the request
    and did not say which.
    """

    reason: AbsentReason
    detail: str = ""
    status: int | None = None
    retry_after_s: float | None = None
    parameter: Parameter | None = None
    retry: bool | None = None
    billed: bool = False
    too_long: bool = False
    unnamed_parameter: bool = False

    @property
    def may_be_mended_elsewhere(self) -> bool:
        """Whether another model or provider may do better."""
        return self.reason in _ELSEWHERE or self.too_long

    def without(self, *secrets: str) -> "Failure":
        """The same with ``secrets`` blotted out: some gateways repeat the key in their errors."""
        detail = self.detail
        for secret in secrets:
            detail = _blotted(detail, secret)
        return self if detail == self.detail else replace(self, detail=detail)


#: Failures that count against the health of a model; PROVIDERS section 6.
BREAKING = frozenset(
    {
        AbsentReason.PROVIDER_CONNECTION_FAILED,
        AbsentReason.PROVIDER_TIMEOUT,
        AbsentReason.PROVIDER_SERVER_ERROR,
        AbsentReason.PROVIDER_OVERLOADED,
    }
)

#: What another provider may mend: providers' own faults and our own closed doors, but no refusal to answer.
_ELSEWHERE = BREAKING | {
    AbsentReason.PROVIDER_RATE_LIMITED,
    AbsentReason.PROVIDER_BILLING,
    AbsentReason.PROVIDER_AUTH_FAILED,
    AbsentReason.PROVIDER_BAD_OUTPUT,
    AbsentReason.CALLER_MODEL_UNKNOWN,
    AbsentReason.POLICY_RATE_LIMITED,
    AbsentReason.POLICY_CIRCUIT_OPEN,
}
