# SPDX-License-Identifier: Apache-2.0
"""How far a training is, for people (a bar) and for machines (lines of JSON)."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol, TextIO

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@dataclass(frozen=True, slots=True)
class Report:
    """Where a training stands.

    ``stage`` says which of several trainings it is ("fold 2 of 5"). Losses are
    None until there is one. ``part`` of ``parts`` is this training's place among
    all of a job. ``percent`` counts batches of the longest possible course;
    stopping early ends it before 100.
    """

    stage: str
    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float | None = None
    best_loss: float | None = None
    macro_f1: tuple[float, ...] = ()
    seconds: float = 0.0
    part: int = 1
    parts: int = 1

    @property
    def present_epoch(self) -> int:
        """The epoch under way, counted from 1; the last one when all are done."""
        return min(self.epoch + 1, self.epochs)

    @property
    def percent(self) -> float:
        """Share of all batches of all parts that are done, 0..100."""
        done = (self.epoch * self.batches + self.batch) / max(1, self.epochs * self.batches)
        return 100.0 * (self.part - 1 + done) / self.parts


class Observer(Protocol):
    """Told where a training stands. Must be quick."""

    def __call__(self, report: Report) -> None:
        """Take note."""
        ...


def silent(report: Report) -> None:
    """Take no note."""
    del report


class JsonLines:
    """One line of JSON for each report, flushed at once: what the server reads from a training's process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, report: Report) -> None:
        """Write the line."""
        line = {**asdict(report), "percent": round(report.percent, 2)}
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()


class Bar:
    """A progress bar with the live losses. Use as a context."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[live]}"),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task("", total=None, live="")

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def __call__(self, report: Report) -> None:
        """Move the bar."""
        live = "" if report.loss is None else f"loss {report.loss:.4f}"
        if report.best_loss is not None:
            live += f"  best {report.best_loss:.4f}"
        if report.macro_f1:
            live += "  macro-F1 " + " ".join(f"{score:.3f}" for score in report.macro_f1)
        self._progress.update(
            self._task,
            description=f"{report.stage} epoch {report.present_epoch}/{report.epochs}",
            total=report.epochs * report.batches,
            completed=report.epoch * report.batches + report.batch,
            live=live,
        )


@contextmanager
def append_to(file: Path) -> Iterator[JsonLines]:
    """Lines of JSON at the end of a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as stream:
        yield JsonLines(stream)


def observe(*, file: Path | None, bar: bool, lines: bool = False) -> AbstractContextManager[Observer]:
    """Lines in a file, lines on standard output, a bar on the terminal, or nothing."""
    if file is not None:
        return append_to(file)
    if lines:
        return nullcontext(JsonLines(sys.stdout))
    return Bar() if bar else nullcontext(silent)


def as_part(observer: Observer, part: int, parts: int) -> Observer:
    """An observer of one training among the ``parts`` of a job."""

    def placed(report: Report) -> None:
        observer(replace(report, part=part, parts=parts))

    return placed
