# SPDX-License-Identifier: Apache-2.0
"""How providers that share a wire format differ: names, extras, and what they report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
#: More US dollars than any call costs; a larger figure is a fault, not a bill.
_MOST_USD = 10**6


@dataclass(frozen=True, slots=True)
class Flavour:
    """One provider's ways.

    ``telemetry`` is its name in OpenTelemetry, ``prices`` its name in the price
    table (empty: not there). ``reported_cost`` reads the provider's own bill
    from a usage object, in nano US dollars.
    """

    name: str
    telemetry: str
    prices: str = ""
    max_tokens_field: str = "max_tokens"
    other_max_tokens_field: str = "max_completion_tokens"
    effort: Callable[[str], Json] = lambda effort: {"reasoning_effort": effort}
    reported_cost: Callable[[Json], int | None] = lambda usage: None
    stream_options: Mapping[str, Any] = field(default_factory=lambda: {"include_usage": True})
    body: Mapping[str, Any] = field(default_factory=dict)
    #: Laid over ``body`` for a provider that is trusted with the question alone.
    strict_body: Mapping[str, Any] = field(default_factory=dict)
    #: Path that tells what a call has cost, by its id.
    look_up_path: str = ""


def credits_nano_usd(amount: Any) -> int | None:
    """Credits of one US dollar in nano US dollars; None where they are no amount of money."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount <= _MOST_USD:
        return None
    return round(amount * 1e9)


def _credits(usage: Json) -> int | None:
    """OpenRouter: ``cost`` in credits of one US dollar; None where it is not all."""
    cost = credits_nano_usd(usage.get("cost"))
    if cost is None or usage.get("is_byok") is not True:
        return cost
    # On a key of one's own at the upstream, OpenRouter's figure is its fee alone.
    details = usage.get("cost_details")
    upstream = credits_nano_usd(details.get("upstream_inference_cost")) if isinstance(details, dict) else None
    return None if upstream is None else cost + upstream


def _ticks(usage: Json) -> int | None:
    """xAI: ``cost_in_usd_ticks``, ten to the tenth of them a dollar."""
    ticks = usage.get("cost_in_usd_ticks")
    return -(-ticks // 10) if type(ticks) is int and 0 <= ticks <= _MOST_USD * 10**10 else None


_OPENAI = Flavour(
    name="openai",
    telemetry="openai",
    prices="openai",
    max_tokens_field="max_completion_tokens",
    other_max_tokens_field="max_tokens",
    stream_options={"include_usage": True, "include_obfuscation": False},
)
_LOCAL = Flavour(name="local", telemetry="local")

FLAVOURS: Mapping[str, Flavour] = {
    flavour.name: flavour
    for flavour in (
        _OPENAI,
        _LOCAL,
        Flavour(
            name="openrouter",
            telemetry="openrouter",
            prices="openrouter",
            effort=lambda effort: {"reasoning": {"effort": effort, "exclude": True}},
            reported_cost=_credits,
            stream_options={},
            look_up_path="/generation?id={id}",
            # In turn: an upstream that knows no schemas must not drop ours silently; privacy; two members
            # must not fall back to one upstream without our knowing.
            body={
                "provider": {"require_parameters": True, "data_collection": "deny", "allow_fallbacks": False}
            },
            strict_body={"provider": {"zdr": True}},
        ),
        Flavour(name="xai", telemetry="x_ai", prices="x-ai", reported_cost=_ticks),
        Flavour(name="anthropic", telemetry="anthropic", prices="anthropic"),
        Flavour(name="gemini", telemetry="gcp.gemini", prices="google"),
        Flavour(name="deepseek", telemetry="deepseek", prices="deepseek"),
        Flavour(name="groq", telemetry="groq", prices="groq"),
        Flavour(name="mistral", telemetry="mistral_ai", prices="mistral"),
        Flavour(name="together", telemetry="together", prices="together"),
        Flavour(name="fireworks", telemetry="fireworks", prices="fireworks"),
    )
}

_HOSTS = {
    "api.openai.com": "openai",
    "openrouter.ai": "openrouter",
    "api.x.ai": "xai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.together.xyz": "together",
    "api.fireworks.ai": "fireworks",
}


def flavour_of(name: str, base_url: str) -> Flavour:
    """The flavour named, or the one at home at this address; a local server otherwise.

    Raises:
        ValueError: the name is not known.
    """
    if name and name not in FLAVOURS:
        raise ValueError(f"flavour {name!r} is not known; use one of {', '.join(sorted(FLAVOURS))}")
    return FLAVOURS[name or _HOSTS.get(urlsplit(base_url).hostname or "", "local")]
