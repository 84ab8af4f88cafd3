# SPDX-License-Identifier: Apache-2.0
"""The networks in the repository are whole, honest about themselves, and better than no network."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models import artifact
from models.architectures import ARCHITECTURES, make_config
from models.checks import example_inputs

ROOT = Path(__file__).parents[2] / "models" / "weights"
FOLDERS = sorted(file.parent for file in ROOT.glob("*/*/manifest.json"))


@pytest.fixture(params=FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def folder(request):
    return request.param


def test_at_least_one_network_is_shipped():
    assert "bin_ctabl" in {folder.parent.name for folder in FOLDERS}


def test_it_loads_and_answers(folder):
    loaded = artifact.load(folder)
    manifest = loaded.manifest
    assert (manifest.name, str(manifest.version)) == (folder.parent.name, folder.name)
    assert manifest.architecture in ARCHITECTURES
    config = make_config(manifest.architecture, manifest.config)
    logits, confidence, expected = loaded.network(*example_inputs(config, batch=3))
    assert logits.shape == (3, len(manifest.horizons), 3)
    for head in (logits, confidence, expected):
        assert torch.isfinite(head).all()


def test_its_files_are_small_and_name_no_machine(folder):
    text = (folder / "manifest.json").read_text()
    assert "/home" not in text
    assert "/work" not in text
    # The largest: 4.8 M parameters in fp32, bf16 and int8, and a report.
    assert sum(file.stat().st_size for file in folder.iterdir()) < 36 * 2**20


def test_its_manifest_says_how_good_it_is(folder):
    metrics = artifact.load(folder).manifest.metrics
    assert metrics is not None
    for row in metrics.horizons:
        assert row.macro_f1 > row.macro_f1_persistence > row.macro_f1_majority
        assert np.mean(row.macro_f1_folds) == pytest.approx(row.macro_f1, abs=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_its_smaller_weights_say_what_they_cost(folder, precision):
    loaded, full = artifact.load(folder, precision=precision), artifact.load(folder)
    weights = loaded.manifest.weights[precision]
    assert weights.bytes < 0.65 * loaded.manifest.weights["fp32"].bytes
    assert set(weights.macro_f1_loss) == set(weights.ece_change) == set(loaded.manifest.horizons)
    assert all(abs(loss) < 0.005 for loss in weights.macro_f1_loss.values())
    inputs = example_inputs(make_config(loaded.manifest.architecture, loaded.manifest.config), batch=3)
    for mine, theirs in zip(full.network(*inputs)[:2], loaded.network(*inputs)[:2], strict=True):
        torch.testing.assert_close(theirs, mine, rtol=0.05, atol=0.1)
