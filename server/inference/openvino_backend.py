# SPDX-License-Identifier: Apache-2.0
"""Networks run by OpenVINO, converted from the compiled artifact.

It needs ``pip install 'consilience-server[openvino]'``. Precision bf16 is arithmetic
here, not storage: the fp32 weights are loaded and the processor computes in bf16
where it can. Which backend is the faster depends
on network and processor: ``python -m benchmarks.inference.backends``.
"""

import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models import artifact
from models.artifact import DEFAULT_PRECISION
from models.manifest import ArtifactError, Manifest
from server.inference.backend import Outputs
from server.inference.errors import ModelLoadError

#: Its name for a precision.
HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoBackend:
    """Loads artifacts into OpenVINO; one thread of computation for each worker."""

    name = "openvino"
    platform = "openvino"

    def __init__(self, *, workers: int = 1) -> None:
        """Start it.

        Raises:
            ValueError: it is not installed.
        """
        try:
            import openvino  # noqa: PLC0415 - an extra
        except ImportError:
            raise ValueError(
                "OpenVINO is not installed: pip install 'consilience-server[openvino]'"
            ) from None
        self._openvino: Any = openvino
        self._core = openvino.Core()
        self._workers = workers

    def load(self, folder: Path, *, precision: str) -> "OpenVinoModel":
        """Load an artifact, to be computed in fp32 or bf16.

        Raises:
            ModelLoadError: it is missing, damaged, altered; or it cannot be converted; or the precision
                is another, or beyond this processor.
        """
        hint = HINTS.get(precision)
        if hint is None:
            raise ModelLoadError(f"{folder}: OpenVINO computes in {' or '.join(HINTS)}, not in {precision}")
        if hint == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ModelLoadError(f"{folder}: this processor has no bf16 instructions; use fp32")
        try:
            manifest, module = artifact.load_script(folder, precision=DEFAULT_PRECISION)
        except ArtifactError as error:
            raise ModelLoadError(str(error)) from error
        try:
            return OpenVinoModel(manifest, self._compiled(manifest, module, hint))
        except RuntimeError as error:
            raise ModelLoadError(
                f"{folder}: OpenVINO cannot take it: {str(error).splitlines()[0]}"
            ) from error

    def _compiled(self, manifest: Manifest, module: torch.jit.ScriptModule, hint: str) -> Any:
        shapes = [spec.shape for spec in manifest.inputs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            converted = self._openvino.convert_model(
                module,
                example_input=tuple(torch.zeros(2, *shape) for shape in shapes),
                input=[self._openvino.PartialShape([-1, *shape]) for shape in shapes],
            )
        for unused in converted.get_parameters()[len(shapes) :]:
            converted.remove_parameter(unused)
        threads = str(self._workers)
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "INFERENCE_PRECISION_HINT": hint,
        }
        return self._core.compile_model(converted, "CPU", settings)


class OpenVinoModel:
    """A loaded artifact, from arrays to arrays; every thread has a request of its own."""

    def __init__(self, manifest: Manifest, compiled: Any) -> None:
        self.manifest = manifest
        self._compiled = compiled
        self._own = threading.local()

    def run(self, *inputs: NDArray[np.float32]) -> Outputs:
        """Answer a batch."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        answers = request.infer(list(inputs))
        logits, confidence, expected = (answers[output] for output in self._compiled.outputs)
        return logits, confidence, expected
