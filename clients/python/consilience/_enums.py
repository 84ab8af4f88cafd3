# SPDX-License-Identifier: Apache-2.0
"""Enumerations of the contract as string enumerations of Python."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

Named = TypeVar("Named", bound=StrEnum)


class _Wrapper(Protocol):
    def items(self) -> Sequence[tuple[str, int]]: ...


class Numbers(dict[int, Named]):
    """Members by their number on the wire; a number from a newer server is UNSPECIFIED."""

    def __init__(self, names: type[Named], wrapper: _Wrapper, prefix: str) -> None:
        super().__init__(
            (number, names(name.removeprefix(prefix).lower())) for name, number in wrapper.items()
        )
        self._unknown = names("unspecified")

    def __missing__(self, number: int) -> Named:
        return self._unknown
