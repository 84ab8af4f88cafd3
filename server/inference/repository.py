# SPDX-License-Identifier: Apache-2.0
"""The networks on disk and in memory: load, unload, default version, rollback, while serving.

On disk: ``NAME/VERSION/manifest.json`` beside its weights. Several versions may
be loaded; a request that names none gets the default, which is the version
loaded last, or the one it was set or rolled back to. A load that fails changes
nothing. A version that is unloaded finishes what it has begun.
"""

import asyncio
import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from models import manifest as manifests
from server.inference.backend import Backend
from server.inference.batching import BatchSettings
from server.inference.errors import ModelLoadError, ModelNotReadyError, UnknownModelError
from server.inference.servable import ModelEntry, ModelState
from server.inference.served import ServedModel
from server.inference.workers import Workers

#: Names are folders; file systems take no longer ones.
MAX_NAME = 128


@dataclass(slots=True)
class _Shelf:
    """All versions of one name."""

    loaded: dict[int, ServedModel] = field(default_factory=dict)
    defaults: list[int] = field(default_factory=list)
    states: dict[int, tuple[ModelState, str]] = field(default_factory=dict)


class ModelRepository:
    """All networks of one server."""

    def __init__(
        self, root: Path, *, backend: Backend, workers: Workers, batching: BatchSettings, precision: str
    ) -> None:
        self.root = root
        self.backend = backend
        self._workers = workers
        self._batching = batching
        self._precision = precision
        self._shelves: dict[str, _Shelf] = {}
        self._changing = threading.Lock()

    # Reading: from the loop's thread, never blocks.

    def get(self, name: str, version: int | None = None) -> ServedModel:
        """A model that is ready; the default version where none is named.

        Raises:
            UnknownModelError: no such name, or no such version.
            ModelNotReadyError: it is on disk, but not loaded.
        """
        shelf = self._shelves.get(name)
        wanted = shelf.defaults[-1] if shelf and version is None and shelf.defaults else version
        if shelf and wanted in shelf.loaded:
            return shelf.loaded[wanted]
        on_disk = self.versions(name)
        if not on_disk or (version is not None and version not in on_disk):
            known = ", ".join(name for name, shelf in sorted(self._shelves.items()) if shelf.loaded) or "none"
            raise UnknownModelError(f"{_called(name, version)} is not known; loaded are: {known}")
        raise ModelNotReadyError(f"{_called(name, version)} is not loaded")

    def loaded(self) -> list[ServedModel]:
        """Every loaded version, by name and version."""
        return [
            shelf.loaded[version]
            for _, shelf in sorted(self._shelves.items())
            for version in sorted(shelf.loaded)
        ]

    def default_version(self, name: str) -> int | None:
        """The version that answers where none is named; None where none is loaded."""
        shelf = self._shelves.get(name)
        return shelf.defaults[-1] if shelf and shelf.defaults else None

    def versions(self, name: str) -> list[int]:
        """Versions on disk, oldest first; empty for a name that could leave the repository."""
        if not _is_name(name):
            return []
        folders = (self.root / name).glob(f"[0-9]*/{manifests.FILE}")
        return sorted(int(file.parent.name) for file in folders if file.parent.name.isdigit())

    def names(self) -> list[str]:
        """Names on disk."""
        files = self.root.glob(f"*/[0-9]*/{manifests.FILE}")
        return sorted({file.parent.parent.name for file in files})

    def index(self) -> list[ModelEntry]:
        """Every version on disk or in memory, with its state."""
        entries = []
        for name in sorted({*self.names(), *self._shelves}):
            states = self._shelves.get(name, _Shelf()).states
            for version in sorted({*self.versions(name), *states}):
                state, reason = states.get(version, (ModelState.UNAVAILABLE, "unloaded"))
                entries.append(ModelEntry(name, version, state, reason))
        return entries

    # Changing: each blocks, so the loop goes through the ``async`` forms below.

    def load(self, name: str, version: int | None = None, *, make_default: bool = True) -> ServedModel:
        """Load a version, the newest where none is named, and make it the default if so wished.

        A version that is loaded already is read anew, in place of the old one.

        Raises:
            UnknownModelError: it is not on disk.
            ModelLoadError: it cannot be loaded; what was loaded before stays.
        """
        with self._changing:
            on_disk = self.versions(name)
            wanted = max(on_disk, default=0) if version is None else version
            if wanted not in on_disk:
                raise UnknownModelError(self._missing(name, on_disk, wanted))
            shelf = self._shelves.setdefault(name, _Shelf())
            before = shelf.loaded.get(wanted)
            shelf.states[wanted] = (ModelState.LOADING, "")
            try:
                served = self._served(name, wanted)
            except ModelLoadError as error:
                state = ModelState.READY if before else ModelState.UNAVAILABLE
                # Callers read it, and where the repository lies is none of their business.
                told = str(error).replace(f"{self.root}{os.sep}", "")
                shelf.states[wanted] = (state, told)
                raise ModelLoadError(told) from error
            shelf.loaded[wanted] = served
            shelf.states[wanted] = (ModelState.READY, "")
            others = [v for v in shelf.defaults if v != wanted]
            shelf.defaults = [*others, wanted] if make_default else [wanted, *others]
        if before is not None:
            before.close()
        return served

    def announce(self, names: Iterable[str]) -> None:
        """Show the newest version of each name as LOADING, because somebody is about to load it."""
        with self._changing:
            for name in names:
                for version in self.versions(name)[-1:]:
                    self._shelves.setdefault(name, _Shelf()).states[version] = (ModelState.LOADING, "")

    def unload(self, name: str, version: int | None = None) -> None:
        """Unload a version, or all of them where none is named; the default falls back.

        Raises:
            UnknownModelError: nothing of that name or version is loaded.
        """
        with self._changing:
            shelf = self._shelves.get(name, _Shelf())
            wanted = list(shelf.loaded) if version is None else [version]
            if not wanted or any(v not in shelf.loaded for v in wanted):
                raise UnknownModelError(
                    f"model {name!r} is not loaded{'' if version is None else f' in version {version}'}"
                )
            leaving = [shelf.loaded.pop(v) for v in wanted]
            shelf.defaults = [v for v in shelf.defaults if v not in wanted]
            for v in wanted:
                shelf.states[v] = (ModelState.UNAVAILABLE, "unloaded")
        for served in leaving:
            served.close()

    def set_default(self, name: str, version: int) -> None:
        """Answer with a loaded version where none is named.

        Raises:
            ModelNotReadyError: it is not loaded.
        """
        with self._changing:
            shelf = self._shelves.get(name, _Shelf())
            if version not in shelf.loaded:
                raise ModelNotReadyError(f"version {version} of model {name!r} is not loaded")
            shelf.defaults = [*(v for v in shelf.defaults if v != version), version]

    def rollback(self, name: str) -> int:
        """Answer with the version that was the default before; returns it. Instant: it is still loaded.

        Raises:
            ModelNotReadyError: there is none.
        """
        with self._changing:
            shelf = self._shelves.get(name, _Shelf())
            if len(shelf.defaults) < 2:
                raise ModelNotReadyError(f"model {name!r} has no earlier version loaded")
            shelf.defaults = [shelf.defaults[-1], *shelf.defaults[:-1]]
            return shelf.defaults[-1]

    async def load_async(self, name: str, version: int | None = None) -> ServedModel:
        """``load`` without stopping the loop."""
        return await asyncio.to_thread(self.load, name, version)

    async def turn_to(self, name: str, version: int) -> ServedModel:
        """Make a version the default: at once where it is loaded beside the default, else by loading it.

        Raises:
            UnknownModelError, ModelLoadError: as ``load``.
        """
        shelf = self._shelves.get(name, _Shelf())
        if version in shelf.loaded and self.default_version(name) != version:
            with suppress(ModelNotReadyError):  # it was unloaded a moment ago
                self.set_default(name, version)
                return self.get(name, version)
        return await self.load_async(name, version)

    async def unload_async(self, name: str, version: int | None = None) -> None:
        """``unload`` without stopping the loop."""
        await asyncio.to_thread(self.unload, name, version)

    def close(self) -> None:
        """Unload everything. Blocks."""
        for name in list(self._shelves):
            if self._shelves[name].loaded:
                self.unload(name)

    def _missing(self, name: str, on_disk: Sequence[int], wanted: int) -> str:
        if not on_disk:
            return f"model {name!r}: the repository has no such model, only {', '.join(self.names())}"
        return (
            f"model {name!r}: the repository holds no version {wanted}, only {', '.join(map(str, on_disk))}"
        )

    def _served(self, name: str, version: int) -> ServedModel:
        served = ServedModel(
            folder=self.root / name / str(version),
            backend=self.backend,
            precision=self._precision,
            workers=self._workers,
            settings=self._batching,
        )
        if (served.name, served.version) != (name, version):
            served.close()
            raise ModelLoadError(
                f"{self.root / name / str(version)}: its manifest says {served.name} {served.version}"
            )
        return served


def _called(name: str, version: int | None) -> str:
    return f"model {name!r}" if version is None else f"version {version} of model {name!r}"


def _is_name(name: str) -> bool:
    """Whether it can be a folder of the repository, and lead nowhere else."""
    return (
        name not in {"", ".", ".."} and Path(name).name == name and len(name) < MAX_NAME and "\0" not in name
    )
