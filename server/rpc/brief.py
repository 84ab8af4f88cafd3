# SPDX-License-Identifier: Apache-2.0
"""Errors short enough to arrive.

A status travels as metadata, of which clients take 8 KiB in all. gRPC replaces
a longer one by an error of its own, which tells the caller nothing of the mend.
"""

from collections.abc import Iterable
from itertools import accumulate, takewhile

from google.rpc.error_details_pb2 import BadRequest

from server.forecasting.errors import FieldViolation

#: Bytes of a status's text as it travels, percent-encoded; it is in the details once more.
MOST_TEXT = 1024
#: Bytes of what the details hold beside it; in base64, with the text, they make two thirds of 8 KiB.
MOST_DETAILS = 3072
#: Bytes of a field's path, or of its description, among the details.
MOST_ENTRY = 512
_ROOM_FOR_REST = 32
_UNENCODED = frozenset(map(chr, range(0x20, 0x7F))) - {"%"}


def brief(text: str, most: int = MOST_TEXT) -> str:
    """A text of at most ``most`` bytes as it travels; of a longer one the start and what is missing."""
    if _fitting(text, most) == len(text):
        return text
    kept = text[: _fitting(text, most - _ROOM_FOR_REST)]
    return f"{kept}... ({len(text) - len(kept):,} characters more)"


def bad_request(violations: Iterable[FieldViolation]) -> BadRequest:
    """The first violations, as many as there is room for."""
    made, room = BadRequest(), MOST_DETAILS
    for broken in violations:
        entry = BadRequest.FieldViolation(
            field=brief(broken.field, MOST_ENTRY), description=brief(broken.description, MOST_ENTRY)
        )
        room -= entry.ByteSize()
        if room < 0:
            break
        made.field_violations.append(entry)
    return made


def absences(reasons: dict[str, str]) -> dict[str, str]:
    """The first members with the reasons of their absence, as many as there is room for."""
    sizes = accumulate(len(member.encode()) + len(why) + 8 for member, why in reasons.items())
    fitting = sum(1 for _ in takewhile(lambda size: size <= MOST_DETAILS, sizes))
    return dict(list(reasons.items())[:fitting])


def _fitting(text: str, most: int) -> int:
    """How many of its first characters take at most ``most`` bytes."""
    sizes = accumulate(map(_on_wire, text[:most]))
    return sum(1 for _ in takewhile(lambda size: size <= most, sizes))


def _on_wire(character: str) -> int:
    return 1 if character in _UNENCODED else 3 * len(character.encode(errors="replace"))
