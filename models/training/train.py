# SPDX-License-Identifier: Apache-2.0
"""Train a network on a recording and write the artifact.

    python -m models.training.train --architecture bin_ctabl \
        --recording nexousdt_spot_20240723_25_train70 --out models/weights/bin_ctabl/1

A recording is a path, or a name or symbol that is looked up in $CONSILIENCE_DATA/lob.
Press Ctrl-C, or send SIGTERM, to stop: the same command goes on from there.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from kernels.labels import LabelKind
from models.training.fi2010 import Fi2010Source
from models.training.finding import find_source
from models.training.job import Job, run_job
from models.training.progress import observe
from models.training.recipes import recipe
from models.training.settings import LabelSettings, Precision, ThresholdRule
from models.training.world import join_world, leave_world, local_device


class StopSignal:
    """True once the process was asked to end, or where wished once the one that began it is gone."""

    def __init__(self, *, with_parent: bool = False) -> None:
        self.asked = False
        self._parent = os.getppid() if with_parent else None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.asked or (self._parent is not None and os.getppid() != self._parent)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked = True


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--recording", required=True, help="file, name, or folder with FI-2010")
    parser.add_argument("--out", required=True, type=Path, help="folder NAME/VERSION of the artifact")
    parser.add_argument("--seeds", default="0", help="walk-forward seeds; the first one is shipped")
    parser.add_argument("--folds", type=int, help="walk-forward tests; 0 leaves them out")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--epoch-share", type=float, help="part of the training rows that one epoch draws")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--labels", choices=[kind.value for kind in LabelKind], help="how a move is measured")
    rules = [rule.value for rule in ThresholdRule]
    parser.add_argument("--threshold", choices=rules, help="which move is UP or DOWN")
    parser.add_argument("--max-seconds", type=float, help="time budget of each single training")
    parser.add_argument("--device", help="cpu or cuda; under torchrun each process takes its own GPU")
    parser.add_argument(
        "--precision",
        choices=[each.value for each in Precision],
        help="arithmetic of the forward pass; bf16 pays where GPU or processor have instructions for it",
    )
    parser.add_argument("--threads", type=int, default=1, help="torch threads on a CPU")
    parser.add_argument("--work", type=Path, help="folder for checkpoints; default OUT/../.training")
    parser.add_argument("--keep", action="store_true", help="leave the checkpoints where they are")
    parser.add_argument("--renew", action="store_true", help="start anew where checkpoints do not fit")
    parser.add_argument("--overwrite", action="store_true", help="replace the artifact that is in OUT")
    parser.add_argument("--report", type=Path, help="write a report with plots into this folder")
    parser.add_argument("--progress", type=Path, help="also append progress as JSON lines to this file")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="progress and result as lines of JSON")
    parser.add_argument("--nice", type=int, default=0, help="stand back behind other processes, 0..19")
    parser.add_argument("--stop-with-parent", action="store_true", help="end where the caller has ended")
    parser.add_argument("--note", default="", help="kept in the manifest")
    return parser.parse_args(arguments)


def make_job(options: argparse.Namespace) -> Job:
    """What the command line asks for."""
    device = options.device and local_device(options.device)
    source = find_source(options.recording)
    published = isinstance(source, Fi2010Source)
    changed = recipe(options.architecture, fi2010=published).changed(
        folds=options.folds,
        epochs=options.epochs,
        epoch_share=options.epoch_share,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        max_seconds=options.max_seconds,
        device=device,
        precision=options.precision and Precision(options.precision),
    )
    changed = replace(changed, labels=_labels(options, changed.labels, published=published))
    return Job(
        architecture=options.architecture,
        source=source,
        out=options.out,
        recipe=changed,
        seeds=tuple(int(seed) for seed in options.seeds.split(",")),
        work=options.work,
        threads=options.threads,
        note=options.note,
        keep=options.keep,
        renew=options.renew,
        overwrite=options.overwrite,
        report=options.report,
    )


def _labels(options: argparse.Namespace, usual: LabelSettings, *, published: bool) -> LabelSettings:
    if published and (options.labels or options.threshold):
        raise ValueError("labels: FI-2010 brings its own; leave --labels and --threshold out")
    return LabelSettings(
        LabelKind(options.labels or usual.kind), ThresholdRule(options.threshold or usual.rule)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 an input was wrong, 130 stopped before the end."""
    options = parse(arguments)
    stop = StopSignal(with_parent=options.stop_with_parent)
    if options.nice:
        os.nice(options.nice)
    try:
        job = make_job(options)
        world = join_world(job.recipe.training.device)
        try:
            bar = world.leads and not options.quiet and not options.json
            with observe(file=options.progress, bar=bar, lines=options.json and world.leads) as observer:
                done = run_job(job, observer=observer, stop=stop, world=world)
        finally:
            leave_world(world)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if done is None:
        sys.stderr.write("stopped; the same command goes on from here\n")
        return 130
    if world.leads:
        sys.stdout.write((done.as_line() if options.json else done.summary()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
