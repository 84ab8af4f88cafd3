# SPDX-License-Identifier: Apache-2.0
"""Trains one network on one split.

Every epoch draws its rows, mirrors and dropout from the seed and its own
number, and the learning rate depends on the step alone. So an epoch needs
nothing from the one before but what a checkpoint holds, and a training that was
killed ends with the numbers of one that was not.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.heads import ForecastNetwork
from models.scores import macro_f1
from models.training.checkpoints import (
    Checkpoint,
    CheckpointError,
    Standing,
    State,
    optimizer_state,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from models.training.examples import Examples
from models.training.inference import Answers, answer
from models.training.losses import MultiTaskLoss, balance_offsets, balance_weights, class_shares
from models.training.progress import Observer, Report, silent
from models.training.settings import Precision, Schedule, TrainingSettings
from models.training.splits import Split
from models.training.world import ALONE, World

_DTYPES = {Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}
#: Share of the classes that is made up for when training has nothing better to go by yet.
CALL_BALANCE = 0.5
FIT_WINDOWS = 2048
#: Validation rows, evenly spread, by which an epoch is judged; neighbours say the same.
JUDGE_WINDOWS = 4096
REPORT_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training gave: the standing at its end. The network holds the best weights."""

    standing: Standing
    stopped: str


class Trainer:
    """One training. ``stop`` is asked after every step; True ends it with the best weights so far.

    ``renew``: where the checkpoint is of other data or settings, or torn, start anew.
    """

    def __init__(
        self,
        *,
        network: ForecastNetwork,
        examples: Examples,
        split: Split,
        settings: TrainingSettings,
        identity: str = "",
        checkpoint: Path | None = None,
        renew: bool = False,
        observer: Observer = silent,
        stage: str = "",
        stop: Callable[[], bool] = lambda: False,
        world: World = ALONE,
    ) -> None:
        self.network = network.to(settings.device)
        self.examples = examples
        self.split = split
        self.settings = settings
        self._identity = identity
        self._file = checkpoint
        self._renew = renew
        self._observer = observer
        self._stage = stage
        self._stop = stop
        self._world = world
        self._standing = Standing()
        self._best: State = {}
        self._prepare()

    def run(self) -> Outcome:
        """Train to the end, or on from the checkpoint to the end."""
        self._restore()
        stopped = self._finished()
        while not stopped:
            complete = self._epoch()
            stopped = self._finished() if complete else "cancelled"
            if complete:
                self._save()
        self.network.load_state_dict(self._best or self._weights())
        return Outcome(self._standing, stopped)

    # Preparation.

    def _prepare(self) -> None:
        settings, targets = self.settings, self.examples.targets
        self._fit_scales()
        shares = class_shares(targets.directions[self.split.train.rows], mirror=settings.mirror)
        calibration = self.network.calibration()
        balance = CALL_BALANCE if settings.call_balance is None else settings.call_balance
        exponents = [max(0.0, balance - settings.class_balance)] * len(shares)
        calibration.call_offset.copy_(balance_offsets(shares, exponents))
        self._loss = MultiTaskLoss(
            class_weights=balance_weights(shares, settings.class_balance),
            calibration=calibration,
            settings=settings,
        ).to(settings.device)
        self._model = self._world.wrap(self.network)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._scaler = torch.amp.GradScaler(enabled=settings.precision is Precision.FP16)
        judged = np.linspace(self.split.validation.start, self.split.validation.stop - 1, JUDGE_WINDOWS)
        self._judged_rows = np.unique(judged.astype(np.int64))
        drawn = int(len(self.split.train) * settings.epoch_share)
        self._batches = max(1, drawn // (settings.batch_size * self._world.size))
        self._steps = math.ceil(self._batches / settings.accumulation)

    def _fit_scales(self) -> None:
        """Scales of inputs and returns, from the training part alone."""
        rows = np.linspace(self.split.train.start, self.split.train.stop - 1, FIT_WINDOWS).astype(np.int64)
        batch = self.examples.batch(np.unique(rows)).to(self.settings.device)
        self.network.fit_inputs(*batch.inputs)
        known = np.nan_to_num(self.examples.targets.returns_bps[self.split.train.rows])
        deviation = torch.from_numpy(known.std(axis=0)).clamp(min=1e-3)
        self.network.calibration().return_bps.copy_(deviation)

    # One epoch.

    def _epoch(self) -> bool:
        """Train one epoch and judge it; False where it was told to stop before its end."""
        begun = time.monotonic()
        torch.manual_seed(self._epoch_seed())
        self._model.train()
        total, done = 0.0, 0
        for done, rows in enumerate(self._draw(), start=1):
            total += self._gradient(
                rows, step=done % self.settings.accumulation == 0 or done == self._batches
            )
            self._tell(done, total / done, begun)
            stop, overdue = self._world.any(self._stop(), self._overdue(begun))
            if stop:
                return False
            if overdue:
                break
        self._judge(total / max(1, done), time.monotonic() - begun)
        return True

    def _draw(self) -> Iterator[NDArray[np.int64]]:
        size = self.settings.batch_size * self._world.size
        order = np.random.default_rng([self.settings.seed, self._standing.epoch])
        rows = order.permutation(self.split.train.rows)
        for batch in range(self._batches):
            yield self._world.share(rows[batch * size : (batch + 1) * size])

    def _gradient(self, rows: NDArray[np.int64], *, step: bool) -> float:
        mirrored = len(rows) // 2 if self.settings.mirror else 0
        batch = self.examples.batch(rows, mirrored=mirrored).to(self.settings.device)
        with self._arithmetic():
            heads = self._model(*batch.inputs)
        loss = self._loss(heads, batch)
        self._scaler.scale(loss / self.settings.accumulation).backward()
        if step:
            self._step()
        return float(loss.detach())

    def _step(self) -> None:
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.max_gradient_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        self._step_number += 1

    def _arithmetic(self) -> Any:
        dtype = _DTYPES.get(self.settings.precision)
        return torch.autocast(self.settings.device.partition(":")[0], dtype=dtype, enabled=dtype is not None)

    def _learning_rate(self) -> float:
        if self.settings.schedule is Schedule.CONSTANT:
            return self.settings.learning_rate
        done = self._step_number / max(1, self._steps * self.settings.epochs)
        rising = 0.2
        if done < rising:
            height = 0.04 + 0.96 * 0.5 * (1.0 - math.cos(math.pi * done / rising))
        else:
            height = 0.5 * (1.0 + math.cos(math.pi * (done - rising) / (1.0 - rising)))
        return self.settings.learning_rate * height

    def _epoch_seed(self) -> int:
        sequence = np.random.SeedSequence([self.settings.seed, self._standing.epoch, self._world.rank])
        return int(sequence.generate_state(1)[0])

    # Judging.

    def _judge(self, loss: float, seconds: float) -> None:
        # All processes must hold the same numbers, as each decides by them whether to go on.
        loss, seconds = self._world.mean(torch.tensor([loss, seconds], dtype=torch.float64)).tolist()
        rows = self._judged_rows[self._world.rank :: self._world.size]
        answers = answer(self.network, self.examples, rows, device=self.settings.device)
        directions = self.examples.targets.directions[rows]
        validation = float(self._world.mean(torch.tensor(_log_loss(answers, directions))))
        scores = self._world.mean(torch.tensor(_macro_f1(answers, directions, self.network)))
        standing = self._standing
        standing.history.append(
            {
                "loss": loss,
                "validation_loss": validation,
                "validation_macro_f1": [round(float(score), 5) for score in scores],
                "learning_rate": self._optimizer.param_groups[0]["lr"],
                "seconds": round(seconds, 3),
            }
        )
        if validation < standing.best_loss:
            standing.best_loss, standing.best_epoch = validation, standing.epoch
            self._best = self._weights()
        standing.epoch += 1
        standing.seconds += seconds
        self._tell(0, loss, time.monotonic(), always=True)

    def _finished(self) -> str:
        standing, settings = self._standing, self.settings
        if standing.epoch >= settings.epochs:
            return "all epochs done"
        if standing.epoch - standing.best_epoch > settings.patience:
            return f"no better for {settings.patience} epochs"
        if settings.max_seconds is not None and standing.seconds >= settings.max_seconds:
            return f"time budget of {settings.max_seconds:g} s spent"
        return ""

    def _overdue(self, begun: float) -> bool:
        budget = self.settings.max_seconds
        return budget is not None and self._standing.seconds + time.monotonic() - begun >= budget

    # Keeping.

    def _weights(self) -> State:
        return {name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()}

    def _save(self) -> None:
        if self._file is None or not self._world.leads:
            return
        write_checkpoint(
            Checkpoint(
                identity=self._identity,
                standing=self._standing,
                weights=self._weights(),
                best=self._best,
                optimizer=optimizer_state(self._optimizer, self.network),
                scaler=self._scaler.state_dict(),
            ),
            self._file,
        )

    def _restore(self) -> None:
        self._step_number = 0
        found = self._checkpoint()
        if found is None:
            return
        self._standing, self._best = found.standing, found.best
        self._step_number = found.standing.epoch * self._steps
        self.network.load_state_dict(found.weights)
        restore_optimizer(self._optimizer, self.network, found.optimizer)
        if found.scaler:
            self._scaler.load_state_dict(found.scaler)

    def _checkpoint(self) -> Checkpoint | None:
        try:
            return read_checkpoint(self._file, identity=self._identity) if self._file else None
        except CheckpointError:
            if self._renew:
                return None
            raise

    # Telling.

    def _tell(self, batch: int, loss: float, begun: float, *, always: bool = False) -> None:
        now = time.monotonic()
        if not self._world.leads or not (always or now - self._told_at >= REPORT_EVERY_S):
            return
        self._told_at = now
        standing = self._standing
        scores = standing.history[-1]["validation_macro_f1"] if standing.history else ()
        self._observer(
            Report(
                stage=self._stage,
                epoch=standing.epoch,
                epochs=self.settings.epochs,
                batch=batch,
                batches=self._batches,
                loss=loss,
                best_loss=standing.best_loss if standing.history else None,
                macro_f1=tuple(scores),
                seconds=standing.seconds + now - begun,
            )
        )

    _told_at = float("-inf")


def _log_loss(answers: Answers, directions: NDArray[np.int64]) -> float:
    chosen = np.take_along_axis(answers.log_probabilities, np.maximum(directions, 0)[..., None], 2)[..., 0]
    return float(-chosen[directions >= 0].mean())


def _macro_f1(answers: Answers, directions: NDArray[np.int64], network: ForecastNetwork) -> list[float]:
    calls = answers.calls(network.calibration().call_offset.cpu().numpy())
    return [macro_f1(directions[:, h], calls[:, h]) for h in range(directions.shape[1])]
