# SPDX-License-Identifier: Apache-2.0
"""One version of one network, ready to answer."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.manifest import Manifest
from server.inference.backend import Backend, Outputs, Runnable
from server.inference.batching import DEFAULT_PRIORITY, Batcher, BatchSettings
from server.inference.errors import InvalidInputError, ModelLoadError
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
        self.input_shape = self.manifest.inputs[0].shape
        _warm_up(runnable, self.input_shape, settings.max_batch)
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
        inputs: NDArray[np.float32],
        *,
        priority: int = DEFAULT_PRIORITY,
        timeout_s: float | None = None,
    ) -> Outputs:
        """Answer a batch (B, *shape) float32, together with whoever asks at the same time.

        Raises:
            InvalidInputError: dtype or shape is wrong, or the batch too large.
            InferenceError: as ``Batcher.infer``.
        """
        if inputs.dtype != np.float32 or inputs.shape[1:] != self.input_shape or not len(inputs):
            wanted = ", ".join(["B", *map(str, self.input_shape)])
            raise InvalidInputError(
                f"{self.manifest.inputs[0].name}: {inputs.dtype} {inputs.shape}; expected float32 ({wanted})"
            )
        return await self._batcher.infer(inputs, priority=priority, timeout_s=timeout_s)

    def close(self) -> None:
        """Refuse what waits, finish what runs. Blocks."""
        self._batcher.close()


def _warm_up(runnable: Runnable, shape: tuple[int, ...], max_batch: int) -> None:
    for batch in (1, max_batch):
        for _ in range(WARM_UPS):
            outputs = runnable.run(np.zeros((batch, *shape), np.float32))
    if not all(np.isfinite(output).all() for output in outputs):
        raise ModelLoadError(f"{runnable.manifest.name}: answers an empty input with infinities")
