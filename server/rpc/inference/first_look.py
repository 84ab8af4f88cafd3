# SPDX-License-Identifier: Apache-2.0
"""Which model the bytes of a ``ModelInferRequest`` are for, without parsing the tensors behind.

Serialisers write fields in the order of their numbers, so name and version
come first. Bytes that are written otherwise are left to the parser.
"""

from server.rpc.inference.protocol import message
from server.rpc.wire import LENGTH, tag

_REQUEST = message("ModelInferRequest")
_NAME, _VERSION = (tag(_REQUEST, field, LENGTH) for field in ("model_name", "model_version"))
#: A length below this is one byte.
_LONG = 128


def asked_for(request: bytes) -> tuple[str, str] | None:
    """Name and version, the latter empty where none follows; None where no name comes first."""
    try:
        name, place = _text(request, 0, _NAME)
        version, _ = _text(request, place, _VERSION)
    except ValueError:
        return None
    return (name, version) if name else None


def _text(data: bytes, place: int, expected: int) -> tuple[str, int]:
    """The text that a field of that tag holds, and where the next field begins; empty where it is another.

    Raises:
        ValueError: it is longer than names are, cut, or no UTF-8.
    """
    if data[place : place + 1] != bytes((expected,)):
        return "", place
    begin = place + 2
    end = begin + data[begin - 1] if begin <= len(data) else begin
    if end > len(data) or data[begin - 1] >= _LONG:
        raise ValueError("cut, or too long for a name")
    return data[begin:end].decode(), end
