# SPDX-License-Identifier: Apache-2.0
"""The same networks by another runtime."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from models.architectures import make_config
from models.checks import example_inputs
from server.inference.errors import ModelLoadError
from server.inference.networks import Networks
from server.inference.openvino_backend import OpenVinoBackend
from server.inference.settings import InferenceSettings
from server.inference.torchscript import TorchScriptBackend
from tests.inference import artifacts

KINDS = ("bin_ctabl", "book_memory", "book_mlp", "cnn_lstm", "mlplob", "mpd_transformer", "tlob")
SMALL = {
    "cnn_lstm": {"channels": (8, 16), "hidden": 16},
    "mpd_transformer": {"width": 16, "layers": 2, "heads": 2},
    "tlob": {"spatial": (4, 8, 8), "width": 16, "layers": 2, "heads": 2},
}
INSTALLED = find_spec("openvino") is not None
needs_openvino = pytest.mark.skipif(not INSTALLED, reason="needs the extra openvino")


@pytest.mark.skipif(INSTALLED, reason="openvino is installed")
def test_without_the_extra_the_setting_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"inference -> backend: OpenVINO is not installed: pip install"):
        Networks(InferenceSettings(repository=tmp_path, backend="openvino"))


@needs_openvino
@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_torchscript_does(tmp_path, kind):
    settings = SMALL.get(kind, {})
    folder = artifacts.write(tmp_path, kind=kind, **settings)
    ours, theirs = (b.load(folder, precision="fp32") for b in (TorchScriptBackend(), OpenVinoBackend()))
    for batch in (1, 5):
        inputs = example_inputs(make_config(kind, {"horizons": artifacts.HORIZONS, **settings}), batch=batch)
        arrays = [tensor.numpy().copy() for tensor in inputs]
        for mine, other in zip(ours.run(*arrays), theirs.run(*arrays), strict=True):
            assert other.dtype == np.float32
            np.testing.assert_allclose(other, mine, atol=1e-4)


@needs_openvino
def test_answers_are_the_callers_own(tmp_path):
    model = OpenVinoBackend().load(artifacts.write(tmp_path), precision="fp32")
    first = model.run(np.zeros((1, 100, 20, 4), np.float32))
    kept = [head.copy() for head in first]
    model.run(torch.rand(1, 100, 20, 4).numpy())
    for head, before in zip(first, kept, strict=True):
        np.testing.assert_array_equal(head, before)


@needs_openvino
def test_a_precision_it_does_not_compute_in_is_refused(tmp_path):
    folder = artifacts.write(tmp_path)
    with pytest.raises(ModelLoadError, match="computes in fp32 or bf16, not in int8"):
        OpenVinoBackend().load(folder, precision="int8")
