# SPDX-License-Identifier: Apache-2.0
"""A whole training: walk-forward tests, then the network that is shipped, then its artifact."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from models import artifact
from models.architectures import architecture, make_config, plain_config
from models.manifest import Manifest
from models.training import calibrate
from models.training.describe import describe, plain_settings
from models.training.inference import answer
from models.training.progress import Observer, silent
from models.training.settings import Recipe, TrainingSettings
from models.training.sources import Source
from models.training.splits import Split
from models.training.walk_forward import Course, Task, Tested, Trained, examine, train_split
from models.training.world import ALONE, World
from models.version import CODE_VERSION

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """What to train and where to put it. ``out`` is a folder NAME/VERSION."""

    architecture: str
    source: Source
    out: Path
    recipe: Recipe
    seeds: tuple[int, ...] = (0,)
    work: Path | None = None
    threads: int = 1
    note: str = ""

    @property
    def name(self) -> str:
        """Name of the artifact."""
        return self.out.parent.name

    @property
    def version(self) -> int:
        """Version of the artifact.

        Raises:
            ValueError: the folder is not named by one.
        """
        if not self.out.name.isdigit() or int(self.out.name) < 1:
            raise ValueError(f"out: {self.out}: must end in NAME/VERSION, the version a number from 1")
        return int(self.out.name)


@dataclass(frozen=True, slots=True)
class Done:
    """What a job gave."""

    manifest: Manifest
    folder: Path
    tests: tuple[Tested, ...]

    def summary(self) -> str:
        """A few lines for people."""
        head = f"{self.manifest.name} version {self.manifest.version}: {self.manifest.parameters} parameters"
        rows = self.manifest.metrics.horizons if self.manifest.metrics else ()
        lines = [
            f"  h{row.horizon:<4} macro-F1 {row.macro_f1:.3f}  persistence {row.macro_f1_persistence:.3f}"
            f"  majority {row.macro_f1_majority:.3f}  top tenth {row.accuracy_most_confident_tenth:.3f}"
            f"  slope {row.calibration_slope:.2f}"
            for row in rows
        ]
        return "\n".join([head, *lines, f"  written to {self.folder}"])


def run_job(
    job: Job, *, observer: Observer = silent, stop: Stop = lambda: False, world: World = ALONE
) -> Done | None:
    """Run a job to its artifact, or on from where it was stopped; None where it was stopped again.

    Raises:
        ValueError: a setting or the data does not fit; names it.
    """
    version = job.version
    torch.set_num_threads(job.threads)
    config = make_config(job.architecture, job.recipe.config)
    task = Task(
        source=job.source,
        inputs=job.source.inputs(config.encodings),
        architecture=architecture(job.architecture),
        config=config,
        settings=job.recipe.training,
        labels=job.recipe.labels,
    )
    work = job.work or job.out.parent / ".training" / job.out.name
    begun = time.monotonic()
    tests = _walk_forward(job, task, work, observer, stop, world)
    trained = None if tests is None else _train_shipped(job, task, work, observer, stop, world)
    if tests is None or trained is None:
        return None
    _set_calls_from_tests(trained, tests, task)
    manifest = describe(
        name=job.name,
        version=version,
        task=task,
        trained=trained,
        tests=tests,
        seeds=job.seeds,
        seconds=time.monotonic() - begun,
        note=job.note,
    )
    if world.leads:
        sample = trained.examples.batch(trained.split.validation.rows[:8]).inputs
        manifest = artifact.save({"fp32": trained.network.cpu()}, sample, manifest, job.out)
        _remove(work)
    return Done(manifest, job.out, tuple(tests))


def _walk_forward(
    job: Job, task: Task, work: Path, observer: Observer, stop: Stop, world: World
) -> list[Tested] | None:
    settings = task.settings
    if not settings.folds:
        return []
    splits = task.source.tests(folds=settings.folds, validation_share=settings.validation_share, **task.span)
    tests = []
    for seed in job.seeds:
        for fold, split in enumerate(splits, start=1):
            stage = f"seed {seed} fold {fold} of {len(splits)}"
            seeded = replace(settings, seed=seed)
            course = _course(task, seeded, split, stage, work / f"s{seed}f{fold}", observer, stop, world)
            trained = train_split(task, split, seeded, course)
            if trained.stopped == "cancelled":
                return None
            tests.append(examine(trained, task.config.horizons, device=settings.device))
    return tests


def _train_shipped(
    job: Job, task: Task, work: Path, observer: Observer, stop: Stop, world: World
) -> Trained | None:
    settings = replace(task.settings, seed=job.seeds[0])
    split = task.source.whole(validation_share=settings.validation_share, **task.span)
    course = _course(task, settings, split, "final", work / "final", observer, stop, world)
    trained = train_split(task, split, settings, course)
    return None if trained.stopped == "cancelled" else trained


def _course(
    task: Task,
    settings: TrainingSettings,
    split: Split,
    stage: str,
    file: Path,
    observer: Observer,
    stop: Stop,
    world: World,
) -> Course:
    content = {
        "recording": task.source.origin.sha256,
        "architecture": task.architecture.name,
        "config": plain_config(task.config),
        "settings": plain_settings(replace(settings, device="", max_seconds=None)),
        "labels": asdict(task.labels),
        "split": asdict(split),
        "code": CODE_VERSION,
    }
    identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return Course(stage, identity, file.with_suffix(".npz"), observer, stop, world)


def _set_calls_from_tests(trained: Trained, tests: Sequence[Tested], task: Task) -> None:
    """Call directions as was best over all walk-forward tests: more rows than one validation part has."""
    if not tests or task.settings.call_balance is not None:
        return
    exponents = []
    for h in range(len(task.config.horizons)):
        found = [calibrate.fit_call_balance(test.answers, test.directions, test.shares)[h] for test in tests]
        exponents.append(float(np.mean(found)))
    trained.balances[:] = exponents
    rows = trained.split.validation.rows
    calibrate.set_call_balance(trained.network, trained.shares, exponents)
    trained.network.calibration().trust.fill_(1.0)
    trained.network.calibration().doubt.fill_(0.0)
    answers = answer(trained.network, trained.examples, rows, device=task.settings.device)
    calibrate.set_confidence(trained.network, answers, trained.examples.targets.directions[rows])


def _remove(work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):  # other trainings keep theirs there
        work.parent.rmdir()
