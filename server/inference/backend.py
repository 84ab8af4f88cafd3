# SPDX-License-Identifier: Apache-2.0
"""What runs a network: TorchScript by default, others where they were measured to be faster."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.manifest import Manifest

#: Direction logits (B, H, 3), confidence (B, H), expected return (B, H) in bps; float32.
Outputs = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
#: One array (B, *shape) float32 for each input of a model, in the order of its manifest.
Inputs = tuple[NDArray[np.float32], ...]


class Runnable(Protocol):
    """A loaded network. Called from one thread at a time of a fixed set."""

    @property
    def manifest(self) -> Manifest:
        """What it says about itself."""
        ...

    def run(self, *inputs: NDArray[np.float32]) -> Outputs:
        """Answer a batch: each input (B, *shape), writeable."""
        ...


class Backend(Protocol):
    """Loads artifacts."""

    @property
    def name(self) -> str:
        """As in settings and metadata."""
        ...

    @property
    def platform(self) -> str:
        """As Open Inference Protocol clients know it."""
        ...

    def load(self, folder: Path, *, precision: str) -> Runnable:
        """Load one precision of an artifact.

        Raises:
            ModelLoadError: it cannot be loaded.
        """
        ...
