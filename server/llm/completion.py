# SPDX-License-Identifier: Apache-2.0
"""What is asked of a model and what it gives back, whatever the wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from server.forecasting.forecast import TokenUsage
from server.llm.secrets import blotted


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """A JSON schema within the subset that every provider accepts.

    One flat object, every property required, no ranges. ``needed`` are the
    properties without which there is no forecast. ``text`` is the schema as JSON.
    """

    name: str
    schema: Mapping[str, Any]
    needed: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to one model. Without ``schema`` it is asked for in words."""

    model: str
    system: str
    user: str
    schema: AnswerSchema | None
    max_output_tokens: int
    temperature: float | None = None
    seed: int | None = None
    effort: str | None = None
    stream: bool = False
    through_tool: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


#: More tokens than any call can have; a larger count is a fault, not a bill.
MOST_TOKENS = 10**9


class Finish(StrEnum):
    """Why the model stopped."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer. ``model`` is the one that really replied.

    ``reported_nano_usd`` is the provider's own bill, where it sends one.
    ``usage`` is None where the provider said nothing, or nothing sensible.
    """

    text: str
    finish: Finish
    raw_finish: str = ""
    model: str = ""
    response_id: str = ""
    usage: TokenUsage | None = None
    reported_nano_usd: int | None = None

    def without(self, *secrets: str) -> "Completion":
        """The same with ``secrets`` blotted out: a gateway may repeat the key in an answer, too."""
        return replace(
            self,
            text=blotted(self.text, *secrets),
            raw_finish=blotted(self.raw_finish, *secrets),
            model=blotted(self.model, *secrets),
            response_id=blotted(self.response_id, *secrets),
        )


def usage_from(
    *, prompt: object, cached: object, written: object, output: object, reasoning: object, cached_inside: bool
) -> TokenUsage | None:
    """Counts as reported to disjoint buckets; None where they are missing or cannot be.

    ``cached_inside``: cached and written tokens are part of ``prompt``. Zero is
    a value; None is not.
    """
    if type(prompt) is not int or type(output) is not int:
        return None
    cache_read, cache_write, thought = (count(value) for value in (cached, written, reasoning))
    uncached = prompt - cache_read - cache_write if cached_inside else prompt
    counts = (uncached, cache_read, cache_write, output, thought)
    if min(counts) < 0 or max(counts) > MOST_TOKENS:
        return None
    return TokenUsage(uncached, cache_read, cache_write, output, thought)


def count(value: object) -> int:
    """An optional count; 0 where there is none."""
    return value if type(value) is int else 0
