# SPDX-License-Identifier: Apache-2.0
"""The key that signs checkpoints: Ed25519, PEM, by reference; made on first use where none is named.

``cryptography`` is loaded where a key is first used, not when the server starts.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from server.storage.errors import StorageError
from server.storage.files import make_folder, sync_folder
from server.storage.settings import SQLITE, StorageSettings, resolved_url

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE_NAME = "audit-key.pem"


class SigningKey:
    """Signs; ``public`` is the base64 of the 32 bytes that verify."""

    def __init__(self, private: "Ed25519PrivateKey") -> None:
        self._private = private
        self.public = base64.b64encode(private.public_key().public_bytes_raw()).decode()

    def sign(self, statement: str) -> bytes:
        """The signature of a statement's UTF-8, 64 bytes."""
        return self._private.sign(statement.encode())


class KeyReference:
    """Where the key is. ``open`` reads it, or makes it where it may be made."""

    def __init__(self, reference: str, storage: StorageSettings) -> None:
        self._reference = reference
        self._storage = storage
        self._opened: SigningKey | None = None

    def open(self) -> SigningKey:
        """The key; only the default file is made where it is missing, and only its owner may read it.

        Raises:
            StorageError: the reference leads nowhere, or to something that is no Ed25519 key.
        """
        if self._opened is None:
            self._opened = SigningKey(_parsed(self._pem()))
        return self._opened

    def _pem(self) -> bytes:
        kind, _, target = self._reference.partition(":")
        if kind == "env":
            return _from_environment(target)
        path = Path(target) if target else default_path(self._storage)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            if target:
                raise StorageError(f"audit.key: {path}: there is no such file") from None
            return _made(path)
        except OSError as error:
            raise StorageError(f"audit.key: {path} cannot be read ({type(error).__name__})") from None


def default_path(storage: StorageSettings) -> Path:
    """Beside the SQLite database; in ``var`` for a database of another machine."""
    url = resolved_url(storage)
    folder = Path(url.database or "").parent if url.drivername == SQLITE else Path("var")
    return folder / FILE_NAME


def is_signed(public: str, statement: str, signature: bytes) -> bool:
    """Whether the signature is that of the statement, by this public key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(signature, statement.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _from_environment(name: str) -> bytes:
    value = os.environ.get(name, "")
    if not value:
        raise StorageError(f"audit.key: the environment variable {name} is not set")
    return value.encode()


def _parsed(pem: bytes) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageError(
            "audit.key: is no unencrypted Ed25519 key in PEM; "
            "make one with: openssl genpkey -algorithm ed25519 -out audit-key.pem"
        )
    return key


def _made(path: Path) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _put(path, pem)
    except FileExistsError:  # another process was first
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"audit.key: {path} cannot be made ({type(error).__name__})") from None
    return pem


def _put(path: Path, content: bytes) -> None:
    """Make a file that is there whole or not at all, for others and after a crash."""
    make_folder(path.parent)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(beside)
    finally:
        beside.unlink()
    sync_folder(path.parent)
