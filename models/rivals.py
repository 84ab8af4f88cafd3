# SPDX-License-Identifier: Apache-2.0
"""Baselines that have learned: logistic regression and gradient boosting on the 112 features.

They are shipped as plain arrays, fitted on the recording that the networks were
trained on (``python -m models.training.rivals``), so that a later recording can
be scored without the earlier one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.heads import CLASSES
from models.layers import CLIP

Floats = NDArray[np.float32]
Reals = NDArray[np.float64]

LOGISTIC = "logistic_regression"
BOOSTING = "gradient_boosting"
SHIPPED = Path(__file__).with_suffix(".npz")
#: Rows that walk down the trees together.
CHUNK = 2048
_LEAF = -1


@dataclass(frozen=True, slots=True)
class Logistic:
    """Features (N, 112) -> log-odds (N, 3): scaled as networks scale them, NaN as 0, then linear."""

    median: Reals
    scale: Reals
    weights: Reals
    intercepts: Reals

    def scores(self, features: Floats) -> Reals:
        """Shapes as above."""
        scaled = np.clip((features - self.median) * self.scale, -CLIP, CLIP)
        result: Reals = np.nan_to_num(scaled) @ self.weights + self.intercepts
        return result


@dataclass(frozen=True, slots=True)
class Trees:
    """Features (N, 112) -> log-odds (N, 3): the sum of many small trees for each class.

    ``feature``, ``threshold``, ``left``, ``right``, ``missing_left``, ``value``
    (T, nodes), tree t counting for class t % 3; a leaf has feature -1. ``base`` (3,).
    """

    feature: NDArray[np.int16]
    threshold: Reals
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    missing_left: NDArray[np.bool_]
    value: Reals
    base: Reals

    def scores(self, features: Floats) -> Reals:
        """Shapes as above."""
        chunks = [self._chunk(features[k : k + CHUNK]) for k in range(0, len(features), CHUNK)]
        return self.base + np.concatenate(chunks)

    def _chunk(self, features: Floats) -> Reals:
        trees = np.arange(len(self.feature))
        place = np.zeros((len(features), len(trees)), np.int16)
        rows = np.arange(len(features))[:, None]
        while True:
            column = self.feature[trees, place]
            inner = column != _LEAF
            if not inner.any():
                break
            value = features[rows, np.where(inner, column, 0)]
            below = value <= self.threshold[trees, place]
            down = np.where(np.isnan(value), self.missing_left[trees, place], below)
            turned = np.where(down, self.left[trees, place], self.right[trees, place])
            place = np.where(inner, turned, place)
        leaves = self.value[trees, place]
        return np.stack([leaves[:, c::CLASSES].sum(axis=1) for c in range(CLASSES)], axis=1)


@dataclass(frozen=True, slots=True)
class Rival:
    """One learned baseline: a model and the offsets (H, 3) by which it calls, for each horizon."""

    horizons: tuple[int, ...]
    models: tuple[Logistic | Trees, ...]
    offsets: Reals

    def log_probabilities(self, features: Floats, horizons: Sequence[int] | None = None) -> Reals:
        """Features (N, 112) -> (N, H, 3), of all its horizons or of those given."""
        wanted = self.horizons if horizons is None else horizons
        models = [self.models[self.horizons.index(horizon)] for horizon in wanted]
        found = np.stack([model.scores(features) for model in models], axis=1)
        found -= found.max(axis=2, keepdims=True)
        result: Reals = found - np.log(np.exp(found).sum(axis=2, keepdims=True))
        return result


@dataclass(frozen=True, slots=True)
class Rivals:
    """The learned baselines by name, and what they learned from."""

    recording: str
    recording_sha256: str
    by_name: Mapping[str, Rival]


def write_rivals(rivals: Rivals, file: Path) -> None:
    """Write them as one ``.npz`` without pickle."""
    arrays: dict[str, NDArray[Any]] = {}
    head: dict[str, Any] = {"recording": rivals.recording, "recording_sha256": rivals.recording_sha256}
    for name, rival in rivals.by_name.items():
        head[name] = {"horizons": rival.horizons, "offsets": rival.offsets.tolist()}
        for horizon, model in zip(rival.horizons, rival.models, strict=True):
            for field in type(model).__slots__:
                arrays[f"{name}/{horizon}/{field}"] = getattr(model, field)
    np.savez_compressed(file, head=np.array(json.dumps(head)), **arrays)  # type: ignore[arg-type]


def read_rivals(file: Path = SHIPPED) -> Rivals:
    """Read them.

    Raises:
        ValueError: the file is missing or damaged.
    """
    kinds: dict[str, type[Logistic | Trees]] = {LOGISTIC: Logistic, BOOSTING: Trees}
    try:
        with np.load(file, allow_pickle=False) as archive:
            head = json.loads(str(archive["head"]))
            found = {}
            for name, kind in kinds.items():
                horizons = tuple(head[name]["horizons"])
                models = tuple(
                    kind(*(archive[f"{name}/{horizon}/{field}"] for field in kind.__slots__))
                    for horizon in horizons
                )
                found[name] = Rival(horizons, models, np.asarray(head[name]["offsets"]))
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"rivals: {file}: cannot be read: {error}") from error
    return Rivals(head["recording"], head["recording_sha256"], found)


def digest(file: Path = SHIPPED) -> str:
    """Hash of the file, as a report names it."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
