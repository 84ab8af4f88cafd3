# SPDX-License-Identifier: Apache-2.0
"""One entry of a chain, and how it is hashed."""

import hashlib
import json
from typing import NamedTuple

from server.forecasting.randomness import random_bytes

#: The hash before the first entry.
GENESIS = bytes(32)
SALT_BYTES = 16

PREDICTION = "prediction"
OUTCOME = "outcome"
START = "start"
ERASURE = "erasure"


class Event(NamedTuple):
    """Something that happened.

    ``content`` is what is kept beside the chain and may be erased; None where it is kept elsewhere, as
    a prediction's document is. ``digest`` is of the content with its salt.
    """

    kind: str
    subject: str
    actor: str
    digest: bytes
    salt: bytes = b""
    content: str | None = None


class Entry(NamedTuple):
    """One row of ``audit_entries``, in the order of its columns."""

    writer: str
    number: int
    time_us: int
    kind: str
    subject: str
    actor: str
    digest: bytes
    hash: bytes


class ContentRow(NamedTuple):
    """One row of ``audit_contents``, in the order of its columns."""

    writer: str
    number: int
    salt: bytes
    content: str


def event(kind: str, subject: str, actor: str, content: object) -> Event:
    """An event whose content, anything that JSON can hold, is kept beside the chain."""
    text, salt = canonical(content), new_salt()
    return Event(kind, subject, actor, digest_of(salt, text), salt, text)


def new_salt() -> bytes:
    """Random bytes: without them the digest of something short could be guessed back."""
    return random_bytes(SALT_BYTES)


def digest_of(salt: bytes, content: str) -> bytes:
    """SHA-256 of the salt and the content's UTF-8."""
    return hashlib.sha256(salt + content.encode()).digest()


def canonical(content: object) -> str:
    """JSON with sorted keys and no white space: equal content is equal text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def entry_after(previous: bytes, writer: str, number: int, time_us: int, what: Event) -> Entry:
    """The entry of an event."""
    fields = writer, number, time_us, what.kind, what.subject, what.actor, what.digest
    return Entry(*fields, hash_of(previous, *fields))


def hash_of(
    previous: bytes,
    writer: str,
    number: int,
    time_us: int,
    kind: str,
    subject: str,
    actor: str,
    digest: bytes,
) -> bytes:
    """SHA-256 of the hash before and all fields; JSON keeps neighbouring texts apart."""
    fields = json.dumps([writer, number, time_us, kind, subject, actor, digest.hex()])
    return hashlib.sha256(previous + fields.encode()).digest()
