# SPDX-License-Identifier: Apache-2.0
"""Puts an answer on the wire, spoiled as the fault says."""

import asyncio
import socket
import struct
from dataclasses import dataclass

from aiohttp import web

from server.simulator.faults import Fault
from server.simulator.service import Call
from server.simulator.wire.exchange import Ask, Frames, Wire, dump

#: A stream is written in about this many pieces when it takes time.
_WRITES = 16
_STALLS = frozenset({Fault.STALL, Fault.PING_STALL})


class Gone(Exception):  # noqa: N818
    """The connection was broken on purpose; ``share`` of the answer had been generated."""

    def __init__(self, share: float) -> None:
        super().__init__("connection broken")
        self.share = share


@dataclass(slots=True)
class Delivery:
    """One answer on its way. ``share`` is how much of it has been generated so far."""

    request: web.Request
    wire: Wire
    ask: Ask
    call: Call
    closing: asyncio.Event
    share: float = 0.0

    async def send(self) -> web.StreamResponse:
        """Send everything.

        Raises:
            Gone: a fault broke the connection.
        """
        if self.call.fault is Fault.RESET:
            self._reset()
        if self.call.fault is Fault.HANG:
            await self._hang()
        return await (self._stream() if self.ask.stream else self._whole())

    async def _whole(self) -> web.StreamResponse:
        fault = self.call.fault
        await self._work(self.call.latency_s)
        if fault is Fault.SLOW_START:
            await self._hang()
        body = dump(self._body())
        if fault is Fault.NOT_JSON:
            body = b"<html><body>upstream connect error</body></html>"
        response = web.StreamResponse(headers=self._headers("application/json"))
        response.content_length = len(body)
        await response.prepare(self.request)
        if fault is Fault.CUT or fault in _STALLS:
            await response.write(body[: len(body) // 2])
            await self._break(fault)
        await response.write(body)
        await response.write_eof()
        return response

    def _body(self) -> object:
        if self.call.fault is Fault.ERROR_IN_200:
            return self.wire.error(Fault.UNAVAILABLE, "Provider returned error", "", 0.0).body
        return self.wire.answer(self.ask, self.call.reply)

    async def _stream(self) -> web.StreamResponse:
        if self.call.fault in (Fault.NOT_JSON, Fault.ERROR_IN_200):
            return await self._whole()
        response = web.StreamResponse(headers=self._headers("text/event-stream"))
        await response.prepare(self.request)
        frames = self.wire.frames(self.ask, self.call.reply)
        await response.write(b"".join(frames.head))
        if self.call.fault is Fault.SLOW_START:
            await self._ping_for_ever(response)
        await self._work(self.call.first_token_s, upto=0.0)
        await self._body_frames(response, frames)
        await response.write_eof()
        return response

    async def _body_frames(self, response: web.StreamResponse, frames: Frames) -> None:
        fault = self.call.fault
        text = list(frames.text)
        if fault is Fault.BAD_CHUNK:
            text.insert(len(text) // 2, b"data: {not json at all\n\n")
        if fault in (Fault.CUT, Fault.STREAM_ERROR) or fault in _STALLS:
            await self._pieces(response, text[: len(text) // 2], self.call.latency_s / 2, 0.5)
            await self._interrupt(response)
            return
        await self._pieces(response, text, max(0.0, self.call.latency_s - self.call.first_token_s), 1.0)
        end = () if fault is Fault.NO_END else frames.end
        await response.write(b"".join((*frames.tail, *end)))

    async def _pieces(
        self, response: web.StreamResponse, pieces: list[bytes], seconds: float, upto: float
    ) -> None:
        step = max(1, len(pieces) // _WRITES) if seconds else max(1, len(pieces))
        batches = [b"".join(pieces[start : start + step]) for start in range(0, len(pieces), step)]
        for number, batch in enumerate(batches, 1):
            if seconds:
                await asyncio.sleep(seconds / len(batches))
            await response.write(batch)
            self.share = upto * number / len(batches)

    async def _interrupt(self, response: web.StreamResponse) -> None:
        fault = self.call.fault
        if fault is Fault.STREAM_ERROR:
            await response.write(self.wire.stream_error())
            return
        if fault is Fault.PING_STALL:
            await self._ping_for_ever(response)
        await self._break(fault)

    async def _break(self, fault: Fault | None) -> None:
        self.share = 0.5
        if fault is Fault.CUT:
            self._abort()
        await self._hang()

    async def _work(self, seconds: float, upto: float = 1.0) -> None:
        """Generate for a while; hung-up callers are billed for the part done."""
        if seconds <= 0:
            self.share = upto
            return
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.share = upto * min(1.0, (loop.time() - start) / seconds)

    async def _ping_for_ever(self, response: web.StreamResponse) -> None:
        while not self.closing.is_set():
            await response.write(self.wire.ping())
            await asyncio.sleep(0.02)
        self._abort()

    async def _hang(self) -> None:
        await self.closing.wait()
        self._abort()

    def _headers(self, content_type: str) -> dict[str, str]:
        return {"Content-Type": content_type} | self.wire.headers(self.call.reply.id, self.call.limits)

    def _reset(self) -> None:
        """A TCP reset in place of an answer."""
        if (transport := self.request.transport) is not None:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._abort()

    def _abort(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()
        raise Gone(self.share)
