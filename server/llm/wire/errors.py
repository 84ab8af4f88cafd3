# SPDX-License-Identifier: Apache-2.0
"""Error answers in our vocabulary. PROVIDERS section 6 is the source of every line."""

import re
from dataclasses import dataclass

from server.forecasting.forecast import AbsentReason
from server.llm.failures import Failure, Parameter
from server.llm.untrusted import visible
from server.llm.wire.headers import Headers, retry_after_s, should_retry

_BILLING = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "billing_hard_limit_reached",
        "enforced_spend_limit_reached",
        "spend_limit_exceeded",
        "billing_error",
    }
)
_FILTERED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_BY_KIND = {
    "overloaded_error": AbsentReason.PROVIDER_OVERLOADED,
    "UNAVAILABLE": AbsentReason.PROVIDER_OVERLOADED,
    "timeout_error": AbsentReason.PROVIDER_TIMEOUT,
    "DEADLINE_EXCEEDED": AbsentReason.PROVIDER_TIMEOUT,
    "rate_limit_error": AbsentReason.PROVIDER_RATE_LIMITED,
    "rate_limit_exceeded": AbsentReason.PROVIDER_RATE_LIMITED,
    "RESOURCE_EXHAUSTED": AbsentReason.PROVIDER_RATE_LIMITED,
    "authentication_error": AbsentReason.PROVIDER_AUTH_FAILED,
    "permission_error": AbsentReason.PROVIDER_AUTH_FAILED,
    "UNAUTHENTICATED": AbsentReason.PROVIDER_AUTH_FAILED,
    "PERMISSION_DENIED": AbsentReason.PROVIDER_AUTH_FAILED,
    "api_error": AbsentReason.PROVIDER_SERVER_ERROR,
    "server_error": AbsentReason.PROVIDER_SERVER_ERROR,
    "INTERNAL": AbsentReason.PROVIDER_SERVER_ERROR,
    "not_found_error": AbsentReason.CALLER_MODEL_UNKNOWN,
    "model_not_found": AbsentReason.CALLER_MODEL_UNKNOWN,
    "invalid_request_error": AbsentReason.CALLER_INVALID_REQUEST,
    "INVALID_ARGUMENT": AbsentReason.CALLER_INVALID_REQUEST,
}
_BY_STATUS = {
    401: AbsentReason.PROVIDER_AUTH_FAILED,
    402: AbsentReason.PROVIDER_BILLING,
    403: AbsentReason.PROVIDER_AUTH_FAILED,
    404: AbsentReason.CALLER_MODEL_UNKNOWN,
    408: AbsentReason.PROVIDER_TIMEOUT,
    429: AbsentReason.PROVIDER_RATE_LIMITED,
    500: AbsentReason.PROVIDER_SERVER_ERROR,
    502: AbsentReason.PROVIDER_OVERLOADED,
    503: AbsentReason.PROVIDER_OVERLOADED,
    504: AbsentReason.PROVIDER_TIMEOUT,
    529: AbsentReason.PROVIDER_OVERLOADED,
}
_TOO_LONG = re.compile(
    r"context.{0,20}(length|window)|prompt is too long|input token count.{0,40}exceeds", re.IGNORECASE
)
_UNSUPPORTED = re.compile(
    r"unsupported|not supported|does not support|unrecognized|unknown (name|parameter|field)"
    r"|deprecated|not permitted",
    re.IGNORECASE,
)
#: OpenRouter's 404 for a model that it knows: no upstream takes some part, and it does not say which.
_UNNAMED = re.compile(r"no endpoints found that can handle the requested parameters", re.IGNORECASE)
#: What the providers call the parameters that can be left out.
_PARAMETERS = (
    (re.compile(r"temperature"), Parameter.TEMPERATURE),
    (re.compile(r"reasoning|effort|thinking", re.IGNORECASE), Parameter.EFFORT),
    (
        re.compile(
            r"response_format|json_schema|output_config|output_format|text\.format|response_?schema|responseJsonSchema|responseMimeType",
            re.IGNORECASE,
        ),
        Parameter.SCHEMA,
    ),
    (re.compile(r"\bseed\b"), Parameter.SEED),
    (re.compile(r"max_(completion_|output_)?tokens|maxOutputTokens"), Parameter.MAX_TOKENS),
    (re.compile(r"stream_options|include_obfuscation"), Parameter.STREAM_OPTIONS),
)
#: Longest code and longest message that are kept, in characters.
_NAME, _DETAIL = 100, 300


@dataclass(frozen=True, slots=True)
class Said:
    """An error as the provider words it."""

    message: str = ""
    kind: str = ""
    code: str = ""
    parameter: str = ""
    wait_s: float | None = None
    billing: bool = False


def classify(status: int, said: Said, headers: Headers) -> Failure:
    """The failure that a status and an error body mean."""
    wait_s = retry_after_s(headers)
    wait_s = said.wait_s if wait_s is None else wait_s
    reason = _reason(status, said, wait_s)
    return Failure(
        reason,
        _detail(status, said),
        status=status,
        retry_after_s=wait_s,
        parameter=_parameter(said) if reason is AbsentReason.CALLER_INVALID_REQUEST else None,
        retry=should_retry(headers),
        unnamed_parameter=bool(_UNNAMED.search(said.message)),
        too_long=reason is AbsentReason.CALLER_INVALID_REQUEST and _is_too_long(said),
    )


def _reason(status: int, said: Said, wait_s: float | None) -> AbsentReason:
    if said.billing or said.code in _BILLING or said.kind in _BILLING:
        return AbsentReason.PROVIDER_BILLING
    if said.code in _FILTERED or said.kind in _FILTERED:
        return AbsentReason.PROVIDER_REFUSED
    if status == 402 and wait_s is not None:
        return AbsentReason.PROVIDER_RATE_LIMITED
    if _UNNAMED.search(said.message):
        return AbsentReason.CALLER_INVALID_REQUEST
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    named = _BY_KIND.get(said.code) or _BY_KIND.get(said.kind)
    return named or (
        AbsentReason.PROVIDER_SERVER_ERROR
        if status >= 500 or status < 400
        else AbsentReason.CALLER_INVALID_REQUEST
    )


def _parameter(said: Said) -> Parameter | None:
    """The parameter that was refused as such, not for its value."""
    if _is_too_long(said) or not (said.code == "unsupported_parameter" or _UNSUPPORTED.search(said.message)):
        return None
    for text in (said.parameter, said.message):
        for pattern, parameter in _PARAMETERS:
            if text and pattern.search(text):
                return parameter
    return None


def _is_too_long(said: Said) -> bool:
    return said.code == "context_length_exceeded" or bool(_TOO_LONG.search(said.message))


def _detail(status: int, said: Said) -> str:
    what = visible(said.code or said.kind, _NAME + 1)
    what = what if len(what) <= _NAME else ""  # a longer one is none
    message = " ".join(visible(said.message, _DETAIL).split())
    return f"HTTP {status}{f' {what}' if what else ''}{f': {message}' if message else ''}"
