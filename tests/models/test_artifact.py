# SPDX-License-Identifier: Apache-2.0
"""Artifacts: what is written is what is loaded, and nothing else is."""

import hashlib
import json
import warnings

import pytest
import torch

from models import artifact
from models.architectures import architecture, make_config
from models.checks import Specimen
from models.manifest import ArtifactError, Manifest, read_manifest, write_manifest
from tests.models.shipped import BARE

SPECIMEN = Specimen(architecture("bin_ctabl"), make_config("bin_ctabl", {"horizons": [10, 50]}))


@pytest.fixture
def folder(tmp_path):
    network = SPECIMEN.network()
    artifact.save({"fp32": network}, SPECIMEN.inputs(2), Manifest.model_validate(BARE), tmp_path / "1")
    return tmp_path / "1"


def test_loaded_answers_as_saved(folder):
    loaded = artifact.load(folder)
    inputs = SPECIMEN.inputs(5)
    with torch.inference_mode():
        for mine, theirs in zip(SPECIMEN.network().eval()(*inputs), loaded.network(*inputs), strict=True):
            torch.testing.assert_close(theirs, mine, rtol=0, atol=1e-5)
    assert not loaded.network(*inputs)[0].requires_grad
    assert loaded.manifest.weights["fp32"].largest_difference <= artifact.TOLERANCE


def test_a_changed_byte_of_the_weights_is_refused(folder):
    file = folder / "model.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.pt: was altered: its sha256"):
        artifact.load(folder)


def test_a_changed_manifest_is_refused(folder):
    file = folder / "manifest.json"
    content = json.loads(file.read_text())
    content["horizons"] = [10, 60]
    file.write_text(json.dumps(content))
    with pytest.raises(ArtifactError, match=r"manifest\.json: was altered after it was sealed"):
        artifact.load(folder)


def test_a_seal_holds_for_what_was_written_whatever_fields_came_later(folder):
    file = folder / "manifest.json"
    content = json.loads(file.read_text())
    del content["purpose"], content["seal"]
    seal = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    file.write_text(json.dumps({**content, "seal": seal}))
    assert read_manifest(folder).purpose == ""


def test_weights_of_another_network_are_refused_even_with_their_own_hash(folder):
    (folder / "model.pt").write_bytes(b"PK nothing")
    manifest = read_manifest(folder)
    digest = hashlib.sha256(b"PK nothing").hexdigest()
    weights = manifest.weights["fp32"].model_copy(update={"sha256": digest})
    write_manifest(manifest.model_copy(update={"weights": {"fp32": weights}}), folder)
    with pytest.raises(ArtifactError, match="not a compiled network"):
        artifact.load(folder)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "manifest.json: cannot be read"),
        ("{", "manifest.json: file: Invalid JSON"),
        ("{}", "manifest.json: name: Field required"),
    ],
)
def test_no_manifest_no_network(tmp_path, content, complaint):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match=complaint):
        artifact.load(tmp_path)


def test_an_unknown_field_is_refused(folder):
    file = folder / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "extra": 1}))
    with pytest.raises(ArtifactError, match="extra: Extra inputs are not permitted"):
        artifact.load(folder)


def test_a_precision_that_is_not_there(folder):
    with pytest.raises(ArtifactError, match="has no bf16 weights; it has fp32"):
        artifact.load(folder, precision="bf16")


def test_weights_gone(folder):
    (folder / "model.pt").unlink()
    with pytest.raises(ArtifactError, match=r"model\.pt: cannot be read"):
        artifact.load(folder)


def test_deprecation_warnings_stop_at_this_door(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        artifact.compile_network(SPECIMEN.network(), SPECIMEN.inputs(1))
        artifact.load(folder)


def test_a_compiled_network_that_differs_is_not_written(tmp_path):
    class Fickle(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            base = x.mean() if torch.jit.is_scripting() else x.mean() + 1.0
            return base, base, base

    with pytest.raises(ArtifactError, match="differs from its source by 1"):
        artifact.save({"fp32": Fickle()}, (torch.zeros(1, 2),), Manifest.model_validate(BARE), tmp_path)
    assert not (tmp_path / "manifest.json").exists()
