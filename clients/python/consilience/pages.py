# SPDX-License-Identifier: Apache-2.0
"""Lists that come in pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Page"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, the token for the next page ("" on the last), and how many there are in all, if known."""

    items: tuple[Item, ...]
    next_page_token: str
    total_size: int | None

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
