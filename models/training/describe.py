# SPDX-License-Identifier: Apache-2.0
"""What a finished training says about itself: the manifest of its artifact."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import Enum

from models.architectures import plain_config
from models.encoding import INPUTS, Encoding
from models.heads import CONFIDENCE, DIRECTION_LOGITS, DIRECTIONS, EXPECTED_RETURN_BPS
from models.manifest import (
    Decision,
    LabelSpec,
    Manifest,
    Metrics,
    Provenance,
    TensorSpec,
)
from models.training.settings import TrainingSettings
from models.training.walk_forward import Task, Tested, Trained, score_horizon
from models.version import CODE_VERSION

PURPOSE = "A demonstration on one illiquid market; no trading edge is claimed."


def describe(
    *,
    name: str,
    version: int,
    task: Task,
    trained: Trained,
    tests: Sequence[Tested],
    seeds: tuple[int, ...],
    seconds: float,
    note: str,
) -> Manifest:
    """The manifest of a trained network, still without weights."""
    horizons = task.config.horizons
    offsets = trained.network.calibration().call_offset.tolist()
    return Manifest(
        name=name,
        version=version,
        architecture=task.architecture.name,
        config=plain_config(task.config),
        parameters=trained.network.parameter_count(),
        created=datetime.now(UTC).replace(microsecond=0),
        code_version=CODE_VERSION,
        inputs=tuple(input_tensor(encoding) for encoding in task.config.encodings),
        outputs=output_tensors(len(horizons)),
        horizons=horizons,
        primary_horizon=horizons[len(horizons) // 2],
        labels=LabelSpec(
            kind=task.labels.kind.value,
            alphas=trained.examples.targets.alphas,
            rule=task.labels.rule.value,
            rows=(0, trained.past),
        ),
        decision=Decision(
            rule="argmax(direction_logits + call_offsets); softmax(direction_logits) are the probabilities",
            call_offsets=tuple(tuple(round(value, 6) for value in row) for row in offsets),
        ),
        market=task.source.origin.market,
        provenance=_provenance(task, trained, seeds[0], seconds, note),
        metrics=_metrics(task, tests, seeds),
        weights={},
        purpose=PURPOSE,
    )


def input_tensor(encoding: Encoding) -> TensorSpec:
    """The manifest's form of an input."""
    spec = INPUTS[encoding]
    return TensorSpec(name=spec.name, shape=spec.shape, encoding=spec.encoding.value)


def output_tensors(horizons: int) -> tuple[TensorSpec, ...]:
    """The manifest's form of the heads."""
    return (
        TensorSpec(
            name=DIRECTION_LOGITS,
            shape=(horizons, len(DIRECTIONS)),
            description="calibrated: softmax over the last axis gives probabilities of down, neutral, up",
        ),
        TensorSpec(
            name=CONFIDENCE, shape=(horizons,), description="probability that the direction called is right"
        ),
        TensorSpec(
            name=EXPECTED_RETURN_BPS,
            shape=(horizons,),
            description="expected change of the mid over the horizon, basis points",
        ),
    )


def _provenance(task: Task, trained: Trained, seed: int, seconds: float, note: str) -> Provenance:
    origin = task.source.origin
    return Provenance(
        recording=origin.name,
        recording_sha256=origin.sha256,
        rows=len(task.source),
        source=origin.source,
        train_rows=(trained.split.train.start, trained.split.train.stop),
        validation_rows=(trained.split.validation.start, trained.split.validation.stop),
        settings=plain_settings(task.settings),
        seed=seed,
        epochs_run=trained.standing.epoch,
        best_epoch=trained.standing.best_epoch,
        seconds=round(seconds, 1),
        device=task.settings.device,
        note=note or trained.stopped,
    )


def _metrics(task: Task, tests: Sequence[Tested], seeds: tuple[int, ...]) -> Metrics | None:
    if not tests:
        return None
    scores = [
        score_horizon(tests, h, horizon, seeds=len(seeds)) for h, horizon in enumerate(task.config.horizons)
    ]
    method = (
        f"{task.settings.folds} walk-forward tests over the last 40 % of the recording, each after training "
        "anew on its past alone; means over tests and seeds"
    )
    return Metrics(method=method, seeds=seeds, horizons=tuple(scores))


def plain_settings(settings: TrainingSettings) -> dict[str, object]:
    """The settings as JSON values."""
    values = asdict(settings)
    return {key: value.value if isinstance(value, Enum) else value for key, value in values.items()}
