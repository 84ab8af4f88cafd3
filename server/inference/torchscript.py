# SPDX-License-Identifier: Apache-2.0
"""Networks run by PyTorch as they were compiled."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models import artifact
from models.artifact import Artifact
from models.manifest import ArtifactError, Manifest
from server.inference.backend import Outputs
from server.inference.errors import ModelLoadError


class TorchScriptBackend:
    """The default backend."""

    name = "torchscript"
    platform = "pytorch_torchscript"

    def load(self, folder: Path, *, precision: str) -> "TorchScriptModel":
        """Load one precision of an artifact.

        Raises:
            ModelLoadError: it is missing, damaged, altered, or has no such precision.
        """
        try:
            return TorchScriptModel(artifact.load(folder, precision=precision))
        except ArtifactError as error:
            raise ModelLoadError(str(error)) from error


class TorchScriptModel:
    """A loaded artifact, from arrays to arrays."""

    def __init__(self, loaded: Artifact) -> None:
        self.manifest: Manifest = loaded.manifest
        self._network = loaded.network

    def run(self, *inputs: NDArray[np.float32]) -> Outputs:
        """Answer a batch; the arrays must be writeable, though nothing is written to them."""
        logits, confidence, expected = self._network(*map(torch.from_numpy, inputs))
        return logits.numpy(), confidence.numpy(), expected.numpy()
