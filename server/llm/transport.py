# SPDX-License-Identifier: Apache-2.0
"""The pooled connections to one provider, and what their errors mean.

httpx2's transport interface, with its own transport or aiohttp's underneath;
ADR 2 has the measurement that chose the default. The transport is called
directly: redirects, cookies and authentication flows of a whole client would
cost a quarter of the time and are not wanted here.
"""

import asyncio
import ssl

import aiohttp
import httpx2

from server.forecasting.forecast import AbsentReason
from server.llm.aiohttp_transport import AiohttpTransport
from server.llm.failures import Failure
from server.llm.secrets import resolved
from server.llm.settings import ProviderSettings, Transport
from server.llm.untrusted import visible

#: Everything that a transport raises when the network or the peer fails.
ERRORS = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, aiohttp.ClientError, OSError)

#: Longest text of an error that is kept, in characters; a header may be nearly as long.
_DETAIL = 10_000


def make_transport(settings: ProviderSettings) -> httpx2.AsyncBaseTransport:
    """The connection pool that the settings ask for."""
    limits = httpx2.Limits(
        max_connections=settings.max_connections,
        max_keepalive_connections=settings.max_connections,
        keepalive_expiry=settings.keep_alive_s,
    )
    context = _tls(settings)
    proxy = httpx2.Proxy(resolved(settings.proxy)) if settings.proxy else None
    if settings.transport is Transport.HTTPX2:
        return httpx2.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy, trust_env=False)
    return AiohttpTransport(lambda: _session(settings, context), proxy)


def _session(settings: ProviderSettings, context: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=settings.max_connections,
        keepalive_timeout=settings.keep_alive_s,
        ttl_dns_cache=300,
        ssl=context,
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )


def _tls(settings: ProviderSettings) -> ssl.SSLContext:
    if not settings.base_url.startswith("https") or not settings.verify_tls:
        # Without TLS the context is never used, and loading the roots takes 30 ms.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if settings.ca_file:
        return ssl.create_default_context(cafile=settings.ca_file)
    return httpx2.create_ssl_context()


def failure_of(error: BaseException, *, billed: bool) -> Failure:
    """A transport's error in our words. ``billed``: an answer had begun, so it may cost money."""
    name = type(error.__cause__ or error).__name__
    words = visible(str(error), _DETAIL)  # a peer's own, where it sent what is no HTTP
    said = f"{name}: {words}" if words else name
    if _is_timeout(error):
        return Failure(AbsentReason.PROVIDER_TIMEOUT, f"the network timed out ({said})", billed=billed)
    return Failure(AbsentReason.PROVIDER_CONNECTION_FAILED, f"the connection failed ({said})", billed=billed)


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, httpx2.TimeoutException | asyncio.TimeoutError)
