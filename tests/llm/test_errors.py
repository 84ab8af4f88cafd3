# SPDX-License-Identifier: Apache-2.0
"""Error bodies as seen in the wild, in each provider's words."""

from typing import Any

import pytest

from server.forecasting.forecast import AbsentReason
from server.llm.failures import Parameter
from server.llm.flavours import FLAVOURS
from server.llm.settings import Format
from server.llm.wire.formats import make_wire

R = AbsentReason
OPENAI = make_wire(Format.OPENAI_CHAT, FLAVOURS["openai"])
ROUTER = make_wire(Format.OPENAI_CHAT, FLAVOURS["openrouter"])
CLAUDE = make_wire(Format.ANTHROPIC_MESSAGES, FLAVOURS["anthropic"])
GEMINI = make_wire(Format.GEMINI, FLAVOURS["gemini"])


def openai(
    code: str | None, kind: str = "invalid_request_error", message: str = "No.", param: str | None = None
) -> Any:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def claude(kind: str, message: str = "No.", **more: Any) -> Any:
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_1"}


def gemini(code: int, status: str, message: str = "No.", *details: Any) -> Any:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


CASES: list[tuple[Any, int, Any, AbsentReason]] = [
    (OPENAI, 429, openai("insufficient_quota", "insufficient_quota"), R.PROVIDER_BILLING),
    (OPENAI, 429, openai("rate_limit_exceeded", "tokens"), R.PROVIDER_RATE_LIMITED),
    (OPENAI, 401, openai("invalid_api_key"), R.PROVIDER_AUTH_FAILED),
    (OPENAI, 404, openai("model_not_found"), R.CALLER_MODEL_UNKNOWN),
    (OPENAI, 400, openai("content_policy_violation"), R.PROVIDER_REFUSED),
    (OPENAI, 400, openai("context_length_exceeded"), R.CALLER_INVALID_REQUEST),
    (OPENAI, 500, openai(None, "server_error"), R.PROVIDER_SERVER_ERROR),
    (OPENAI, 503, "upstream connect error", R.PROVIDER_OVERLOADED),
    (OPENAI, 502, "<html>bad gateway</html>", R.PROVIDER_OVERLOADED),
    (OPENAI, 418, {}, R.CALLER_INVALID_REQUEST),
    (OPENAI, 599, [], R.PROVIDER_SERVER_ERROR),
    (OPENAI, 302, "", R.PROVIDER_SERVER_ERROR),
    (OPENAI, 200, {"error": "plain text"}, R.PROVIDER_SERVER_ERROR),
    (ROUTER, 402, {"error": {"code": 402, "message": "Insufficient credits"}}, R.PROVIDER_BILLING),
    (
        ROUTER,
        403,
        {"error": {"code": 403, "message": "x", "metadata": {"reasons": ["hate"]}}},
        R.PROVIDER_REFUSED,
    ),
    (ROUTER, 403, {"error": {"code": 403, "message": "x", "metadata": None}}, R.PROVIDER_AUTH_FAILED),
    (CLAUDE, 529, claude("overloaded_error"), R.PROVIDER_OVERLOADED),
    (CLAUDE, 200, claude("overloaded_error"), R.PROVIDER_OVERLOADED),
    (CLAUDE, 200, claude("api_error"), R.PROVIDER_SERVER_ERROR),
    (CLAUDE, 200, claude("timeout_error"), R.PROVIDER_TIMEOUT),
    (CLAUDE, 429, claude("rate_limit_error"), R.PROVIDER_RATE_LIMITED),
    (
        CLAUDE,
        429,
        claude("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}),
        R.PROVIDER_BILLING,
    ),
    (
        CLAUDE,
        400,
        claude("invalid_request_error", "Your credit balance is too low to access"),
        R.PROVIDER_BILLING,
    ),
    (
        CLAUDE,
        400,
        claude("invalid_request_error", "Output blocked by content filtering policy"),
        R.PROVIDER_REFUSED,
    ),
    (CLAUDE, 403, claude("permission_error"), R.PROVIDER_AUTH_FAILED),
    (CLAUDE, 404, claude("not_found_error", "model: claude-0"), R.CALLER_MODEL_UNKNOWN),
    (GEMINI, 503, gemini(503, "UNAVAILABLE"), R.PROVIDER_OVERLOADED),
    (GEMINI, 503, [gemini(503, "UNAVAILABLE")], R.PROVIDER_OVERLOADED),
    (GEMINI, 200, [gemini(503, "UNAVAILABLE")], R.PROVIDER_OVERLOADED),
    (GEMINI, 429, gemini(429, "RESOURCE_EXHAUSTED", "q", {"retryDelay": "17s"}), R.PROVIDER_RATE_LIMITED),
    (
        GEMINI,
        429,
        gemini(429, "RESOURCE_EXHAUSTED", "q", {"violations": [{"quotaId": "XPerDayY"}]}),
        R.PROVIDER_BILLING,
    ),
    (
        GEMINI,
        400,
        gemini(400, "INVALID_ARGUMENT", "bad key", {"reason": "API_KEY_INVALID"}),
        R.PROVIDER_AUTH_FAILED,
    ),
    (GEMINI, 403, gemini(403, "PERMISSION_DENIED"), R.PROVIDER_AUTH_FAILED),
    (GEMINI, 504, gemini(504, "DEADLINE_EXCEEDED"), R.PROVIDER_TIMEOUT),
    (GEMINI, 500, gemini(500, "INTERNAL"), R.PROVIDER_SERVER_ERROR),
]


@pytest.mark.parametrize(("wire", "status", "body", "reason"), CASES)
def test_reasons(wire: Any, status: int, body: Any, reason: AbsentReason) -> None:
    made = wire.failure(status, body, {})
    assert made.reason is reason
    assert made.detail.startswith(f"HTTP {made.status}")


@pytest.mark.parametrize(
    ("wire", "body", "parameter"),
    [
        (OPENAI, openai("unsupported_parameter", param="temperature"), Parameter.TEMPERATURE),
        (
            OPENAI,
            openai(
                "unsupported_value",
                message="'temperature' does not support 0 with this model.",
                param="temperature",
            ),
            Parameter.TEMPERATURE,
        ),
        (
            OPENAI,
            openai(
                None,
                message="Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens'.",
            ),
            Parameter.MAX_TOKENS,
        ),
        (
            OPENAI,
            openai(None, message="response_format json_schema is not supported by this model"),
            Parameter.SCHEMA,
        ),
        (OPENAI, openai(None, message="reasoning_effort: unknown parameter"), Parameter.EFFORT),
        (
            CLAUDE,
            claude("invalid_request_error", "output_config.format: Extra inputs are not permitted"),
            Parameter.SCHEMA,
        ),
        (
            GEMINI,
            gemini(400, "INVALID_ARGUMENT", 'Unknown name "responseJsonSchema": Cannot find field.'),
            Parameter.SCHEMA,
        ),
        (
            OPENAI,
            openai("invalid_value", message="temperature must be between 0 and 2", param="temperature"),
            None,
        ),
        (OPENAI, openai("context_length_exceeded", message="max_tokens too large: not supported"), None),
        (
            GEMINI,
            gemini(400, "INVALID_ARGUMENT", "The input token count (2) exceeds the maximum supported"),
            None,
        ),
        (
            CLAUDE,
            claude("invalid_request_error", "max_tokens: must be greater than thinking.budget_tokens"),
            None,
        ),
    ],
)
def test_refused_parameters(wire: Any, body: Any, parameter: Parameter | None) -> None:
    made = wire.failure(400, body, {})
    assert (made.reason, made.parameter) == (R.CALLER_INVALID_REQUEST, parameter)


def test_a_402_that_says_when_to_come_back_is_a_rate_limit() -> None:
    made = ROUTER.failure(402, {"error": {"code": 402, "message": "in flight"}}, {"retry-after": "2"})
    assert (made.reason, made.retry_after_s) == (R.PROVIDER_RATE_LIMITED, 2.0)


def test_a_wait_in_the_body_counts() -> None:
    body = gemini(429, "RESOURCE_EXHAUSTED", "q", {"retryDelay": "17.5s"})
    assert GEMINI.failure(429, body, {}).retry_after_s == 17.5


def test_details_are_short_and_on_one_line() -> None:
    made = OPENAI.failure(400, openai(None, message="a\n" * 5_000), {})
    assert len(made.detail) < 400
    assert "\n" not in made.detail
