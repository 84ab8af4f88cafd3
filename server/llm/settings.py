# SPDX-License-Identifier: Apache-2.0
"""Settings of providers and of the models asked there."""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator


class _Settings(BaseModel):
    # Input is hidden in errors: a key pasted where a reference belongs must not be echoed.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _is_reference(value: str) -> str:
    scheme, _, rest = value.partition(":")
    if scheme not in ("env", "file") or not rest:
        raise ValueError("give a reference, env:NAME or file:/path, not the secret itself")
    return value


#: RFC 9110, section 5: a header's name is a token, its value visible ASCII.
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
#: Names of headers whose values are secrets.
_SECRET_HEADER = re.compile(r"authorization|cookie|key|token|secret|password|credential", re.IGNORECASE)
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def _holds_no_password(value: str) -> str:
    if "@" in urlsplit(value).netloc:
        raise ValueError("no user and password in the address: give them by reference, in 'key' or 'headers'")
    return value


def _is_proxy(value: str) -> str:
    if value.startswith(("env:", "file:")):
        return _is_reference(value)
    parts = urlsplit(value)
    if parts.scheme not in _PROXY_SCHEMES or not parts.hostname:
        raise ValueError(f"give the proxy's address, with one of {', '.join(_PROXY_SCHEMES)}, or a reference")
    if "@" in parts.netloc:
        raise ValueError("an address with a password goes by reference, env:NAME or file:/path")
    return value


def _be_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise ValueError(f"{name!r} is no header's name: letters, digits and - make one")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"{name}: the value may hold visible ASCII characters and spaces, nothing else")
        if _SECRET_HEADER.search(name) and not value.startswith(("env:", "file:")):
            raise ValueError(f"{name}: give a reference, env:NAME or file:/path, not the secret itself")
    return headers


#: Where a secret is found: ``env:NAME`` or ``file:/path``.
SecretReference = Annotated[str, AfterValidator(_is_reference)]


class Format(StrEnum):
    """Wire formats."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    ANTHROPIC_MESSAGES = "anthropic_messages"
    GEMINI = "gemini"


class Transport(StrEnum):
    """What carries the bytes under httpx2. ADR 2 has the measurement."""

    AIOHTTP = "aiohttp"
    HTTPX2 = "httpx2"


class Policy(StrEnum):
    """How far a provider is trusted with what a question holds; see ``privacy.py``."""

    STRICT = "strict"
    STANDARD = "standard"
    TRUSTED = "trusted"
    LOCAL = "local"


class PriceSettings(_Settings):
    """US dollars for a million tokens; overrides the shipped price table."""

    input: float = Field(ge=0, description="tokens of the prompt that no cache held")
    output: float = Field(ge=0, description="tokens of the answer, reasoning included")
    cache_read: float | None = Field(default=None, ge=0, description="none: as input")
    cache_write: float | None = Field(default=None, ge=0, description="none: as input")


class LimitSettings(_Settings):
    """What we allow ourselves, for each key and model. The provider's headers tighten it further."""

    concurrency: int | None = Field(default=None, ge=1, description="calls in flight")
    requests_per_minute: int | None = Field(
        default=None, ge=1, description="calls begun in a minute; none: only the provider's own limit"
    )
    tokens_per_minute: int | None = Field(
        default=None, ge=1, description="of prompts and answers at most, as reserved before each call"
    )
    queue: int = Field(default=256, ge=0, description="calls that may wait; more are refused at once")


class BreakerSettings(_Settings):
    """When a model is left alone for a while, and how it comes back."""

    enabled: bool = Field(default=True, description="false: no failure ever keeps calls back")
    window_s: float = Field(default=30.0, gt=0, description="rates are those of the last so many seconds")
    min_calls: int = Field(default=10, ge=1, description="calls in the window before rates count")
    failure_rate: float = Field(
        default=0.5, gt=0, le=1, description="share of failed calls in the window that opens it"
    )
    slow_call_s: float | None = Field(default=None, gt=0, description="a call this long is slow; none: off")
    slow_rate: float = Field(
        default=0.8, gt=0, le=1, description="share of slow calls in the window that opens it"
    )
    consecutive_failures: int = Field(default=5, ge=1, description="failures in a row that open it at once")
    open_s: float = Field(default=5.0, gt=0, description="doubles with each failed return")
    max_open_s: float = Field(default=120.0, gt=0, description="longest time open, however often it fails")
    trial_calls: int = Field(default=2, ge=1, description="successes in a row that end the trial")
    ramp_s: float = Field(default=10.0, ge=0, description="time to full load after the trial")


class TimeoutSettings(_Settings):
    """Limits within the deadline, seconds."""

    connect_s: float = Field(default=1.0, gt=0, description="to an open connection")
    first_byte_s: float | None = Field(default=None, gt=0, description="to the first word of a stream")
    idle_s: float | None = Field(default=None, gt=0, description="between words of a stream")
    total_s: float = Field(default=30.0, gt=0, description="one attempt")


class RetrySettings(_Settings):
    """When another attempt is worth it."""

    max_attempts: int = Field(
        default=3, ge=1, le=10, description="for one answer, the first included; 1: no retry"
    )
    min_left_s: float = Field(default=0.05, ge=0, description="less time than this is not worth an attempt")


