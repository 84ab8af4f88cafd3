# SPDX-License-Identifier: Apache-2.0
"""Smaller weights: the same network to within what their steps allow, in fewer bytes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import artifact
from models.architectures import ARCHITECTURES, architecture, make_config
from models.checks import Specimen
from models.manifest import ArtifactError, Manifest, read_manifest
from models.reducing import PRECISIONS, int8_of, reduced
from tests.models.shipped import BARE


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1), st.integers(0, 2**31))
def test_int8_is_within_half_a_step_of_each_output(rows: int, columns: int, axis: int, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    small, scales = int8_of(torch.from_numpy(weights), axis)
    steps = np.abs(weights).max(axis=1 - axis, keepdims=True) / 127
    np.testing.assert_allclose(scales.numpy(), steps, rtol=1e-6)
    assert np.all(np.abs(small.numpy() * steps - weights) <= steps * 0.5001)


def test_zeros_stay_zeros() -> None:
    small, scales = int8_of(torch.zeros(3, 4), 0)
    assert not small.any()
    assert torch.isfinite(scales).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_architecture_in_fewer_bytes(name: str, precision: str) -> None:
    specimen = Specimen(architecture(name), make_config(name, {}))
    inputs = specimen.inputs(2)
    content = artifact.compile_network(specimen.network(), inputs)
    small = reduced(content, precision)
    assert len(small) < (0.7 if precision == "bf16" else 0.5) * len(content)
    network = artifact.load_bytes(small)
    for _ in range(3):  # the executor rewrites what it has seen
        answers = network(*inputs)
    for mine, theirs in zip(artifact.load_bytes(content)(*inputs), answers, strict=True):
        torch.testing.assert_close(theirs, mine, rtol=0.05, atol=0.1)


def test_bf16_is_the_network_with_rounded_weights() -> None:
    network = torch.nn.Linear(32, 8).eval()
    inputs = torch.randn(4, 32)
    small = artifact.load_module(reduced(artifact.compile_network(Thrice(network), (inputs,)), "bf16"))
    rounded = network.weight.detach().bfloat16().float()
    expected = inputs @ rounded.T + network.bias.detach()
    torch.testing.assert_close(small(inputs)[0], expected)


class Thrice(torch.nn.Module):
    """One layer's answer in each head's place."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        answer = self.layer(x)
        return answer, answer, answer


def test_nothing_to_make_smaller() -> None:
    content = artifact.compile_network(Thrice(torch.nn.Identity()), (torch.zeros(1),))
    with pytest.raises(ArtifactError, match="no matrix of weights"):
        reduced(content, "int8")
    with pytest.raises(ValueError, match="must be one of bf16, int8"):
        reduced(content, "int4")


def test_an_added_precision_is_sealed_and_loaded(tmp_path) -> None:
    specimen = Specimen(architecture("book_mlp"), make_config("book_mlp", {"horizons": [10, 50]}))
    network, inputs = specimen.network(), specimen.inputs(2)
    artifact.save({"fp32": network}, inputs, Manifest.model_validate(BARE), tmp_path)
    content = reduced((tmp_path / "model.pt").read_bytes(), "int8")
    artifact.add_weights(
        tmp_path, "int8", content, macro_f1_loss={10: 0.1}, ece_change={10: 0.2}, largest_difference=0.3
    )
    weights = read_manifest(tmp_path).weights
    assert sorted(weights) == ["fp32", "int8"]
    assert weights["int8"].ece_change == {10: 0.2}
    assert artifact.load(tmp_path, precision="int8").precision == "int8"
    with pytest.raises(ArtifactError, match="has no bf16 weights; it has fp32, int8"):
        artifact.load(tmp_path, precision="bf16")
