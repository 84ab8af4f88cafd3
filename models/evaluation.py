# SPDX-License-Identifier: Apache-2.0
"""Score every network of a repository, and their ensemble, on any recording.

A network is judged by its own definition of a direction: the thresholds in its
manifest, which come from its training rows. The ensemble pools the networks'
probabilities, each weighed by how far its walk-forward scores lie above
persistence, with the kernels that also pool language models; it is judged by
the thresholds of the network that learned from the most rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.batch import pool_many
from kernels.methods import PoolingMethod
from models import artifact, baselines, scores
from models.artifact import Artifact
from models.encoding import BOOK_ROWS, Encoding
from models.heads import DIRECTIONS
from models.manifest import HorizonScores, Manifest
from models.training.inference import Answers, run
from models.training.inputs import Inputs, read_inputs
from models.training.recordings import Recording, read_recording
from models.training.settings import LabelSettings, ThresholdRule
from models.training.targets import make_targets

ENSEMBLE = "ensemble"
PERSISTENCE = "persistence"
MAJORITY = "majority"
NEUTRAL = DIRECTIONS.index("NEUTRAL")
#: The first row that is judged: the first whose window is full.
FIRST = BOOK_ROWS - 1
#: Rows of one block of the bootstrap.
BLOCK = 500


@dataclass(frozen=True, slots=True)
class Score:
    """How one forecaster did at one horizon. ``ece`` and the top tenth judge its stated confidence.

    Scores of probabilities are None for baselines, which have none. The interval is that of the
    macro-F1, 95 %, by moving-block bootstrap.
    """

    horizon: int
    rows: int
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    mcc: float
    accuracy: float
    ece: float | None = None
    accuracy_most_confident_tenth: float | None = None
    log_loss: float | None = None
    calibration_slope: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of every forecaster on one recording. Baselines use the ensemble's labels."""

    recording: str
    sha256: str
    symbol: str
    rows: int
    forecasters: Mapping[str, tuple[Score, ...]]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One forecaster's answers on all rows: (N, H) calls and confidence, (N, H, 3) probabilities."""

    horizons: tuple[int, ...]
    directions: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    offsets: NDArray[np.float64]
    confidence: NDArray[np.float64] | None

    @property
    def calls(self) -> NDArray[np.int64]:
        called: NDArray[np.int64] = np.argmax(np.log(self.probabilities) + self.offsets, axis=2)
        return called


def evaluate(
    repository: Path, file: Path, *, names: Sequence[str] = (), precision: str = artifact.DEFAULT_PRECISION
) -> Evaluation:
    """Score the newest version of every network (or of those named) and their ensemble.

    Raises:
        ArtifactError: a network cannot be loaded.
        RecordingError: the recording cannot be read, or is too short for any horizon.
        ValueError: there is no network.
    """
    recording = read_recording(file)
    artifacts = load_newest(repository, names=names, precision=precision)
    judged = {}
    for name, loaded in artifacts.items():
        judged[name] = _judge(loaded, recording, file)
    manifests = [loaded.manifest for loaded in artifacts.values()]
    if len(judged) > 1:
        judged[ENSEMBLE] = _pool(list(judged.values()), manifests)
    forecasters = {name: _scores(one) for name, one in judged.items()}
    reference = judged[ENSEMBLE] if ENSEMBLE in judged else next(iter(judged.values()))
    return Evaluation(
        recording=recording.name,
        sha256=recording.sha256,
        symbol=recording.symbol,
        rows=len(recording),
        forecasters={**forecasters, **_baselines(reference)},
    )


def load_newest(
    repository: Path, *, names: Sequence[str] = (), precision: str = artifact.DEFAULT_PRECISION
) -> dict[str, Artifact]:
    """The newest version of each network that reads an order book's recording, as ``NAME/VERSION``.

    A network without weights of that precision is loaded in fp32.

    Raises:
        ValueError: there is none, or one of ``names`` is not there.
    """
    folders = _newest(repository)
    missing = sorted(set(names) - set(folders))
    if missing or not folders:
        raise ValueError(f"repository: {repository} holds no network {missing[0] if missing else 'at all'}")
    loaded = {}
    for name in names or sorted(folders):
        found = artifact.load(folders[name], precision=artifact.DEFAULT_PRECISION)
        if precision in found.manifest.weights and precision != artifact.DEFAULT_PRECISION:
            found = artifact.load(folders[name], precision=precision)
        if all(spec.encoding != Encoding.FI2010_WINDOW for spec in found.manifest.inputs):
            loaded[f"{name}/{found.manifest.version}"] = found
    return loaded


