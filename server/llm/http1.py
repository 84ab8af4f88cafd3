# SPDX-License-Identifier: Apache-2.0
"""The bytes of HTTP/1.1: a request as it is written, a response's head as it is read (RFC 9112)."""

from collections.abc import Iterable
from dataclasses import dataclass

import httpx2

#: Longest head of a response, and longest line of a chunk's size with its extensions.
MAX_HEAD_BYTES = 64 * 1024
MAX_LINE_BYTES = 4_096
#: Statuses whose responses have no body whatever their headers say.
_BODYLESS = frozenset({204, 205, 304})
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers, and how the body is framed: by ``length``, by chunks, or (neither) by the end."""

    status: int
    reason: bytes
    headers: Headers
    length: int | None
    is_chunked: bool
    keeps_alive: bool

    @property
    def is_interim(self) -> bool:
        """Whether the real response is still to come."""
        return 100 <= self.status < 200


def request_bytes(request: httpx2.Request, body: bytes) -> bytes:
    """The whole request.

    Raises:
        httpx2.LocalProtocolError: a header or the path would break out of its line.
    """
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1 or b"\0" in head:
        raise httpx2.LocalProtocolError("a header holds a line break")
    return head + b"\r\n\r\n" + body


def response_head(data: bytes) -> Head:
    """Parse a head, without the empty line that ends it.

    Raises:
        httpx2.RemoteProtocolError: it is not HTTP/1, or its framing is ambiguous.
    """
    first, *lines = data.split(b"\r\n")
    version, _, rest = first.partition(b" ")
    code, _, reason = rest.partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(code) != 3 or not code.isdigit():
        raise httpx2.RemoteProtocolError("the answer is not HTTP/1.1")
    headers = [_header(line) for line in lines]
    status, framing = int(code), _Framing(headers)
    bodyless = status in _BODYLESS or 100 <= status < 200
    wants = b"keep-alive" in framing.connection if version == b"HTTP/1.0" else True
    return Head(
        status,
        reason,
        headers,
        0 if bodyless else framing.length,
        framing.is_chunked and not bodyless,
        wants and b"close" not in framing.connection and not framing.is_doubtful,
    )


def chunk_size(line: bytes) -> int:
    """Bytes in the chunk that this line announces.

    Raises:
        httpx2.RemoteProtocolError: it announces none.
    """
    digits = line.partition(b";")[0].strip(b" \t")
    if not 0 < len(digits) <= 16 or not all(byte in b"0123456789abcdefABCDEF" for byte in digits):
        raise httpx2.RemoteProtocolError("a chunk's size is no number")
    return int(digits, 16)


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or not _TOKEN.issuperset(name):
        raise httpx2.RemoteProtocolError("a header of the answer cannot be read")
    return name, value.strip(b" \t")


class _Framing:
    """What the headers say about where the body ends. ``is_doubtful``: the connection is not used again."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        lengths: set[bytes] = set()
        codings: list[bytes] = []
        self.connection = b""
        for name, value in headers:
            lowered = name.lower()
            if lowered == b"content-length":
                lengths.add(value)
            elif lowered == b"transfer-encoding":
                codings += [coding.strip(b" \t").lower() for coding in value.split(b",")]
            elif lowered == b"connection":
                self.connection += b"," + value.lower()
        self.is_chunked = bool(codings) and codings[-1] == b"chunked"
        self.is_doubtful = bool(codings) and (bool(lengths) or codings != [b"chunked"])
        self.length = None if codings else self._length(lengths)

    @staticmethod
    def _length(lengths: set[bytes]) -> int | None:
        if not lengths:
            return None
        (given, *others) = lengths
        if others or not given.isdigit() or len(given) > 16:
            raise httpx2.RemoteProtocolError("the answer's length is in doubt")
        return int(given)