class ProviderSettings(_Settings):
    """One account at one provider, or a server of your own."""

    format: Format = Field(default=Format.OPENAI_CHAT, description="wire format that it speaks")
    base_url: Annotated[str, AfterValidator(_holds_no_password)] = Field(
        pattern=r"^https?://\S+$", description="address up to, without, the format's own path"
    )
    key: SecretReference | None = Field(
        default=None, description="reference to the API key, env:NAME or file:/path; none: it needs none"
    )
    keys: tuple[SecretReference, ...] = Field(
        default=(), description="references to further keys; calls take turns, refused ones rest"
    )
    flavour: str = Field(default="", description="openai, openrouter, xai, local, ...; empty: by address")
    policy: Policy = Field(default=Policy.STANDARD, description="how much of a question it may be shown")
    allow: tuple[str, ...] | None = Field(default=None, description="replaces the policy's list of fields")
    headers: Annotated[dict[str, str], AfterValidator(_be_headers)] = Field(
        default_factory=dict, description="sent with every request; values may be references, secrets must"
    )
    transport: Transport = Field(
        default=Transport.AIOHTTP, description="what carries the bytes under httpx2; docs/adr/0002"
    )
    max_connections: int = Field(default=512, ge=1, description="open at a time")
    keep_alive_s: float = Field(default=90.0, ge=0, description="an idle connection is kept so long")
    verify_tls: bool = Field(default=True, description="false: its certificate is not checked")
    ca_file: str | None = Field(
        default=None, description="PEM file of the authorities to trust; none: the usual ones"
    )
    proxy: Annotated[str, AfterValidator(_is_proxy)] | None = Field(
        default=None, description="address, or a reference to one that holds a password"
    )
    timeouts: TimeoutSettings = TimeoutSettings()
    limits: LimitSettings = LimitSettings()
    breaker: BreakerSettings = BreakerSettings()
    retries: RetrySettings = RetrySettings()
    prices: dict[str, PriceSettings] = Field(default_factory=dict, description="by model")
    warm_connections: int = Field(default=1, ge=0, description="opened before the first question")
    warm_kinds: tuple[Literal["binary", "numeric", "free_text"], ...] = Field(
        default=(), description="questions asked at start, one paid call for each model and kind"
    )
    probe_s: float = Field(default=5.0, gt=0, description="between looks at a provider in trouble")

    @property
    def references(self) -> tuple[str, ...]:
        """All keys' references."""
        return (*((self.key,) if self.key else ()), *self.keys)


class EmbeddingSettings(_Settings):
    """The model that tells which free-text answers mean the same."""

    provider: str = Field(min_length=1, description="name of a provider in [providers]")
    model: str = Field(min_length=1, description="embedding model, in the provider's words")
    min_similarity: float = Field(
        default=0.8, ge=0, le=1, description="cosine from which two answers are one"
    )
    timeout_s: float = Field(
        default=0.5, gt=0, le=30, description="longest wait; then words and letters decide"
    )
    price: PriceSettings | None = None


_CAP = "set max_output_tokens, from which the most that a call can cost is known"
_MANY = "it multiplies what a call costs; name the model in several [forecasters] for several answers"
_ASKED = "the server writes it"
#: What 'extra' must not say: the bound of a call's cost would not hold, or the call would be another one.
_OURS: dict[str, str] = {
    "max_tokens": _CAP,
    "max_completion_tokens": _CAP,
    "max_output_tokens": _CAP,
    "maxOutputTokens": _CAP,
    "n": _MANY,
    "candidateCount": _MANY,
    "stream": "set stream",
    "model": "set model",
    **dict.fromkeys(("messages", "input", "instructions", "contents", "systemInstruction"), _ASKED),
}


class ChatSettings(_Settings):
    """One model as a member."""

    kind: Literal["chat"] = "chat"
    provider: str = Field(min_length=1, description="name of a provider in [providers]")
    model: str = Field(min_length=1, description="model in the provider's words")
    prompt: str = Field(default="forecast-1", description="name of a shipped prompt, or a path to one")
    variants: dict[str, float] = Field(default_factory=dict, description="prompts and their weights, for A/B")
    max_output_tokens: int = Field(
        default=512, ge=16, description="longest answer; bounds what a call can cost"
    )
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="of sampling; none: the provider's own"
    )
    seed: int | None = Field(default=None, description="of sampling; none: not sent")
    effort: str | None = Field(default=None, description="reasoning effort in the provider's words")
    stream: bool = Field(default=False, description="read the answer as it is written")
    early: Literal["never", "at_deadline", "at_once"] = Field(
        default="at_deadline", description="when a stream's answer may be used before its end"
    )
    schema_mode: Literal["native", "tool", "words"] = Field(
        default="native", description="how the answer's form is asked for; tool: anthropic_messages only"
    )
    unsupported: tuple[str, ...] = Field(default=(), description="parameters never to send, e.g. temperature")
    extra: dict[str, Any] = Field(
        default_factory=dict, description="merged into the request's body, objects part by part"
    )
    price: PriceSettings | None = None
    fallbacks: tuple[str, ...] = Field(
        default=(),
        max_length=4,
        description="chat forecasters that answer in its place, in order, when it cannot",
    )

    @field_validator("extra")
    @classmethod
    def _is_beside_ours(cls, value: dict[str, Any]) -> dict[str, Any]:
        inner = value.get("generationConfig")
        for name in (*value, *(inner if isinstance(inner, dict) else ())):
            if name in _OURS:
                raise ValueError(f"{name!r} is not for 'extra': {_OURS[name]}")
        return value

    @model_validator(mode="after")
    def _weights_are_positive(self) -> Self:
        if any(weight <= 0 for weight in self.variants.values()):
            raise ValueError("variants: weights must be greater than 0")
        return self
