# SPDX-License-Identifier: Apache-2.0
"""What an adapter for one wire format does. Adapters do no I/O."""

from collections.abc import Mapping
from typing import Any, Protocol

from server.llm.completion import ChatRequest, Completion
from server.llm.failures import Failure, Parameter
from server.llm.wire.headers import Headers, RateLimits

Json = dict[str, Any]


def merged(body: Mapping[str, Any], more: Mapping[str, Any]) -> Json:
    """``body`` with ``more`` laid over it, objects part by part: what is not named in ``more`` stays."""
    made = dict(body)
    for name, value in more.items():
        before = made.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            value = merged(before, value)  # noqa: PLW2901 - the parts of both
        made[name] = value
    return made


class StreamReader(Protocol):
    """Puts a stream together again, event by event."""

    #: The text so far.
    text: str
    #: Events that were not JSON, and were skipped.
    bad_chunks: int

    def feed(self, event: str, data: str) -> bool:
        """One server-sent event; True if it brought a part of the answer (pings do not)."""
        ...

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
        ...

    def result(self, headers: Headers) -> Completion | Failure:
        """What came of it, once the stream has ended or was given up."""
        ...

    def seen(self) -> Completion:
        """What has been seen so far, for the estimate of a call that was cut."""
        ...


class WireFormat(Protocol):
    """One provider's format."""

    #: Settings of a member for which the format has no place.
    lacks: frozenset[str]

    def path(self, request: ChatRequest) -> str:
        """Path and query below the base address."""
        ...

    def headers(self, key: str) -> list[tuple[bytes, bytes]]:
        """Headers that carry the key (none for an empty one) and the format's own."""
        ...

    def body(self, request: ChatRequest, without: frozenset[Parameter]) -> Json:
        """The request's body, less the parameters that the model refuses."""
        ...

    def is_capped(self, without: frozenset[Parameter]) -> bool:
        """Whether the body limits the length of the answer, so that its cost has an upper bound."""
        ...

    def completion(self, payload: Json, headers: Headers) -> Completion | Failure:
        """A whole answer; a failure if the body holds an error in spite of its status."""
        ...

    def reader(self) -> StreamReader:
        """For one stream."""
        ...

    def failure(self, status: int, payload: Any, headers: Headers) -> Failure:
        """An answer with an error status. ``payload``: JSON, or the text if it is none."""
        ...

    def limits(self, headers: Headers) -> RateLimits | None:
        """The rate limits that the headers tell."""
        ...

    @property
    def probe_path(self) -> str:
        """Path of a free request that shows whether the provider is there."""
        ...
