# SPDX-License-Identifier: Apache-2.0
"""Score every network of a repository, and their ensemble, on any recording.

A network is judged by its own definition of a direction: the thresholds in its
manifest, which come from its training rows. The ensemble pools the networks'
probabilities, at each horizon those of the networks whose walk-forward scores
come close to the best, each weighed by how far they lie above persistence, with
the kernels that also pool language models; it and the baselines are judged by
the thresholds of the network that learned from the most rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.batch import pool_many
from kernels.methods import PoolingMethod
from models import artifact, baselines, rivals
from models.artifact import Artifact
from models.baselines import MAJORITY, PERSISTENCE
from models.encoding import BOOK_ROWS, Encoding
from models.judging import Judged, Lead, Score, lead, score_all
from models.manifest import HorizonScores, Manifest, Provenance
from models.training.features import read_features
from models.training.fi2010 import Fi2010Source
from models.training.inference import run
from models.training.inputs import read_inputs
from models.training.recipes import PUBLISHED
from models.training.recordings import Recording, RecordingError, read_recording
from models.training.settings import LabelSettings, ThresholdRule
from models.training.targets import make_targets

ENSEMBLE = "ensemble"
BASELINES = (PERSISTENCE, MAJORITY, rivals.LOGISTIC, rivals.BOOSTING)
#: The first row that is judged: the first whose window is full.
FIRST = BOOK_ROWS - 1

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of every forecaster on one recording, and their leads over the baselines.

    ``learned_from``: the hash of the recording that each forecaster learned
    from. ``seen``: those that learned from this very file, whose scores say
    nothing about the future. ``same_source``: those that learned from another
    file of the same source; where the two overlap, that holds for them too.
    """

    recording: str
    sha256: str
    symbol: str
    rows: int
    forecasters: Mapping[str, tuple[Score, ...]]
    leads: tuple[Lead, ...]
    learned_from: Mapping[str, str]
    seen: tuple[str, ...]
    same_source: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def evaluate(
    repository: Path,
    file: Path,
    *,
    names: Sequence[str] = (),
    precision: str = artifact.DEFAULT_PRECISION,
    tell: Tell = lambda name: None,
) -> Evaluation:
    """Score the newest version of every network (or of those named), their ensemble and the baselines.

    A horizon that the recording is too short for is left out. A folder is taken
    for FI-2010: networks that read it are scored on its last three days. ``tell``
    is told whom it turns to next.

    Raises:
        ArtifactError: a network cannot be loaded.
        RecordingError: the recording cannot be read, or is too short for every horizon.
        ValueError: there is no network.
    """
    if file.is_dir():
        return _evaluate_fi2010(repository, file, names, precision, tell)
    recording = read_recording(file)
    artifacts = load_newest(repository, names=names, precision=precision)
    judged: dict[str, Judged] = {}
    for name, loaded in artifacts.items():
        tell(name)
        judged[name] = _judge(loaded, recording, file)
    manifests = [loaded.manifest for loaded in artifacts.values()]
    if len(judged) > 1:
        judged[ENSEMBLE] = _pool(list(judged.values()), manifests)
    learned_from = {name: loaded.manifest.provenance.recording_sha256 for name, loaded in artifacts.items()}
    tell("baselines")
    reference = judged[ENSEMBLE] if ENSEMBLE in judged else next(iter(judged.values()))
    against = _baselines(reference, recording, file, learned_from)
    everyone = {**judged, **against}
    return Evaluation(
        recording=recording.name,
        sha256=recording.sha256,
        symbol=recording.symbol,
        rows=len(recording),
        forecasters={name: score_all(one, FIRST) for name, one in everyone.items()},
        leads=_leads(judged, against, FIRST),
        learned_from=learned_from,
        seen=tuple(name for name, sha256 in learned_from.items() if sha256 == recording.sha256),
        same_source=tuple(
            name
            for name, loaded in artifacts.items()
            if _of_same_source(loaded.manifest.provenance, recording)
        ),
    )