def _newest(repository: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in repository.glob("*/*/manifest.json"):
        folder = file.parent
        if folder.name.isdigit() and int(folder.name) > int(
            found[folder.parent.name].name if folder.parent.name in found else 0
        ):
            found[folder.parent.name] = folder
    return found


def _judge(loaded: Artifact, recording: Recording, file: Path) -> _Judged:
    manifest = loaded.manifest
    inputs = read_inputs(recording, file, [Encoding(spec.encoding) for spec in manifest.inputs])
    answers = _answers(loaded, inputs, len(recording))
    labels = LabelSettings(kind=manifest.labels.kind, rule=ThresholdRule(manifest.labels.rule))  # type: ignore[arg-type]
    targets = make_targets(
        recording, horizons=manifest.horizons, alphas=manifest.labels.alphas, settings=labels
    )
    return _Judged(
        horizons=manifest.horizons,
        directions=targets.directions,
        probabilities=answers.probabilities,
        offsets=np.asarray(manifest.decision.call_offsets),
        confidence=answers.confidence.astype(np.float64),
    )


def _answers(loaded: Artifact, inputs: Inputs, rows: int) -> Answers:
    """Answers on every row; the first ones, whose windows are not full, say nothing and are not judged."""
    answers = run(loaded.network, inputs, np.arange(inputs.window - 1, rows))

    def padded(values: NDArray[np.float32]) -> NDArray[np.float32]:
        silence = np.zeros((inputs.window - 1, *values.shape[1:]), np.float32)
        return np.concatenate((silence, values))

    return Answers(padded(answers.logits), padded(answers.confidence), padded(answers.expected_return_bps))


def _pool(members: list[_Judged], manifests: list[Manifest]) -> _Judged:
    """Log-odds pool of all members that have a horizon; its confidence is that of the direction called."""
    learned = max(range(len(members)), key=lambda m: np.diff(manifests[m].provenance.train_rows)[0])
    horizons = tuple(sorted({horizon for member in members for horizon in member.horizons}))
    reference = members[learned]
    horizons = tuple(horizon for horizon in horizons if horizon in reference.horizons)
    pooled, offsets = [], []
    for horizon in horizons:
        having = [m for m, member in enumerate(members) if horizon in member.horizons]
        columns = [members[m].horizons.index(horizon) for m in having]
        stacked = np.stack(
            [members[m].probabilities[:, h] for m, h in zip(having, columns, strict=True)], axis=1
        )
        weights = np.array([ensemble_weight(manifests[m], horizon) for m in having])
        pooled.append(pool_many(np.ascontiguousarray(stacked), weights, PoolingMethod.LOG_ODDS))
        offsets.append(
            np.average(
                [members[m].offsets[h] for m, h in zip(having, columns, strict=True)], axis=0, weights=weights
            )
        )
    places = [reference.horizons.index(horizon) for horizon in horizons]
    return _Judged(
        horizons, reference.directions[:, places], np.stack(pooled, axis=1), np.stack(offsets), None
    )


def ensemble_weight(manifest: Manifest, horizon: int) -> float:
    """What a network counts for at one horizon: its walk-forward lead over persistence, at least 0.01."""
    rows: Sequence[HorizonScores] = manifest.metrics.horizons if manifest.metrics else ()
    for row in rows:
        if row.horizon == horizon:
            return max(0.01, row.macro_f1 - row.macro_f1_persistence)
    return 0.01


def _scores(judged: _Judged) -> tuple[Score, ...]:
    calls = judged.calls
    return tuple(_score(judged, calls, h, horizon) for h, horizon in enumerate(judged.horizons))


def _score(judged: _Judged, calls: NDArray[np.int64], h: int, horizon: int) -> Score:
    labels, called = judged.directions[FIRST:, h], calls[FIRST:, h]
    given = judged.probabilities[FIRST:, h]
    stated = (
        np.take_along_axis(given, called[:, None], axis=1)[:, 0]
        if judged.confidence is None
        else judged.confidence[FIRST:, h]
    )
    known = labels >= 0
    plain = _plain_score(horizon, labels, called)
    return Score(
        **plain,
        ece=round(scores.calibration_error((called == labels)[known], stated[known]), 5),
        accuracy_most_confident_tenth=round(scores.accuracy_of_most_confident(labels, called, stated), 5),
        log_loss=round(scores.log_loss(labels, given), 5),
        calibration_slope=round(scores.calibration_slope(labels, given), 4),
    )


def _plain_score(horizon: int, labels: NDArray[np.int64], called: NDArray[np.int64]) -> dict[str, Any]:
    low, high = scores.bootstrap_interval(labels, called, block=BLOCK)
    return {
        "horizon": horizon,
        "rows": int((labels >= 0).sum()),
        "macro_f1": round(scores.macro_f1(labels, called), 5),
        "macro_f1_interval": (round(low, 5), round(high, 5)),
        "mcc": round(scores.matthews(labels, called), 5),
        "accuracy": round(scores.accuracy(labels, called), 5),
    }


def _baselines(reference: _Judged) -> dict[str, tuple[Score, ...]]:
    found: dict[str, list[Score]] = {PERSISTENCE: [], MAJORITY: []}
    for h, horizon in enumerate(reference.horizons):
        labels = reference.directions[:, h]
        persistent = baselines.persistence(labels, horizon)[FIRST:]
        common = baselines.majority(labels[FIRST:], len(persistent))
        for name, called in ((PERSISTENCE, persistent), (MAJORITY, common)):
            found[name].append(Score(**_plain_score(horizon, labels[FIRST:], called)))
    return {name: tuple(rows) for name, rows in found.items()}
