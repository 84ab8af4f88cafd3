# SPDX-License-Identifier: Apache-2.0
"""The room's front door: every network of a server, loaded and ready."""

import asyncio
from collections.abc import Collection, Sequence

import structlog

from server.inference.backend import Backend
from server.inference.batching import BatchSettings
from server.inference.errors import InferenceError
from server.inference.forecaster import NetworkForecaster
from server.inference.repository import ModelRepository
from server.inference.serving import ServedNetworks
from server.inference.settings import ALL, InferenceSettings, NetworkSettings
from server.inference.torchscript import TorchScriptBackend
from server.inference.workers import Workers

log = structlog.get_logger(__name__)


class Networks:
    """Owns the workers and the repository. Make it before serving: loading blocks."""

    def __init__(self, settings: InferenceSettings, *, first: Collection[str] | None = None) -> None:
        """Load the newest version of the networks named in ``first``; None: of all on disk.

        Raises:
            ValueError: one cannot be loaded; says which and why.
        """
        self.settings = settings
        self._stopped = False
        backend = _backend(settings)
        self._workers = Workers(settings.workers)
        self.repository = ModelRepository(
            settings.repository,
            backend=backend,
            workers=self._workers,
            batching=BatchSettings(
                max_batch=settings.max_batch,
                queue_delay_s=settings.queue_delay_ms / 1e3,
                max_queue=settings.max_queue,
            ),
            precision=settings.precision,
        )
        self.models = ServedNetworks(self.repository, explicit=settings.control == "explicit")
        try:
            for name in self.repository.names():
                if first is None or name in first:
                    self.repository.load(name)
        except InferenceError as error:
            self._close()
            raise ValueError(f"inference -> repository: {settings.repository}: {error}") from error

    def announce_rest(self) -> list[str]:
        """The networks that ``[inference] load`` names and that are not loaded yet; from now on, LOADING."""
        wished = self.settings.load
        rest = [
            name
            for name in self.repository.names()
            if (ALL in wished or name in wished) and not self._loaded(name)
        ]
        self.repository.announce(rest)
        return rest

    async def load_rest(self, names: Sequence[str]) -> None:
        """Load networks one after the other, off the loop; one that cannot be loaded is logged."""
        for name in names:
            if self._stopped:
                return
            try:
                await self.repository.load_async(name)
            except InferenceError as error:
                log.error("network_not_loaded", network=name, problem=str(error))

    def stop_loading(self) -> None:
        """Begin no further network of ``load_rest``."""
        self._stopped = True

    def forecaster(self, settings: NetworkSettings) -> NetworkForecaster:
        """A network as a forecaster.

        Raises:
            ValueError: the network, its version or its horizon is not there; names the setting.
        """
        version = int(settings.version) if settings.version else None
        try:
            if version is not None and version not in self._loaded(settings.artifact):
                self.repository.load(settings.artifact, version, make_default=False)
            return NetworkForecaster(
                self.repository, artifact=settings.artifact, version=version, horizon=settings.horizon
            )
        except InferenceError as error:
            where = f"inference -> repository: {self.settings.repository}"
            raise ValueError(f"artifact: {error} ({where})") from error

    def _loaded(self, name: str) -> list[int]:
        return [served.version for served in self.repository.loaded() if served.name == name]

    async def close(self) -> None:
        """Finish what runs, refuse what waits, end the threads."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.repository.close()
        self._workers.close()


def _backend(settings: InferenceSettings) -> Backend:
    """What the settings name.

    Raises:
        ValueError: it is not installed.
    """
    if settings.backend == "torchscript":
        return TorchScriptBackend()
    from server.inference.openvino_backend import OpenVinoBackend  # noqa: PLC0415 - an extra

    try:
        return OpenVinoBackend(workers=settings.workers)
    except ValueError as error:
        raise ValueError(f"inference -> backend: {error}") from None
