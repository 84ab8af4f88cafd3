# SPDX-License-Identifier: Apache-2.0
"""Pooled HTTP/1.1 connections under httpx2's transport interface, and nothing that an API call does not want.

One connection carries one call at a time. It is used again only if the response ended
exactly where its framing says, and nothing came after it; one whose response was not
read to its end is cut.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator

import httpx2

from server.llm.http1 import MAX_HEAD_BYTES, MAX_LINE_BYTES, Head, chunk_size, request_bytes, response_head

#: Received and not yet read; above it the sender is made to wait.
_MOST_WAITING = 256 * 1024
_Origin = tuple[str, str, int]


class Connection(asyncio.Protocol):
    """One connection: bytes come in as they come, and are taken out as they are wanted."""

    def __init__(self) -> None:
        self.is_closed = False
        self.idle_since_s = 0.0
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        self._buffer += data
        if len(self._buffer) > _MOST_WAITING and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone; what came before may still be read."""
        del error
        self.is_closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def cut(self) -> None:
        """End it at once."""
        self.is_closed = True
        self._transport.abort()

    def close(self) -> None:
        """End it in good order."""
        self.is_closed = True
        self._transport.close()

    @property
    def is_clean(self) -> bool:
        """Whether it may carry another call: open, and nothing came that nobody asked for."""
        return not self.is_closed and not self._buffer

    def send(self, data: bytes) -> None:
        """Write a whole request."""
        self._transport.write(data)

    async def head(self) -> Head:
        """The next response's head, past interim ones."""
        while True:
            found = response_head(await self._until(b"\r\n\r\n", MAX_HEAD_BYTES))
            if not found.is_interim:
                return found

    async def line(self) -> bytes:
        """The next line, without its end."""
        return await self._until(b"\r\n", MAX_LINE_BYTES)

    async def some(self, most: int | None = None) -> bytes:
        """At least a byte and at most so many; empty only where the other side has ended."""
        while not self._buffer:
            if self.is_closed:
                return b""
            await self._more()
        return self._taken(len(self._buffer) if most is None else min(most, len(self._buffer)))

    async def _until(self, end: bytes, most: int) -> bytes:
        searched = 0
        while (at := self._buffer.find(end, max(0, searched - len(end)))) < 0:
            searched = len(self._buffer)
            if searched > most:
                raise httpx2.RemoteProtocolError("the answer's head is too long")
            if self.is_closed:
                raise httpx2.ReadError("the connection was closed" + (" in the middle" if searched else ""))
            await self._more()
        return self._taken(at + len(end))[: -len(end)]

    async def _more(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


class Body(httpx2.AsyncByteStream):
    """A response's bytes, as they come. Ending it or closing it gives the connection back or cuts it."""

    def __init__(self, connection: Connection, head: Head, pool: "DirectTransport", origin: _Origin) -> None:
        self._connection = connection
        self._head = head
        self._pool = pool
        self._origin = origin
        self._left = head.length or 0
        self._is_open = True
        if head.length == 0:
            self._end()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._is_open:
            raise StopAsyncIteration
        data = await (self._chunked() if self._head.is_chunked else self._plain())
        if not data:
            raise StopAsyncIteration
        return data

    async def _plain(self) -> bytes:
        if self._head.length is None:  # as long as the connection
            data = await self._connection.some()
            if not data:
                self._end()
            return data
        data = await self._connection.some(self._left)
        if not data:
            raise httpx2.ReadError("the connection was closed before the end of the answer")
        self._left -= len(data)
        if not self._left:
            self._end()
        return data

    async def _chunked(self) -> bytes:
        if not self._left:
            self._left = chunk_size(await self._connection.line())
            if not self._left:
                while await self._connection.line():
                    continue  # trailers say nothing that is wanted
                self._end()
                return b""
        data = await self._connection.some(self._left)
        if not data:
            raise httpx2.ReadError("the connection was closed before the end of the answer")
        self._left -= len(data)
        if not self._left and await self._connection.line():
            raise httpx2.RemoteProtocolError("a chunk is longer than it says")
        return data

    def _end(self) -> None:
        self._is_open = False
        framed = self._head.is_chunked or self._head.length is not None
        self._pool.give_back(self._origin, self._connection, again=framed and self._head.keeps_alive)

    async def aclose(self) -> None:
        """Let go of the connection."""
        if self._is_open:
            self._is_open = False
            self._pool.give_back(self._origin, self._connection, again=False)


class DirectTransport(httpx2.AsyncBaseTransport):
    """A pool of connections to whatever origins are asked for; no proxies."""

    def __init__(self, context: ssl.SSLContext, max_connections: int, keep_alive_s: float) -> None:
        self._context = context
        self._keep_alive_s = keep_alive_s
        self._places = asyncio.Semaphore(max_connections)
        self._idle: dict[_Origin, deque[Connection]] = {}
        self._is_closed = False
        self.in_use = 0

    @property
    def kept(self) -> int:
        """Idle connections that are still open."""
        return sum(not connection.is_closed for each in self._idle.values() for connection in each)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response once its head is in.

        Raises:
            httpx2.TransportError: the network or the peer failed.
        """
        url = request.url
        origin = url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)
        data = request_bytes(request, await request.aread())
        await self._places.acquire()
        self.in_use += 1
        connection: Connection | None = None
        try:
            connection = self._kept(origin) or await self._connected(origin, request)
            connection.send(data)
            head = await connection.head()
        except BaseException:
            self.give_back(origin, connection, again=False)
            raise
        return httpx2.Response(
            head.status,
            headers=head.headers,
            stream=Body(connection, head, self, origin),
            extensions={"reason_phrase": head.reason},
        )

    def _kept(self, origin: _Origin) -> Connection | None:
        """The idle connection that was used last: the others may then grow old."""
        idle = self._idle.get(origin)
        oldest_s = time.monotonic() - self._keep_alive_s
        while idle:
            connection = idle.pop()
            if connection.is_clean and connection.idle_since_s > oldest_s:
                return connection
            connection.close()
        return None

    async def _connected(self, origin: _Origin, request: httpx2.Request) -> Connection:
        scheme, host, port = origin
        tls = self._context if scheme == "https" else None
        connect_s = request.extensions.get("timeout", {}).get("connect")
        try:
            async with asyncio.timeout(connect_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection, host, port, ssl=tls, server_hostname=host if tls else None
                )
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(f"no connection within {connect_s:g} s") from error
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        return connection

    def give_back(self, origin: _Origin, connection: Connection | None, *, again: bool) -> None:
        """A call has ended; ``again``: its connection may carry another one."""
        self.in_use -= 1
        self._places.release()
        if connection is None:
            return
        if not again or self._is_closed or not connection.is_clean:
            connection.cut()
            return
        connection.idle_since_s = time.monotonic()
        idle = self._idle.setdefault(origin, deque())
        idle.append(connection)
        while idle and idle[0].idle_since_s < connection.idle_since_s - self._keep_alive_s:
            idle.popleft().close()

    async def aclose(self) -> None:
        """Close all idle connections; those in use are cut when their calls end."""
        self._is_closed = True
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()
