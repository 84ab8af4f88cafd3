# SPDX-License-Identifier: Apache-2.0
"""Response headers: retry advice and rate limits, none of which can be relied on."""

import math
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Headers = Mapping[str, str]

_DURATION = re.compile(
    r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One allowance: how much, how much is left, and seconds until it is whole again."""

    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The allowances of a key for a model, as the provider last said."""

    requests: RateLimit | None = None
    tokens: RateLimit | None = None


def fold(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; of repeated ones the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def retry_after_s(headers: Headers) -> float | None:
    """The wait that the provider asks for, in seconds; None where it asks for none."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return max(0.0, milliseconds / 1e3)
    given = headers.get("retry-after")
    if given is None:
        return None
    if (seconds := _number(given)) is not None:
        return max(0.0, seconds)
    return _until(_http_date(given))


def should_retry(headers: Headers) -> bool | None:
    """The provider's own word, which overrides what the status says."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", ""))


def openai_limits(headers: Headers) -> RateLimits | None:
    """``x-ratelimit-*``; resets are durations such as ``6m0s``."""
    if "x-ratelimit-remaining-requests" not in headers and "x-ratelimit-remaining-tokens" not in headers:
        return None
    return RateLimits(_openai(headers, "requests"), _openai(headers, "tokens"))


def anthropic_limits(headers: Headers) -> RateLimits | None:
    """``anthropic-ratelimit-*``; resets are instants. The tighter of the token limits counts."""
    requests = _anthropic(headers, "requests")
    tokens = [found for name in ("tokens", "input-tokens") if (found := _anthropic(headers, name))]
    tightest = min(tokens, key=lambda one: one.remaining, default=None)
    return None if requests is None and tightest is None else RateLimits(requests, tightest)


def duration_s(text: str) -> float | None:
    """``1s``, ``6m0s``, ``120ms``, ``17.5s`` or a bare number, in seconds; None if it is none of them."""
    if (bare := _number(text)) is not None:
        return bare
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1e3


def _openai(headers: Headers, name: str) -> RateLimit | None:
    return _limit(
        headers.get(f"x-ratelimit-limit-{name}"),
        headers.get(f"x-ratelimit-remaining-{name}"),
        duration_s(headers.get(f"x-ratelimit-reset-{name}", "")),
    )


def _anthropic(headers: Headers, name: str) -> RateLimit | None:
    prefix = f"anthropic-ratelimit-{name}"
    reset = headers.get(f"{prefix}-reset")
    return _limit(
        headers.get(f"{prefix}-limit"),
        headers.get(f"{prefix}-remaining"),
        _until(_rfc3339(reset)) if reset else None,
    )


def _limit(limit: str | None, remaining: str | None, reset_s: float | None) -> RateLimit | None:
    """None unless all three make sense; some gateways send 0 and -1 for "no limit"."""
    most, left = _number(limit), _number(remaining)
    if most is None or left is None or reset_s is None or most <= 0 or left < 0:
        return None
    return RateLimit(int(most), int(left), reset_s)


def _number(text: str | None) -> float | None:
    """A finite number; Python also reads "inf" and "nan", which are no waits and no limits."""
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None


def _rfc3339(text: str) -> float | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when.replace(tzinfo=when.tzinfo or UTC).timestamp()


def _until(instant: float | None) -> float | None:
    return None if instant is None else max(0.0, instant - time.time())
