# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 to the byte: what is read however it is cut up, and what is refused."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from server.llm.direct_transport import DirectTransport
from server.llm.http1 import MAX_HEAD_BYTES, chunk_size, request_bytes, response_head
from server.llm.settings import ProviderSettings
from server.llm.transport import make_transport

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize(
    ("head", "length", "chunked", "alive"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", 5, False, True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nContent-Length: 5", 5, False, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", None, True, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", None, True, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked", None, True, False),
        (b"HTTP/1.1 200", None, False, True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5", 0, False, True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0", 0, False, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5", 5, False, False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5", 5, False, True),
    ],
)
def test_where_a_body_ends(head: bytes, length: int | None, chunked: bool, alive: bool) -> None:
    found = response_head(head)
    assert (found.length, found.is_chunked, found.keeps_alive) == (length, chunked, alive)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/2 200 OK",
        b"SSH-2.0-OpenSSH",
        b"HTTP/1.1 2x0 OK",
        b"HTTP/1.1 200 OK\r\nno colon",
        b"HTTP/1.1 200 OK\r\nname : value",
        b"HTTP/1.1 200 OK\r\na: b\r\n folded",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5",
    ],
)
def test_what_is_ambiguous_is_refused(head: bytes) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        response_head(head)


@given(st.integers(0, 16**12), st.sampled_from(["", ";a=b", " ; x"]))
def test_sizes_of_chunks(size: int, extension: str) -> None:
    assert chunk_size(f"{size:x}{extension}".encode()) == chunk_size(f"{size:X}".encode()) == size


@pytest.mark.parametrize("line", [b"", b"-1", b"0x10", b"+5", b"1_0", b"f" * 17, b"g"])
def test_what_is_no_size(line: bytes) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        chunk_size(line)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b"])
def test_a_header_cannot_break_out_of_its_line(value: str) -> None:
    request = httpx2.Request("POST", "http://x/y", headers={"authorization": value}, content=b"{}")
    with pytest.raises(httpx2.LocalProtocolError):
        request_bytes(request, b"{}")


@asynccontextmanager
async def served(answer: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    under_way: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        under_way.add(task)
        writers.add(writer)
        await answer(reader, writer)

    server = await asyncio.start_server(answering, "127.0.0.1", 0, ssl=tls)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"{'https' if tls else 'http'}://localhost:{port}/v1"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.sleep(0)


async def wanted(reader: asyncio.StreamReader) -> bytes:
    """One request's body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    return await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))


def says(*parts: bytes, then_closes: bool = False) -> Serve:
    """Answers every request with these bytes, written one after the other."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await wanted(reader):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if then_closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    return answer


async def ask(transport: httpx2.AsyncBaseTransport, url: str, body: bytes = b"{}") -> tuple[int, bytes]:
    response = await transport.handle_async_request(httpx2.Request("POST", url, content=body))
    try:
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        return response.status_code, b"".join([part async for part in stream])
    finally:
        await response.aclose()


def transport_of() -> DirectTransport:
    return DirectTransport(PLAIN, 10, 60.0)


SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\ntrailer: z\r\n\r\n"
)


@pytest.mark.parametrize("whole", [SIZED, CHUNKED], ids=["sized", "chunked"])
@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
async def test_an_answer_is_the_same_however_it_is_cut_up(whole: bytes, size: int) -> None:
    parts = [whole[start : start + size] for start in range(0, len(whole), size)]
    transport = transport_of()
    async with served(says(*parts)) as url:
        for _ in range(3):
            assert await ask(transport, url) == (200, b"hello world")
            assert (transport.kept, transport.in_use) == (1, 0)
        await transport.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
    ],
    ids=["close", "more than it said"],
)
async def test_a_connection_in_doubt_is_not_used_again(answer: bytes) -> None:
    transport = transport_of()
    async with served(says(answer)) as url:
        assert await ask(transport, url) == (200, b"ok")
        assert (transport.kept, transport.in_use) == (0, 0)


async def test_a_body_may_be_as_long_as_the_connection() -> None:
    transport = transport_of()
    async with served(says(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo", then_closes=True)) as url:
        assert await ask(transport, url) == (200, b"hello")
        assert transport.kept == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnine\r\nhello",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * (MAX_HEAD_BYTES + 1_000),
    ],
)
async def test_what_is_cut_short_or_malformed_is_an_error(answer: bytes) -> None:
    transport = transport_of()
    async with served(says(answer, then_closes=True)) as url:
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            await ask(transport, url)
        assert (transport.kept, transport.in_use) == (0, 0)


async def test_a_long_body_is_taken_at_the_readers_pace() -> None:
    body = bytes(range(256)) * 8_192
    transport = transport_of()
    async with served(says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)) as url:
        assert await ask(transport, url) == (200, body)


async def test_no_more_connections_than_allowed() -> None:
    transport = DirectTransport(PLAIN, 2, 60.0)
    most, now = 0, 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await says(SIZED)(reader, writer)
        now -= 1

    async with served(answer) as url:
        answers = await asyncio.gather(*(ask(transport, url) for _ in range(20)))
    assert answers == [(200, b"hello world")] * 20
    assert most <= 2
    await transport.aclose()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    paths[1].write_bytes(secret)
    return paths


async def test_tls_is_spoken_and_certificates_are_checked(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with served(says(SIZED), context) as url:
        trusting = make_transport(ProviderSettings(base_url=url, ca_file=str(cert)))
        assert isinstance(trusting, DirectTransport)
        for _ in range(2):
            assert await ask(trusting, url) == (200, b"hello world")
        assert trusting.kept == 1
        await trusting.aclose()
        wary = make_transport(ProviderSettings(base_url=url))
        with pytest.raises(httpx2.ConnectError):
            await ask(wary, url)
        with pytest.raises(httpx2.ConnectError):
            await ask(trusting, url.replace("localhost", "127.0.0.1"))


def test_a_proxy_is_left_to_aiohttp() -> None:
    made = make_transport(ProviderSettings(base_url="http://x/v1", proxy="http://proxy:3128"))
    assert not isinstance(made, DirectTransport)
