# SPDX-License-Identifier: Apache-2.0
"""Poolings and selections that other packages bring: found once, loaded once, broken ones named.

A package announces them as entry points; ``consilience.plugins`` in the client
package says what they must look like.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, overload

import structlog

from server.forecasting.errors import PluginError
from server.forecasting.names import ALIASES, canonical

log = structlog.get_logger(__name__)

#: Entry-point groups; also in ``consilience.plugins``.
POOLING_GROUP = "consilience.poolings"
SELECTION_GROUP = "consilience.selections"
GROUPS = (POOLING_GROUP, SELECTION_GROUP)

Plugin = Callable[..., Any]


class Plugins:
    """What is installed. Looking takes a tenth of a second, so it is done when first asked."""

    def __init__(self, find: Callable[[], Iterable[EntryPoint]] | None = None) -> None:
        self._find = find or _installed
        self._found: dict[tuple[str, str], EntryPoint] | None = None
        self._loaded: dict[tuple[str, str], Plugin] = {}

    def look(self) -> None:
        """Look now, in any thread, so that nobody who asks waits for it; doing it twice does no harm."""
        self._entries()

    def names(self, group: str) -> tuple[str, ...]:
        """All names announced for a group."""
        return tuple(name for owner, name in self._entries() if owner == group)

    def has(self, group: str, name: str) -> bool:
        """Whether the name is announced."""
        return (group, name) in self._entries()

    def get(self, group: str, name: str) -> Plugin:
        """The plug-in, imported when first asked for.

        Raises:
            PluginError: it cannot be imported, or is no function; names it and its package.
        """
        key = (group, name)
        if key not in self._loaded:
            self._loaded[key] = _load(self._entries()[key])
        return self._loaded[key]

    def load_all(self) -> list[str]:
        """Import every plug-in; what is wrong with the broken ones, one sentence each."""
        problems = []
        for group, name in self._entries():
            try:
                self.get(group, name)
            except PluginError as error:
                problems.append(str(error))
        return problems

    def _entries(self) -> dict[tuple[str, str], EntryPoint]:
        if self._found is None:
            self._found = {(entry.group, canonical(entry.name)): entry for entry in self._find()}
        return self._found


def described(entry: EntryPoint) -> str:
    """The plug-in as an error names it."""
    package = f" of {entry.dist.name} {entry.dist.version}" if entry.dist is not None else ""
    return f"plug-in {entry.name!r} ({entry.group}, {entry.value}{package})"


def _installed() -> list[EntryPoint]:
    found = entry_points()
    return [entry for group in GROUPS for entry in found.select(group=group)]


def _load(entry: EntryPoint) -> Plugin:
    if entry.name.lower() in ALIASES:
        raise PluginError(f"{described(entry)} has a name that means something else already; rename it")
    try:
        made = entry.load()
    except Exception as error:  # a stranger's code may raise anything
        log.error("plugin_broken", plugin=entry.name, group=entry.group, exc_info=error)
        raise PluginError(f"{described(entry)} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(made):
        raise PluginError(f"{described(entry)} is a {type(made).__name__}, not a function")
    return made  # type: ignore[no-any-return]


#: The plug-ins of this process.
PLUGINS = Plugins()


class Names(Sequence[str]):
    """Built-in names and a group's plug-ins; looks for the latter only when the former do not do."""

    def __init__(self, built_in: Sequence[str], group: str, plugins: Plugins = PLUGINS) -> None:
        self._built_in = frozenset(built_in)
        self._ordered = tuple(built_in)
        self._group = group
        self._plugins = plugins

    def _all(self) -> tuple[str, ...]:
        return (*self._ordered, *(n for n in self._plugins.names(self._group) if n not in self._built_in))

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._plugins.names(self._group)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        """The name at a place, built-in ones first."""
        return self._all()[index]
