# SPDX-License-Identifier: Apache-2.0
"""One attempt on the wire: a request out, an answer in, under an absolute deadline."""

import asyncio
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import jiter

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import AbsentReason
from server.llm.completion import Completion, Finish
from server.llm.failures import Failure
from server.llm.settings import TimeoutSettings
from server.llm.transport import ERRORS, failure_of
from server.llm.wire.format import StreamReader, WireFormat
from server.llm.wire.headers import fold

#: More than any forecast; a runaway body must not fill the memory.
MAX_BODY_BYTES = 4 * 2**20


#: Finish of a stream that was left because it had said enough.
EARLY = "early"


class _TooLargeError(Exception):
    pass


@dataclass(slots=True)
class Exchange:
    """A single use. After ``run`` (also a cancelled one) it tells how far things got."""

    transport: httpx2.AsyncBaseTransport
    wire: WireFormat
    timeouts: TimeoutSettings
    stream: bool = False
    #: Whether the text so far is enough, so that the rest of a stream need not be waited for.
    enough: Callable[[str], bool] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    reader: StreamReader | None = None
    #: Seconds from the request to the first part of a stream.
    first_word_s: float | None = None
    _start_s: float = 0.0
    _waiting_for: str = "an answer"

    async def run(self, request: httpx2.Request, deadline: Deadline) -> Completion | Failure:
        """The answer or the failure, by the deadline.

        The deadline is enforced here and not by the HTTP client, whose read
        timeout starts again with every chunk.
        """
        self._start_s = deadline.clock.monotonic()
        try:
            async with asyncio.timeout(deadline.remaining_s()) as scope:
                if self.stream:
                    self._limit(scope, deadline, self.timeouts.first_byte_s, "the first word")
                response = await self.transport.handle_async_request(request)
                response.request = request
                try:
                    self.headers = fold(response.headers.raw)
                    return await self._read(response, scope, deadline)
                finally:
                    await response.aclose()
        except TimeoutError:
            return Failure(
                AbsentReason.PROVIDER_TIMEOUT, f"waited too long for {self._waiting_for}", billed=True
            )
        except _TooLargeError:
            return Failure(
                AbsentReason.PROVIDER_BAD_OUTPUT, f"the answer is over {MAX_BODY_BYTES} bytes", billed=True
            )
        except ERRORS as error:
            return failure_of(error, billed=bool(self.headers))

    @property
    def text(self) -> str:
        """What a stream has said so far."""
        return self.reader.text if self.reader else ""

    async def _read(
        self, response: httpx2.Response, scope: asyncio.Timeout, deadline: Deadline
    ) -> Completion | Failure:
        status = response.status_code
        if status == 200 and self.headers.get("content-type", "").startswith("text/event-stream"):
            return await self._stream(response, scope, deadline)
        packed = "content-encoding" in self.headers
        payload = _parse(await _body(response, packed=packed))
        if status >= 300:
            return self.wire.failure(status, payload, self.headers)
        if not isinstance(payload, dict):
            return Failure(AbsentReason.PROVIDER_BAD_OUTPUT, "the answer is not JSON", status, billed=True)
        return self.wire.completion(payload, self.headers)

    async def _stream(
        self, response: httpx2.Response, scope: asyncio.Timeout, deadline: Deadline
    ) -> Completion | Failure:
        reader = self.reader = self.wire.reader()
        async for event in httpx2.EventSource(response):
            # Pings and comments do not count as signs of life: a stalled model sends them too.
            if reader.feed(event.event, event.data):
                if len(reader.text) > MAX_BODY_BYTES:
                    raise _TooLargeError
                if self.first_word_s is None:
                    self.first_word_s = deadline.clock.monotonic() - self._start_s
                    scope.reschedule(asyncio.get_running_loop().time() + deadline.remaining_s())
                if self.enough is not None and self.enough(reader.text):
                    return _early(reader.seen())
                self._limit(scope, deadline, self.timeouts.idle_s, "the next word")
            if reader.finished:
                break
        return reader.result(self.headers)

    def _limit(
        self, scope: asyncio.Timeout, deadline: Deadline, seconds: float | None, waiting_for: str
    ) -> None:
        if seconds is None:
            return
        left = deadline.remaining_s()
        self._waiting_for = waiting_for if seconds < left else "the end of the answer"
        scope.reschedule(asyncio.get_running_loop().time() + min(seconds, left))


async def fetch(
    transport: httpx2.AsyncBaseTransport, request: httpx2.Request, deadline: Deadline
) -> tuple[int, Any] | Failure:
    """Status and body (JSON, or the text if it is none) of a small request that is no question."""
    try:
        async with deadline.timeout():
            response = await transport.handle_async_request(request)
            try:
                packed = "content-encoding" in response.headers
                return response.status_code, _parse(await _body(response, packed=packed))
            finally:
                await response.aclose()
    except (TimeoutError, _TooLargeError):
        return Failure(AbsentReason.PROVIDER_TIMEOUT, "waited too long for an answer", billed=True)
    except ERRORS as error:
        return failure_of(error, billed=False)


def _parse(body: bytes) -> Any:
    try:
        return jiter.from_json(body)
    except ValueError:
        return body[:500].decode("utf-8", "replace")


def _parts(response: httpx2.Response, *, packed: bool) -> AsyncIterable[bytes]:
    """The body's bytes. Unpacked, as they were asked for, they need no decoder, which halves the cost."""
    stream = response.stream
    if packed or not isinstance(stream, httpx2.AsyncByteStream):
        return response.aiter_bytes()
    return stream


async def _body(response: httpx2.Response, *, packed: bool) -> bytes:
    parts, size = [], 0
    async for part in _parts(response, packed=packed):
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _TooLargeError
        parts.append(part)
    return b"".join(parts)


def _early(seen: Completion) -> Completion:
    """A stream that was left as soon as it had said enough; its usage will never be known."""
    return Completion(
        seen.text, Finish.COMPLETE, EARLY, seen.model, seen.response_id, seen.usage, seen.reported_nano_usd
    )
