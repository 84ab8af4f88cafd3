# SPDX-License-Identifier: Apache-2.0
"""What a request and an answer are, whatever the wire format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic_core import to_json

from server.simulator.faults import Fault
from server.simulator.ledger import Usage

Json = dict[str, Any]


class Finish(StrEnum):
    """Why the simulated model stopped."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, as far as the simulator cares.

    ``parameters`` names the optional ones present, in words that all formats share:
    temperature, schema, seed, effort, maxtokens, streamoptions.
    """

    model: str
    prompt: str
    schema: Json | None = None
    stream: bool = False
    max_output_tokens: int | None = None
    parameters: frozenset[str] = frozenset()
    include_usage: bool = True
    through_tool: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, complete, before a delivery fault spoils it."""

    id: str
    created: int
    model: str
    text: str
    finish: Finish = Finish.COMPLETE
    usage: Usage | None = field(default_factory=Usage)
    nano_usd: int = 0
    null_usage: bool = False

    def pieces(self) -> list[str]:
        """The text in pieces as a stream sends them; some end inside a word."""
        return [self.text[start : start + 7] for start in range(0, len(self.text), 7)]


@dataclass(frozen=True, slots=True)
class Limits:
    """State of a rate limit after a call. ``reset_s``: seconds until it is whole again."""

    limit: int
    remaining: int
    reset_s: float


class RefusedError(Exception):
    """The request is refused. ``parameter``: the one at fault, by its word in ``Ask.parameters``."""

    def __init__(self, fault: Fault, message: str, *, parameter: str = "", wait_s: float = 1.0) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.parameter = parameter
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """A refusal in a provider's own words."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frames:
    """A stream in parts. ``head`` comes before the first text, ``end`` marks the end and may be lost."""

    head: tuple[bytes, ...]
    text: tuple[bytes, ...]
    tail: tuple[bytes, ...]
    end: tuple[bytes, ...]


class Wire(Protocol):
    """One provider's format. Pure: bytes and dictionaries only."""

    name: str
    #: Paths that it answers; ``{model}`` where the model's name is part of it.
    paths: tuple[str, ...]

    def key(self, headers: Mapping[str, str]) -> str:
        """The key in the request's headers, empty if there is none."""
        ...

    def read(self, body: Json, path: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
        """The request.

        Raises:
            RefusedError: the provider would refuse it.
        """
        ...

    def answer(self, ask: Ask, reply: Reply) -> Json:
        """The body of a whole answer."""
        ...

    def frames(self, ask: Ask, reply: Reply) -> Frames:
        """The answer as server-sent events."""
        ...

    def ping(self) -> bytes:
        """What the provider sends to keep an idle stream open."""
        ...

    def stream_error(self) -> bytes:
        """An error in the middle of a stream."""
        ...

    def error(self, fault: Fault, message: str, parameter: str, wait_s: float) -> ErrorBody:
        """A refusal; ``parameter`` is a word of ``Ask.parameters`` or empty."""
        ...

    def headers(self, reply_id: str, limits: Limits | None) -> dict[str, str]:
        """Headers of a good answer."""
        ...


def data(body: Any) -> bytes:
    """A server-sent event with JSON data and no name."""
    return b"data: " + dump(body) + b"\n\n"


def event(name: str, body: Any) -> bytes:
    """A server-sent event with a name."""
    return b"event: " + name.encode() + b"\ndata: " + dump(body) + b"\n\n"


def dump(body: Any) -> bytes:
    """Compact JSON, not escaped, so that streams carry multi-byte characters."""
    return to_json(body)


def texts(value: Any) -> Iterator[str]:
    """Every string under a message's content, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for name in ("text", "content", "parts"):
            if name in value:
                yield from texts(value[name])


def present(body: Json, path: tuple[str, ...]) -> bool:
    """Whether something stands at this path of names."""
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value is not None
