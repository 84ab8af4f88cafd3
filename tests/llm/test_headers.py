# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from server.llm.wire.headers import (
    RateLimit,
    RateLimits,
    anthropic_limits,
    duration_s,
    fold,
    openai_limits,
    retry_after_s,
    should_retry,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3s", 3723.0),
        ("17.5s", 17.5),
        ("1m30.5s", 90.5),
        ("3", 3.0),
        ("", None),
        ("soon", None),
        ("5x", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_s(text) == (pytest.approx(seconds) if seconds is not None else None)


def test_waits() -> None:
    assert retry_after_s({}) is None
    assert retry_after_s({"retry-after": "1.5"}) == 1.5
    assert retry_after_s({"retry-after": "2", "retry-after-ms": "250"}) == 0.25
    assert retry_after_s({"retry-after": "-3"}) == 0.0
    assert retry_after_s({"retry-after": "tomorrow"}) is None
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after_s({"retry-after": in_a_minute}) == pytest.approx(60, abs=5)


@pytest.mark.parametrize("text", ["inf", "nan", "-inf", "1e999"])
def test_what_python_takes_for_a_number_and_nobody_else(text: str) -> None:
    assert retry_after_s({"retry-after": text}) is None
    assert retry_after_s({"retry-after-ms": text}) is None
    assert duration_s(text) is None
    good = {"limit": "500", "remaining": "499", "reset": "1s"}
    for part in good:
        headers = {f"x-ratelimit-{name}-requests": value for name, value in {**good, part: text}.items()}
        assert openai_limits(headers) == RateLimits(None, None)


def test_the_providers_word_on_retrying() -> None:
    given = [should_retry({"x-should-retry": word}) for word in ("true", "false", "perhaps")]
    assert given == [True, False, None]


def test_openai_limits() -> None:
    headers = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-limit-tokens": "-1",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "0s",
    }
    assert openai_limits(headers) == RateLimits(RateLimit(500, 499, 0.12), None)
    assert openai_limits({}) is None


def test_anthropic_limits() -> None:
    reset = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    headers = {
        f"anthropic-ratelimit-{name}-{part}": value
        for name, limit, left in (
            ("requests", "50", "49"),
            ("tokens", "9000", "8000"),
            ("input-tokens", "5000", "7"),
        )
        for part, value in (("limit", limit), ("remaining", left), ("reset", reset))
    }
    made = anthropic_limits(headers)
    assert made is not None
    assert made.requests is not None
    assert made.tokens is not None
    assert (made.requests.limit, made.requests.remaining) == (50, 49)
    assert made.requests.reset_s == pytest.approx(30, abs=5)
    assert made.tokens.remaining == 7, "the tighter one"
    only_tokens = {name: value for name, value in headers.items() if "-requests-" not in name}
    alone = anthropic_limits(only_tokens)
    assert alone is not None
    assert alone.requests is None
    assert alone.tokens is not None
    assert alone.tokens.remaining == 7, "none of the headers can be relied on"
    assert anthropic_limits({"anthropic-ratelimit-requests-remaining": "?"}) is None


def test_folding_ignores_case() -> None:
    assert fold([(b"X-Request-Id", b"a"), (b"x-request-id", b"b")]) == {"x-request-id": "b"}
