# SPDX-License-Identifier: Apache-2.0
"""One version of one network, ready to answer."""

from pathlib import Path

import numpy as np

from models.manifest import Manifest
from server.inference.backend import Backend, Inputs, Outputs, Runnable
from server.inference.batching import DEFAULT_PRIORITY, Batcher, BatchSettings
from server.inference.errors import InvalidInputError, ModelLoadError, QueueFullError
from server.inference.statistics import Statistics
from server.inference.workers import Workers

#: Runs of each batch size before a model counts as ready; TorchScript settles after two.
WARM_UPS = 3


class ServedModel:
    """A loaded network behind its batcher."""

    def __init__(
        self,
        *,
        folder: Path,
        backend: Backend,
        precision: str,
        workers: Workers,
        settings: BatchSettings,
    ) -> None:
        """Load and warm up; blocks.

        Raises:
            ModelLoadError: the artifact cannot be loaded, or cannot answer.
        """
        runnable = backend.load(folder, precision=precision)
        self.manifest: Manifest = runnable.manifest
        self.backend = backend
        self.precision = precision
        self.settings = settings
        self.statistics = Statistics()
        self._shapes = tuple(spec.shape for spec in self.manifest.inputs)
        _warm_up(runnable, self._shapes, settings.max_batch)
        self._batcher = Batcher(runnable, workers=workers, settings=settings, statistics=self.statistics)

    @property
    def name(self) -> str:
        """Name in the repository."""
        return self.manifest.name

    @property
    def version(self) -> int:
        """Version in the repository."""
        return self.manifest.version

    async def infer(
        self,
        inputs: Inputs,
        *,
        priority: int = DEFAULT_PRIORITY,
        timeout_s: float | None = None,
        deadline_s: float | None = None,
    ) -> Outputs:
        """Answer a batch, each input (B, *shape) float32, together with whoever asks at the same time.

        ``timeout_s`` and ``deadline_s`` as in ``Batcher.infer``.

        Raises:
            InvalidInputError: number, dtype or shape is wrong, or the batch too large.
            InferenceError: as ``Batcher.infer``.
        """
        self._check(inputs)
        return await self._batcher.infer(
            inputs, priority=priority, timeout_s=timeout_s, deadline_s=deadline_s
        )

    def refusal(self, deadline_s: float | None) -> QueueFullError | None:
        """What one more item would be told now; see ``Batcher.refusal``."""
        return self._batcher.refusal(deadline_s=deadline_s)

    def close(self) -> None:
        """Refuse what comes, answer what was let in before. Blocks."""
        self._batcher.close()

    def _check(self, inputs: Inputs) -> None:
        specs = self.manifest.inputs
        if len(inputs) != len(specs):
            names = ", ".join(spec.name for spec in specs)
            raise InvalidInputError(f"inputs: {len(inputs)} given; expected {len(specs)}: {names}")
        for spec, array in zip(specs, inputs, strict=True):
            if array.dtype != np.float32 or array.shape[1:] != spec.shape or not len(array):
                wanted = ", ".join(["B", *map(str, spec.shape)])
                raise InvalidInputError(
                    f"{spec.name}: {array.dtype} {array.shape}; expected float32 ({wanted})"
                )
        if any(len(array) != len(inputs[0]) for array in inputs):
            raise InvalidInputError("inputs: their batches differ in length")


def _warm_up(runnable: Runnable, shapes: tuple[tuple[int, ...], ...], max_batch: int) -> None:
    for batch in (1, max_batch):
        for _ in range(WARM_UPS):
            outputs = runnable.run(*(np.zeros((batch, *shape), np.float32) for shape in shapes))
    if not all(np.isfinite(output).all() for output in outputs):
        raise ModelLoadError(f"{runnable.manifest.name}: answers an empty input with infinities")
