# SPDX-License-Identifier: Apache-2.0
"""Secrets by reference: read when a client is built, never shown."""

import os
from pathlib import Path

#: A shorter one protects nothing, and blotting it out would only spoil the text.
_SHORTEST = 8


class SecretError(ValueError):
    """A secret cannot be read. The message holds the reference, never the value."""


class Secret:
    """A secret value. Only ``reveal`` gives it out; repr, str and pickle do not."""

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str) -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __reduce__(self) -> str:
        raise TypeError("a secret does not travel")


def resolve(reference: str) -> Secret:
    """Read ``env:NAME`` or ``file:/path`` (trailing white space is dropped).

    Raises:
        SecretError: the variable is not set, or the file cannot be read.
    """
    scheme, _, rest = reference.partition(":")
    value = os.environ.get(rest, "") if scheme == "env" else _read(Path(rest), reference)
    if any(character < " " for character in value.strip()):
        raise SecretError(f"{reference}: holds line breaks or other control characters; it must be one line")
    if not value.strip():
        where = f"environment variable {rest} is not set" if scheme == "env" else f"{rest} is empty"
        raise SecretError(f"{reference}: {where}")
    return Secret(value.strip(), reference)


def resolved(value: str) -> str:
    """A setting that may be a reference, or stand for itself.

    Raises:
        SecretError: it is a reference that cannot be read.
    """
    return resolve(value).reveal() if value.startswith(("env:", "file:")) else value


def blotted(text: str, *secrets: str) -> str:
    """The text without the secrets, should somebody have written them there."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return text


def _read(path: Path, reference: str) -> str:
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"{reference}: cannot read the file ({type(error).__name__})") from None
