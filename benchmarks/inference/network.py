# SPDX-License-Identifier: Apache-2.0
"""A CNN-LSTM of the shipped size with fresh weights: what is measured here does not depend on training."""

from pathlib import Path

import torch

from models import artifact
from models.architectures import architecture, plain_config
from models.manifest import Decision, LabelSpec, Manifest, MarketSpec, Provenance
from models.training.describe import input_tensor, output_tensors
from models.version import CODE_VERSION

NAME = "cnn_lstm"
ROWS, FEATURES = 60, 112
INPUT = "feature_rows"


def write_network(root: Path) -> Path:
    """Write ``root/cnn_lstm/1`` in fp32; returns the folder."""
    torch.manual_seed(0)
    kind = architecture(NAME)
    config = kind.config()
    network = kind.build(config).eval()
    horizons = config.horizons
    nothing = tuple((0.0, 0.0, 0.0) for _ in horizons)
    manifest = Manifest(
        name=NAME,
        version=1,
        architecture=NAME,
        config=plain_config(config),
        parameters=network.parameter_count(),
        created="2026-01-01T00:00:00Z",
        code_version=CODE_VERSION,
        inputs=tuple(input_tensor(encoding) for encoding in config.encodings),
        outputs=output_tensors(len(horizons)),
        horizons=horizons,
        primary_horizon=horizons[0],
        labels=LabelSpec(kind="none", alphas=(), rule="none", rows=(0, 0)),
        decision=Decision(rule="argmax", call_offsets=nothing),
        market=MarketSpec(symbol="NONE", venue="", tick_size=1, lot_size=1),
        provenance=Provenance(
            recording="", recording_sha256="", rows=0, source="", train_rows=(0, 0), validation_rows=(0, 0),
            settings={}, seed=0, epochs_run=0, best_epoch=0, seconds=0, device="cpu", note="fresh weights",
        ),
        weights={},
    )  # fmt: skip
    folder = root / NAME / "1"
    artifact.save({"fp32": network}, (torch.rand(2, ROWS, FEATURES),), manifest, folder)
    return folder