def _evaluate_fi2010(
    repository: Path, folder: Path, names: Sequence[str], precision: str, tell: Tell
) -> Evaluation:
    """The same on the rows of FI-2010 that its standard split tests on, by the labels that it brings."""
    source = Fi2010Source(folder)
    artifacts = load_newest(repository, names=names, precision=precision, fi2010=True)
    judged: dict[str, Judged] = {}
    for name, loaded in artifacts.items():
        tell(name)
        judged[name] = _judge_fi2010(loaded, source)
    if len(judged) > 1:
        judged[ENSEMBLE] = _pool(list(judged.values()), [loaded.manifest for loaded in artifacts.values()])
    reference = judged[ENSEMBLE] if ENSEMBLE in judged else next(iter(judged.values()))
    targets = _published(source, reference.horizons)
    rows = np.arange(source.trained_on + BOOK_ROWS, len(source))
    columns = [(targets[:, h], horizon) for h, horizon in enumerate(reference.horizons)]
    persistent = [baselines.persistence(column, horizon)[rows] for column, horizon in columns]
    common = [baselines.majority(column[: source.trained_on], len(rows)) for column, _ in columns]
    against = {
        PERSISTENCE: Judged(reference.horizons, reference.directions, np.stack(persistent, axis=1)),
        MAJORITY: Judged(reference.horizons, reference.directions, np.stack(common, axis=1)),
    }
    return Evaluation(
        recording=source.origin.name,
        sha256=source.origin.sha256,
        symbol=source.origin.market.symbol,
        rows=len(rows),
        forecasters={name: score_all(one, 0) for name, one in {**judged, **against}.items()},
        leads=_leads(judged, against, 0),
        learned_from={
            name: loaded.manifest.provenance.recording_sha256 for name, loaded in artifacts.items()
        },
        seen=(),
        same_source=(),
    )


def _judge_fi2010(loaded: Artifact, source: Fi2010Source) -> Judged:
    manifest = loaded.manifest
    rows = np.arange(source.trained_on + BOOK_ROWS, len(source))
    answers = run(loaded.network, source.inputs([Encoding.FI2010_WINDOW]), rows)
    offsets = np.asarray(manifest.decision.call_offsets)
    return Judged(
        horizons=manifest.horizons,
        directions=_published(source, manifest.horizons)[rows],
        calls=np.argmax(answers.log_probabilities + offsets, axis=2),
        probabilities=np.exp(answers.log_probabilities),
        confidence=answers.confidence.astype(np.float64),
        offsets=offsets,
    )


def _published(source: Fi2010Source, horizons: Sequence[int]) -> NDArray[np.int64]:
    return source.targets(past=source.trained_on, horizons=horizons, settings=PUBLISHED).directions


