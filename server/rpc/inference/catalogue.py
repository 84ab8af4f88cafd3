# SPDX-License-Identifier: Apache-2.0
"""All models that the protocol's callers see, wherever they come from."""

from collections.abc import Sequence

from server.inference.errors import ControlError, InferenceError, ModelNotReadyError, UnknownModelError
from server.inference.servable import ModelEntry, ModelSource, ModelState, Servable
from server.rpc.inference.faults import fault, internal, invalid
from server.rpc.status import StatusError

#: Reason of a version that nobody wants loaded, as the repository gives it.
UNLOADED = "unloaded"


class ModelCatalogue:
    """Several sources as one; where two know a name, the first answers."""

    def __init__(self, sources: Sequence[ModelSource]) -> None:
        self._sources = sources

    def get(self, name: str, version: str = "") -> Servable:
        """A model that is ready; the server's choice where no version is given.

        Raises:
            StatusError: NOT_FOUND, UNAVAILABLE, or INVALID_ARGUMENT for a version that is no number.
        """
        number = version_number(version)
        error: InferenceError = UnknownModelError("the server has no models")
        for source in self._sources:
            try:
                return source.get(name, number)
            except ModelNotReadyError as not_ready:
                raise fault(not_ready, name) from None
            except UnknownModelError as unknown:
                error = unknown
        raise fault(error, name)

    def find(self, name: str, version: str = "") -> Servable | None:
        """``get``; None where there is no such model or it is not ready."""
        try:
            return self.get(name, version)
        except StatusError:
            return None

    def loaded(self) -> list[Servable]:
        """Every model that is ready."""
        return [model for source in self._sources for model in source.loaded()]

    def index(self) -> list[ModelEntry]:
        """Every version known, with its state."""
        return [entry for source in self._sources for entry in source.index()]

    @property
    def ready(self) -> bool:
        """Whether every version is ready, but for those that were never loaded or unloaded on purpose."""
        return not any(
            entry.state is ModelState.LOADING
            or (entry.state is ModelState.UNAVAILABLE and entry.reason != UNLOADED)
            for entry in self.index()
        )

    async def load(self, name: str, version: str = "") -> None:
        """Load a model.

        Raises:
            StatusError: INTERNAL where it cannot be loaded, UNAVAILABLE where callers may not.
        """
        number = version_number(version)
        error: InferenceError = UnknownModelError("no source of models has it")
        for source in self._sources:
            try:
                return await source.load(name, number)
            except UnknownModelError as unknown:
                error = unknown
            except InferenceError as failed:
                raise fault(failed, name) from None
        raise internal(f"failed to load {name!r}, {error}")

    async def unload(self, name: str) -> None:
        """Unload a model.

        Raises:
            StatusError: NOT_FOUND where none is loaded, UNAVAILABLE where callers may not.
        """
        error: InferenceError = UnknownModelError("no source of models has it")
        for source in self._sources:
            try:
                return await source.unload(name)
            except UnknownModelError as unknown:
                error = unknown
            except ControlError as refused:
                raise fault(refused, name) from None
        raise fault(error, name)


def version_number(version: str) -> int | None:
    """The version; None for an empty one.

    Raises:
        StatusError: INVALID_ARGUMENT; it is no whole number above 0.
    """
    if not version:
        return None
    if not (version.isascii() and version.isdigit() and int(version[:19]) > 0) or len(version) > 18:
        raise invalid(
            f"failed to get model version from specified version string {version!r}: an integer > 0 is wanted"
        )
    return int(version)
