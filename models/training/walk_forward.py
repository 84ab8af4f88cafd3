# SPDX-License-Identifier: Apache-2.0
"""One training, calibration and test on the past and future of one split; and several in a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models import baselines, scores
from models.architectures import Architecture, Config
from models.baselines import MAJORITY, PERSISTENCE
from models.heads import ForecastNetwork
from models.judging import block_length
from models.manifest import HorizonScores
from models.training import calibrate
from models.training.checkpoints import Standing
from models.training.examples import Examples
from models.training.inference import Answers, answer
from models.training.inputs import Inputs
from models.training.losses import class_shares
from models.training.progress import Observer, silent
from models.training.settings import LabelSettings, TrainingSettings
from models.training.sources import Source
from models.training.splits import Part, Split
from models.training.trainer import Trainer
from models.training.world import ALONE, World

#: Ends of a 95 % interval.
LEVEL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Task:
    """What is learned from what; the same for every split and seed."""

    source: Source
    inputs: Inputs
    architecture: Architecture
    config: Config
    settings: TrainingSettings
    labels: LabelSettings

    @property
    def span(self) -> dict[str, int]:
        """How far a row's label reaches ahead and its window back."""
        return {"horizon": max(self.config.horizons), "window": self.inputs.window}


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained and calibrated network, and what it was trained on."""

    network: ForecastNetwork
    examples: Examples
    split: Split
    past: int
    shares: NDArray[np.float64]
    balances: list[float]
    standing: Standing
    stopped: str


@dataclass(frozen=True, slots=True)
class Tested:
    """Answers on a test part, beside labels and the calls of ``baselines``; (N, H) except ``answers``."""

    answers: Answers
    directions: NDArray[np.int64]
    calls: NDArray[np.int64]
    baselines: Mapping[str, NDArray[np.int64]]
    shares: NDArray[np.float64]
    calibration: dict[str, NDArray[np.float32]]
    history: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """How one training is watched and kept."""

    stage: str = ""
    identity: str = ""
    checkpoint: Path | None = None
    renew: bool = False
    observer: Observer = silent
    stop: Callable[[], bool] = lambda: False
    world: World = ALONE


def train_split(task: Task, split: Split, settings: TrainingSettings, course: Course) -> Trained:
    """Train on the first part of a split and calibrate on the second.

    Where the shipped network is to learn from all rows, a test asks what comes
    of that: the network is trained once more, on the second part as well, and
    keeps the calibration found.
    """
    first = _train(task, split, settings, course)
    if first.stopped == "cancelled" or not (settings.refit and len(split.test)):
        return first
    file = course.checkpoint and course.checkpoint.with_suffix(".whole.npz")
    whole = replace(split, train=Part(split.train.start, split.validation.stop))
    again = _train(
        task, whole, settings, replace(course, checkpoint=file, identity=f"{course.identity}/whole")
    )
    calibrate.take_over(again.network, first.network)
    calibrate.set_call_balance(again.network, again.shares, first.balances)
    return replace(again, balances=first.balances)


def _train(task: Task, split: Split, settings: TrainingSettings, course: Course) -> Trained:
    past = split.train.stop + task.span["horizon"]
    targets = task.source.targets(past=past, horizons=task.config.horizons, settings=task.labels)
    examples = Examples(task.inputs, targets)
    torch.manual_seed(settings.seed)
    network = task.architecture.build(task.config)
    outcome = Trainer(
        network=network,
        examples=examples,
        split=split,
        settings=settings,
        identity=course.identity,
        checkpoint=course.checkpoint,
        renew=course.renew,
        observer=course.observer,
        stage=course.stage,
        stop=course.stop,
        world=course.world,
    ).run()
    shares = class_shares(examples.targets.directions[split.train.rows], mirror=settings.mirror)
    balances = calibrate_network(network, examples, split, shares, settings)
    return Trained(network, examples, split, past, shares, balances, outcome.standing, outcome.stopped)


def calibrate_network(
    network: ForecastNetwork,
    examples: Examples,
    split: Split,
    shares: NDArray[np.float64],
    settings: TrainingSettings,
) -> list[float]:
    """Set temperature, direction calls and confidence on the validation part; returns the balances used."""
    rows, device = split.validation.rows, settings.device
    directions = examples.targets.directions[rows]
    undo_class_weights(network, shares, settings)
    temperature = calibrate.fit_temperature(answer(network, examples, rows, device=device), directions)
    calibrate.set_temperature(network, temperature)
    fixed = settings.call_balance
    balances = (
        calibrate.fit_call_balance(answer(network, examples, rows, device=device), directions, shares)
        if fixed is None
        else [fixed] * len(shares)
    )
    calibrate.set_call_balance(network, shares, balances)
    calibrate.set_confidence(network, answer(network, examples, rows, device=device), directions)
    return balances


def undo_class_weights(
    network: ForecastNetwork, shares: NDArray[np.float64], settings: TrainingSettings
) -> None:
    """Take out of the logits what weighing the classes has put in."""
    if settings.class_balance:
        shift = settings.class_balance * np.log(shares)
        network.calibration().shift.copy_(torch.from_numpy(shift.astype(np.float32)))


def examine(trained: Trained, horizons: Sequence[int], *, device: str = "cpu") -> Tested:
    """Answers on the third part."""
    rows = trained.split.test.rows
    directions = trained.examples.targets.directions
    training = directions[trained.split.train.rows]
    answers = answer(trained.network, trained.examples, rows, device=device)
    repeated = [baselines.persistence(directions[:, h], horizon)[rows] for h, horizon in enumerate(horizons)]
    common = [baselines.majority(training[:, h], len(rows)) for h in range(len(horizons))]
    return Tested(
        answers=answers,
        directions=directions[rows],
        calls=answers.calls(trained.network.calibration().call_offset.cpu().numpy()),
        baselines={PERSISTENCE: np.stack(repeated, axis=1), MAJORITY: np.stack(common, axis=1)},
        shares=trained.shares,
        calibration={
            name: value.detach().cpu().numpy().copy()
            for name, value in trained.network.calibration().named_buffers()
        },
        history=tuple(trained.standing.history),
    )


def score_horizon(tests: Sequence[Tested], h: int, horizon: int, *, seeds: int = 1) -> HorizonScores:
    """Scores of one horizon over the tests of all folds and seeds: means of the folds' macro-F1.

    ``tests`` holds all folds of the first seed, then all of the second, and so on.
    """
    folds = [scores.macro_f1(test.directions[:, h], test.calls[:, h]) for test in tests]
    directions = np.concatenate([test.directions[:, h] for test in tests])
    calls = np.concatenate([test.calls[:, h] for test in tests])
    probabilities = np.concatenate([test.answers.probabilities[:, h] for test in tests])
    confidence = np.concatenate([test.answers.confidence[:, h] for test in tests])
    known = directions >= 0
    named = list(tests[0].baselines)
    return HorizonScores(
        horizon=horizon,
        rows=int(known.sum()),
        macro_f1=round(float(np.mean(folds)), 4),
        macro_f1_folds=tuple(round(fold, 4) for fold in folds),
        macro_f1_persistence=_mean_f1(tests, h, PERSISTENCE),
        macro_f1_majority=_mean_f1(tests, h, MAJORITY),
        macro_f1_argmax=round(
            float(
                np.mean(
                    [
                        scores.macro_f1(test.directions[:, h], test.answers.logits[:, h].argmax(axis=1))
                        for test in tests
                    ]
                )
            ),
            4,
        ),
        mcc=round(scores.matthews(directions, calls), 4),
        ece=round(scores.calibration_error((calls == directions)[known], confidence[known]), 4),
        log_loss=round(scores.log_loss(directions, probabilities), 4),
        accuracy=round(scores.accuracy(directions, calls), 4),
        accuracy_most_confident_tenth=round(
            scores.accuracy_of_most_confident(directions, calls, confidence), 4
        ),
        calibration_slope=round(scores.calibration_slope(directions, probabilities), 4),
        calibration_slope_interval=_slope_interval(tests, h, seeds),
        rivals={name: _mean_f1(tests, h, name) for name in named if name not in (PERSISTENCE, MAJORITY)},
        lead_intervals={name: _lead_interval(tests, h, name, seeds) for name in named},
    )


def _slope_interval(tests: Sequence[Tested], h: int, seeds: int) -> tuple[float, float]:
    """Interval of the slope. What several seeds say of one row is no more evidence than one of them."""
    folds = len(tests) // seeds
    alike = [tests[fold::folds] for fold in range(folds)]
    directions = np.concatenate([_by_row([test.directions[:, h] for test in same]) for same in alike])
    given = np.concatenate([_by_row([test.answers.probabilities[:, h] for test in same]) for same in alike])
    block = block_length(int((directions >= 0).sum()) // seeds) * seeds
    _, low, high = scores.calibration_slope_interval(directions, given, block=block)
    return round(low, 4), round(high, 4)


def _by_row(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Several columns (N, ...) of the same rows as one, (N * columns, ...), row by row."""
    return np.stack(columns, axis=1).reshape(-1, *columns[0].shape[1:])


def _lead_interval(tests: Sequence[Tested], h: int, baseline: str, seeds: int) -> tuple[float, float]:
    """Interval of the mean lead over a baseline. The seeds of a test are drawn the same blocks."""
    folds = len(tests) // seeds
    drawn = []
    for place, test in enumerate(tests):
        labels = test.directions[:, h]
        block = block_length(int((labels >= 0).sum()))
        rival = test.baselines[baseline][:, h]
        drawn.append(scores.bootstrap(labels, test.calls[:, h], rival, block=block, seed=place % folds))
    low, high = np.quantile(np.mean(drawn, axis=0), LEVEL)
    return round(float(low), 4), round(float(high), 4)


def _mean_f1(tests: Sequence[Tested], h: int, baseline: str) -> float:
    folds = [scores.macro_f1(test.directions[:, h], test.baselines[baseline][:, h]) for test in tests]
    return round(float(np.mean(folds)), 4)
