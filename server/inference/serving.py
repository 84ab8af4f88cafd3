# SPDX-License-Identifier: Apache-2.0
"""The repository's networks as a face sees them."""

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from models.manifest import Manifest, TensorSpec
from server.inference.backend import Inputs
from server.inference.batching import DEFAULT_PRIORITY, PRIORITY_LEVELS
from server.inference.errors import ControlError, QueueFullError
from server.inference.repository import ModelRepository
from server.inference.servable import (
    Array,
    Batching,
    Bounded,
    ModelEntry,
    ModelForm,
    TensorForm,
    Wishes,
)
from server.inference.served import ServedModel
from server.inference.statistics import Counts


class ServedNetwork(Bounded):
    """One loaded network."""

    def __init__(self, served: ServedModel) -> None:
        self.form = form_of(served)
        self._served = served
        self._names = [spec.name for spec in served.manifest.inputs]

    async def answer(self, inputs: Mapping[str, Array], wishes: Wishes) -> Sequence[Array]:
        """The heads, in the order of the manifest.

        Raises:
            InferenceError: as ``Batcher.infer``.
        """
        given: Inputs = tuple(inputs[name] for name in self._names)
        return await self._served.infer(
            given,
            priority=_priority(wishes.priority),
            timeout_s=wishes.timeout_s,
            deadline_s=None if wishes.deadline is None else wishes.deadline.remaining_s(),
        )

    def refusal(self, deadline_s: float | None) -> QueueFullError | None:
        """See ``Bounded.refusal``."""
        return self._served.refusal(deadline_s)

    def counts(self) -> Counts:
        """What it has done since it was loaded."""
        return self._served.statistics.snapshot()


class ServedNetworks:
    """The repository as a source of models; ``explicit``: callers may load and unload."""

    def __init__(self, repository: ModelRepository, *, explicit: bool) -> None:
        self._repository = repository
        self._explicit = explicit
        self._faces: WeakKeyDictionary[ServedModel, ServedNetwork] = WeakKeyDictionary()

    def get(self, name: str, version: int | None) -> ServedNetwork:
        """See ``ModelSource.get``."""
        return self._face(self._repository.get(name, version))

    def loaded(self) -> Sequence[ServedNetwork]:
        """See ``ModelSource.loaded``."""
        return [self._face(served) for served in self._repository.loaded()]

    def index(self) -> Sequence[ModelEntry]:
        """See ``ModelSource.index``."""
        return self._repository.index()

    async def load(self, name: str, version: int | None) -> None:
        """See ``ModelSource.load``."""
        self._check_control()
        if version is None:
            await self._repository.load_async(name)
        else:
            await self._repository.turn_to(name, version)

    async def unload(self, name: str) -> None:
        """See ``ModelSource.unload``."""
        self._check_control()
        await self._repository.unload_async(name)

    def _check_control(self) -> None:
        if not self._explicit:
            raise ControlError(
                'explicit model load / unload is not allowed; set [inference] control = "explicit"'
            )

    def _face(self, served: ServedModel) -> ServedNetwork:
        face = self._faces.get(served)
        if face is None:
            face = self._faces[served] = ServedNetwork(served)
        return face


def form_of(served: ServedModel) -> ModelForm:
    """What a network says about itself."""
    manifest, settings = served.manifest, served.settings
    return ModelForm(
        name=served.name,
        version=served.version,
        platform=served.backend.platform,
        backend=served.backend.name,
        inputs=tuple(TensorForm(spec.name, spec.datatype, spec.shape) for spec in manifest.inputs),
        outputs=tuple(
            TensorForm(spec.name, spec.datatype, spec.shape, labels=_labels(spec, manifest))
            for spec in manifest.outputs
        ),
        max_batch=settings.max_batch,
        batching=Batching(settings.queue_delay_s, settings.max_queue, PRIORITY_LEVELS, DEFAULT_PRIORITY),
        parameters={
            "architecture": manifest.architecture,
            "precision": served.precision,
            "horizons": ",".join(map(str, manifest.horizons)),
            "horizon_unit": manifest.horizon_unit,
            "directions": ",".join(manifest.directions),
            "parameter_count": str(manifest.parameters),
            "market": manifest.market.symbol,
            "seal": manifest.seal,
            "purpose": manifest.purpose,
            **{f"encoding.{spec.name}": spec.encoding for spec in manifest.inputs},
        },
    )


def _labels(spec: TensorSpec, manifest: Manifest) -> tuple[str, ...]:
    """``UP@10`` for a direction over a horizon, ``@10`` where there is one value a horizon."""
    directions = manifest.directions if len(spec.shape) > 1 else ("",)
    return tuple(f"{direction}@{horizon}" for horizon in manifest.horizons for direction in directions)


def _priority(wished: int) -> int:
    return wished if 0 < wished <= PRIORITY_LEVELS else DEFAULT_PRIORITY
