# SPDX-License-Identifier: Apache-2.0
"""aiohttp's connections under httpx2's transport interface, and nothing else of either.

One hop from an ``httpx2.Request`` to aiohttp and back: bodies go out and come in as
bytes, without the generators and exception contexts of a general-purpose bridge,
which cost as much as aiohttp itself.
"""

from collections.abc import AsyncIterator, Callable

import aiohttp
import httpx2
from yarl import URL

#: aiohttp's errors in httpx2's words; the first that fits counts, so particular ones come first.
_WORDS: tuple[tuple[type[aiohttp.ClientError], type[httpx2.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx2.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx2.ReadTimeout),
    (aiohttp.ClientProxyConnectionError, httpx2.ProxyError),
    (aiohttp.ClientHttpProxyError, httpx2.ProxyError),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.InvalidURL, httpx2.UnsupportedProtocol),
    (aiohttp.ClientResponseError, httpx2.RemoteProtocolError),
    (aiohttp.ClientError, httpx2.ReadError),
)


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """``opens`` makes the session; it is called with the first request, when there is a loop."""

    def __init__(self, opens: Callable[[], aiohttp.ClientSession], proxy: httpx2.Proxy | None = None) -> None:
        self._opens = opens
        self._proxy = None if proxy is None else str(proxy.url)
        self._proxy_headers = None if proxy is None else _headers(proxy)
        self._timeouts: dict[float | None, aiohttp.ClientTimeout] = {}
        self.client: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response once its headers are in.

        Raises:
            httpx2.TransportError: the network or the peer failed; the cause is aiohttp's error.
        """
        if self.client is None:
            self.client = self._opens()
        try:
            response = await self.client.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=self._timeout(request),
                proxy=self._proxy,
                proxy_headers=self._proxy_headers,
            )
        except aiohttp.ClientError as error:
            raise _translated(error) from error
        return httpx2.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response),
            extensions={"reason_phrase": (response.reason or "").encode("latin-1", "replace")},
        )

    def _timeout(self, request: httpx2.Request) -> aiohttp.ClientTimeout:
        """For connecting alone; how long an answer may take is the caller's business."""
        connect_s = request.extensions.get("timeout", {}).get("connect")
        found = self._timeouts.get(connect_s)
        if found is None:
            found = self._timeouts[connect_s] = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        return found

    async def aclose(self) -> None:
        """Close all connections."""
        if self.client is not None:
            await self.client.close()


class _Body(httpx2.AsyncByteStream):
    """A response's bytes as they come, not unpacked."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._response.content.readany()
        except aiohttp.ClientError as error:
            raise _translated(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        self._response.release()


def _translated(error: aiohttp.ClientError) -> httpx2.TransportError:
    words = next(words for kind, words in _WORDS if isinstance(error, kind))
    return words(str(error))


def _headers(proxy: httpx2.Proxy) -> dict[str, str]:
    headers = dict(proxy.headers.multi_items())
    if proxy.auth is not None:
        headers["Proxy-Authorization"] = aiohttp.encode_basic_auth(*proxy.auth)
    return headers
