# SPDX-License-Identifier: Apache-2.0
"""``HOST:PORT``, as configuration and command line write where to listen."""

from typing import Annotated

from pydantic import AfterValidator

MOST_PORT = 65_535


def split_address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT`` or ``[IPv6]:PORT``; the host without brackets.

    Raises:
        ValueError: it is none, or the port is above 65535; says how to write one.
    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > MOST_PORT:
        raise ValueError(f"{text!r} is not HOST:PORT (port 0 to {MOST_PORT}), for example 127.0.0.1:50051")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _checked(text: str) -> str:
    split_address(text)
    return text


#: A setting that says where to listen.
Address = Annotated[str, AfterValidator(_checked)]
