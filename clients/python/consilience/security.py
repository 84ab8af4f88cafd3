# SPDX-License-Identifier: Apache-2.0
"""Certificates, and where secrets may travel."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import grpc

__all__ = ["TLS"]


@dataclass(frozen=True, slots=True)
class TLS:
    """Files in PEM format. Without ``ca_file`` the system's authorities are trusted.

    ``certificate_file`` and ``key_file`` together make it mutual TLS.
    ``server_name`` is the name to expect in the server's certificate where that
    differs from the address.
    """

    ca_file: str | Path | None = None
    certificate_file: str | Path | None = None
    key_file: str | Path | None = None
    server_name: str = ""

    def __post_init__(self) -> None:
        """Refuse half a key pair."""
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("TLS wants certificate_file and key_file together, or neither")

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files.

        Raises:
            OSError: one cannot be read; names the file.
        """
        return grpc.ssl_channel_credentials(
            root_certificates=_read(self.ca_file),
            private_key=_read(self.key_file),
            certificate_chain=_read(self.certificate_file),
        )


def _read(path: str | Path | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()


def is_local(address: str) -> bool:
    """Whether an address never leaves this machine.

    >>> is_local("localhost:50051"), is_local("[::1]:50051"), is_local("10.0.0.1:50051")
    (True, True, False)
    """
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition("/")[2].rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