def load_newest(
    repository: Path,
    *,
    names: Sequence[str] = (),
    precision: str = artifact.DEFAULT_PRECISION,
    fi2010: bool = False,
) -> dict[str, Artifact]:
    """The newest version of each network that reads an order book's recording, as ``NAME/VERSION``.

    ``fi2010``: of each that reads that data set instead. A network without weights
    of that precision is loaded in fp32.

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
        if any(spec.encoding == Encoding.FI2010_WINDOW for spec in found.manifest.inputs) == fi2010:
            loaded[f"{name}/{found.manifest.version}"] = found
    if not loaded:
        what = "FI-2010" if fi2010 else "recordings of order books"
        raise ValueError(f"repository: {repository} holds no network that reads {what}; train one")
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


def _of_same_source(provenance: Provenance, recording: Recording) -> bool:
    """Whether a network learned from another file of what this one was made of."""
    if not recording.source or provenance.recording_sha256 == recording.sha256:
        return False
    return provenance.source == recording.source


def _judge(loaded: Artifact, recording: Recording, file: Path) -> Judged:
    manifest = loaded.manifest
    horizons = _long_enough(manifest.horizons, recording)
    places = [manifest.horizons.index(horizon) for horizon in horizons]
    inputs = read_inputs(recording, file, [Encoding(spec.encoding) for spec in manifest.inputs])
    answers = run(loaded.network, inputs, np.arange(FIRST, len(recording)))
    targets = make_targets(
        recording,
        horizons=horizons,
        alphas=[manifest.labels.alphas[place] for place in places],
        settings=LabelSettings(
            kind=manifest.labels.kind,  # type: ignore[arg-type]
            rule=ThresholdRule(manifest.labels.rule),
        ),
    )
    offsets = np.asarray(manifest.decision.call_offsets)[places]
    logs = _padded(answers.log_probabilities[:, places], -np.log(3.0))
    return Judged(
        horizons=horizons,
        directions=targets.directions,
        calls=np.argmax(logs + offsets, axis=2),
        probabilities=np.exp(logs),
        confidence=_padded(answers.confidence[:, places].astype(np.float64), 1.0 / 3.0),
        offsets=offsets,
    )


def _long_enough(horizons: Sequence[int], recording: Recording) -> tuple[int, ...]:
    """The horizons of which the recording holds at least one label after its first full window.

    Raises:
        RecordingError: there is none.
    """
    found = tuple(horizon for horizon in horizons if len(recording) >= BOOK_ROWS + horizon)
    if not found:
        needed = BOOK_ROWS + min(horizons)
        raise RecordingError(
            f"{recording.name}: has {len(recording)} rows; a window and the shortest horizon need {needed}"
        )
    return found


def _padded(values: NDArray[np.float64], nothing: float) -> NDArray[np.float64]:
    """Rows whose windows are not full say nothing and are not judged."""
    return np.concatenate((np.full((FIRST, *values.shape[1:]), nothing), values))


def _pool(members: list[Judged], manifests: list[Manifest]) -> Judged:
    """Log-odds pool of all members at each horizon; its confidence is that of the direction called.

    The weaker ones read other things, features above all, and so err elsewhere: with them the
    probabilities are better at every horizon than those of the best ones alone.
    """
    learned = max(range(len(members)), key=lambda m: np.diff(manifests[m].provenance.train_rows)[0])
    reference = members[learned]
    pooled, offsets = [], []
    for horizon in reference.horizons:
        having = [m for m, member in enumerate(members) if horizon in member.horizons]
        columns = [members[m].only((horizon,)) for m in having]
        weights = np.array([ensemble_weight(manifests[m], horizon) for m in having])
        said = [one.probabilities[:, 0] for one in columns if one.probabilities is not None]
        stacked = np.stack(said, axis=1)
        pooled.append(pool_many(np.ascontiguousarray(stacked), weights, PoolingMethod.LOG_ODDS))
        given = [one.offsets[0] for one in columns if one.offsets is not None]
        offsets.append(np.average(given, axis=0, weights=weights))
    probabilities, added = np.stack(pooled, axis=1), np.stack(offsets)
    calls = np.argmax(np.log(np.maximum(probabilities, 1e-12)) + added, axis=2)
    return Judged(reference.horizons, reference.directions, calls, probabilities, None, added)


def ensemble_weight(manifest: Manifest, horizon: int) -> float:
    """What a network counts for at one horizon: its walk-forward lead over persistence, at least 0.01."""
    rows: Sequence[HorizonScores] = manifest.metrics.horizons if manifest.metrics else ()
    for row in rows:
        if row.horizon == horizon:
            return max(0.01, row.macro_f1 - row.macro_f1_persistence)
    return 0.01


def _baselines(
    reference: Judged, recording: Recording, file: Path, learned_from: dict[str, str]
) -> dict[str, Judged]:
    directions, horizons = reference.directions, reference.horizons
    persistent = [baselines.persistence(directions[:, h], horizon) for h, horizon in enumerate(horizons)]
    common = [baselines.majority(directions[FIRST:, h], len(recording)) for h in range(len(horizons))]
    found = {
        PERSISTENCE: Judged(horizons, directions, np.stack(persistent, axis=1)),
        MAJORITY: Judged(horizons, directions, np.stack(common, axis=1)),
    }
    shipped, features = rivals.read_rivals(), read_features(recording, file)
    for name, rival in shipped.by_name.items():
        shared = tuple(horizon for horizon in horizons if horizon in rival.horizons)
        if shared:
            learned_from[name] = shipped.recording_sha256
            found[name] = _rival(rival, reference.only(shared), features)
    return found


def _rival(rival: rivals.Rival, reference: Judged, features: NDArray[np.float32]) -> Judged:
    logs = rival.log_probabilities(features, reference.horizons)
    offsets = rival.offsets[[rival.horizons.index(horizon) for horizon in reference.horizons]]
    calls = np.argmax(logs + offsets, axis=2)
    return Judged(reference.horizons, reference.directions, calls, np.exp(logs))


def _leads(judged: Mapping[str, Judged], against: Mapping[str, Judged], first: int) -> tuple[Lead, ...]:
    return tuple(
        lead(name, one, baseline, rival, horizon, first)
        for name, one in judged.items()
        for baseline, rival in against.items()
        for horizon in one.horizons
        if horizon in rival.horizons
    )
