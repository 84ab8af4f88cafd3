# SPDX-License-Identifier: Apache-2.0
"""What an artifact says about itself: ``manifest.json`` beside the weights."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.heads import DIRECTIONS

FILE = "manifest.json"
FORMAT: Literal["consilience-network/1"] = "consilience-network/1"
#: What an artifact may be called.
NAME = r"^[a-z][a-z0-9_]*$"


class ArtifactError(Exception):
    """An artifact is missing, damaged, altered or of a form that this version does not read."""


class Part(BaseModel):
    """Base of a manifest's parts: checked, unchangeable, closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TensorSpec(Part):
    """One input or output. ``shape`` without the batch, which may have any size."""

    name: str
    datatype: Literal["FP32"] = "FP32"
    shape: tuple[int, ...]
    encoding: str = ""
    description: str = ""


class Weights(Part):
    """One file of compiled weights.

    ``macro_f1_loss`` and ``ece_change`` (expected calibration error of the
    confidence, by horizon): what this precision costs against fp32.
    ``largest_difference`` from the source (fp32), or of a probability from fp32's.
    """

    file: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(gt=0)
    macro_f1_loss: dict[int, float] = {}
    ece_change: dict[int, float] = {}
    largest_difference: float = 0.0


class LabelSpec(Part):
    """How a direction is defined: ``kernels.labels``. ``alphas``: threshold of each horizon.

    They come from rows [rows[0], rows[1]) of the training recording alone.
    """

    kind: str
    alphas: tuple[float, ...]
    rule: str
    rows: tuple[int, int]


class Decision(Part):
    """Added to the logits before the direction is called; the probabilities stay as they are."""

    rule: str
    call_offsets: tuple[tuple[float, ...], ...]


class MarketSpec(Part):
    """The market that the network was trained on."""

    symbol: str
    venue: str
    tick_size: float
    lot_size: float


class Provenance(Part):
    """What the weights come from. Row ranges are [first, last) rows of the recording."""

    recording: str
    recording_sha256: str
    rows: int
    source: str
    train_rows: tuple[int, int]
    validation_rows: tuple[int, int]
    settings: dict[str, Any]
    seed: int
    epochs_run: int
    best_epoch: int
    seconds: float
    device: str
    note: str = ""


class HorizonScores(Part):
    """Scores on rows that training never saw, for one horizon, beside the simplest rivals.

    ``calibration_slope_interval``: 95 %, by sums over blocks of rows; None in manifests older
    than this field. ``rivals``: macro-F1 of learned baselines in the same tests, where a
    report was asked for. ``lead_intervals``: 95 % of the mean lead of ``macro_f1`` over each
    baseline, by moving-block bootstrap within each test.
    """

    horizon: int
    rows: int
    macro_f1: float
    macro_f1_folds: tuple[float, ...]
    macro_f1_persistence: float
    macro_f1_majority: float
    macro_f1_argmax: float
    mcc: float
    ece: float
    log_loss: float
    accuracy: float
    accuracy_most_confident_tenth: float
    calibration_slope: float
    calibration_slope_interval: tuple[float, float] | None = None
    rivals: dict[str, float] = {}
    lead_intervals: dict[str, tuple[float, float]] = {}


class Metrics(Part):
    """Walk-forward scores. Each fold trains anew on the past alone."""

    method: str
    seeds: tuple[int, ...]
    horizons: tuple[HorizonScores, ...]


class Manifest(Part):
    """All that serving and a reader need to know about one version of one network."""

    format: Literal["consilience-network/1"] = FORMAT
    name: str = Field(pattern=NAME)
    version: int = Field(ge=1)
    architecture: str
    config: dict[str, Any]
    parameters: int
    created: datetime
    code_version: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    directions: tuple[str, ...] = DIRECTIONS
    horizons: tuple[int, ...]
    horizon_unit: str = "book updates"
    primary_horizon: int
    labels: LabelSpec
    decision: Decision
    market: MarketSpec
    provenance: Provenance
    metrics: Metrics | None = None
    weights: dict[str, Weights]
    purpose: str = ""
    seal: str = ""


def write_manifest(manifest: Manifest, folder: Path) -> Manifest:
    """Seal it against later changes and write it; returns what was written."""
    content = manifest.model_dump(mode="json")
    content["seal"] = _digest(content)
    (folder / FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return manifest.model_copy(update={"seal": content["seal"]})


def read_manifest(folder: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        ArtifactError: it is missing, not a manifest, or not as it was sealed.
    """
    file = folder / FILE
    try:
        text = file.read_bytes()
        manifest = Manifest.model_validate_json(text)
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(step) for step in first["loc"]) or "file"
        raise ArtifactError(f"{file}: {path}: {first['msg']}") from None
    if manifest.seal != _digest(json.loads(text)):
        raise ArtifactError(f"{file}: was altered after it was sealed; export the network again")
    return manifest


def _digest(content: Mapping[str, Any]) -> str:
    """Hash of what is written, but the seal itself: fields that came later change no older seal."""
    sealed = {name: value for name, value in content.items() if name != "seal"}
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()
