# SPDX-License-Identifier: Apache-2.0
"""A whole training: walk-forward tests, then the network that is shipped, then its artifact."""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from models import artifact
from models.architectures import architecture, make_config, plain_config
from models.manifest import FILE as MANIFEST
from models.manifest import NAME, Manifest
from models.training import report
from models.training.describe import describe, plain_settings
from models.training.progress import Observer, as_part, silent
from models.training.settings import Recipe, TrainingSettings
from models.training.shipping import set_from_tests
from models.training.sources import Source
from models.training.splits import Split, everything
from models.training.walk_forward import Course, Task, Tested, Trained, examine, train_split
from models.training.world import ALONE, World
from models.version import CODE_VERSION

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """What to train and where to put it. ``out`` is a folder NAME/VERSION.

    ``keep``: leave the checkpoints, so that the same job only calibrates and writes again.
    ``renew``: start anew where checkpoints are of other data or settings; False refuses.
    ``overwrite``: replace an artifact that is in ``out``; False refuses.
    ``report``: folder for plots and a page; learned baselines are fitted for it.
    """

    architecture: str
    source: Source
    out: Path
    recipe: Recipe
    seeds: tuple[int, ...] = (0,)
    work: Path | None = None
    threads: int = 1
    note: str = ""
    keep: bool = False
    renew: bool = False
    overwrite: bool = False
    report: Path | None = None

    @property
    def name(self) -> str:
        """Name of the artifact.

        Raises:
            ValueError: the folder's is none.
        """
        if not re.search(NAME, self.out.parent.name):
            raise ValueError(
                f"out: {self.out}: must end in NAME/VERSION, the name of a-z, 0-9 and _, a letter first"
            )
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

    def check_out(self) -> None:
        """Nothing that was trained before is lost by accident.

        Raises:
            ValueError: an artifact is there.
        """
        if (self.out / MANIFEST).exists() and not self.overwrite:
            raise ValueError(f"out: {self.out}: holds an artifact; give the next version, or --overwrite")


@dataclass(frozen=True, slots=True)
class Done:
    """What a job gave."""

    manifest: Manifest
    folder: Path
    tests: tuple[Tested, ...]

    def as_line(self) -> str:
        """The outcome as one line of JSON."""
        scores = self.manifest.metrics.model_dump(mode="json") if self.manifest.metrics else None
        content = {
            "artifact": f"{self.manifest.name}/{self.manifest.version}",
            "folder": str(self.folder),
            "parameters": self.manifest.parameters,
            "metrics": scores,
        }
        return json.dumps(content)

    def summary(self) -> str:
        """A few lines for people."""
        head = f"{self.manifest.name} version {self.manifest.version}: {self.manifest.parameters} parameters"
        rows = self.manifest.metrics.horizons if self.manifest.metrics else ()
        lines = [
            f"  h{row.horizon:<4} macro-F1 {row.macro_f1:.3f}  persistence {row.macro_f1_persistence:.3f}"
            f"  majority {row.macro_f1_majority:.3f}  top tenth {row.accuracy_most_confident_tenth:.3f}"
            f"  slope {row.calibration_slope:.2f}{_interval(row.calibration_slope_interval)}"
            for row in rows
        ]
        return "\n".join([head, *lines, f"  written to {self.folder}"])


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" ({ends[0]:.2f} to {ends[1]:.2f})"


def run_job(
    job: Job, *, observer: Observer = silent, stop: Stop = lambda: False, world: World = ALONE
) -> Done | None:
    """Run a job to its artifact, or on from where it was stopped; None where it was stopped again.

    Raises:
        ValueError: a setting or the data does not fit; names it.
    """
    name, version = job.name, job.version
    job.check_out()
    if job.report is not None:
        report.check_extra()
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
    if job.report is not None and world.leads:
        tests = report.beside_rivals(tests, task)
    set_from_tests(trained, tests, task)
    manifest = describe(
        name=name,
        version=version,
        task=task,
        trained=trained,
        tests=tests,
        seeds=job.seeds,
        seconds=time.monotonic() - begun,
        note=job.note,
    )
    if world.leads:
        for old in job.out.glob("model*.pt"):  # of other precisions, which would be of another network
            old.unlink()
        sample = trained.examples.batch(trained.split.validation.rows[:8]).inputs
        manifest = artifact.save({"fp32": trained.network.cpu()}, sample, manifest, job.out)
        if job.report is not None:
            report.write_report(manifest, tests, trained.standing.history, job.report)
        if not job.keep:
            _remove(work)
    return Done(manifest, job.out, tuple(tests))


def _walk_forward(
    job: Job, task: Task, work: Path, observer: Observer, stop: Stop, world: World
) -> list[Tested] | None:
    settings = task.settings
    if not settings.folds:
        return []
    splits = task.source.tests(folds=settings.folds, validation_share=settings.validation_share, **task.span)
    tests: list[Tested] = []
    parts = len(job.seeds) * len(splits) + 1
    for seed in job.seeds:
        for fold, split in enumerate(splits, start=1):
            stage = f"seed {seed} fold {fold} of {len(splits)}"
            seeded, told = replace(settings, seed=seed), as_part(observer, len(tests) + 1, parts)
            course = _course(task, seeded, split, stage, work / f"s{seed}f{fold}", told, stop, world)
            course = replace(course, renew=job.renew)
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
    if settings.refit and settings.folds:
        split = everything(len(task.source), validation_share=settings.validation_share, **task.span)
    parts = len(job.seeds) * settings.folds + 1
    told = as_part(observer, parts, parts)
    course = _course(task, settings, split, "final", work / "final", told, stop, world)
    trained = train_split(task, split, settings, replace(course, renew=job.renew))
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
    content: dict[str, object] = {
        "recording": task.source.origin.sha256,
        "architecture": task.architecture.name,
        "config": plain_config(task.config),
        "settings": plain_settings(replace(settings, device="", max_seconds=None)),
        "labels": asdict(task.labels),
        "split": asdict(split),
        "code": CODE_VERSION,
    }
    if world.size > 1:  # so many examples make one gradient
        content["processes"] = world.size
    identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return Course(stage, identity, file.with_suffix(".npz"), observer=observer, stop=stop, world=world)


def _remove(work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):  # other trainings keep theirs there
        work.parent.rmdir()
