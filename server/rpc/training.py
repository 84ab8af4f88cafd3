# SPDX-License-Identifier: Apache-2.0
"""``AdminService``: trainings of networks, each in a process of its own."""

import math
from dataclasses import asdict

import structlog

from consilience.v1 import admin_service_pb2 as pb
from server.engine.changes import Change, Changes
from server.forecasting.errors import RecordError
from server.rpc.call import Call
from server.rpc.rules import Rules
from server.rpc.times import timestamp
from server.training.command import PARAMETERS, WHOLE
from server.training.state import Stage, Training, Wish
from server.training.trainings import Trainings

log = structlog.get_logger(__name__)

MAX_NAME = 128
MAX_ID = 64
MAX_EPOCHS = 100_000
MAX_BATCH = 65_536
MAX_SEED = 2**63 - 1
MAX_FOLDS = 100
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_STATES = {
    Stage.PENDING: pb.TRAINING_STATE_PENDING,
    Stage.RUNNING: pb.TRAINING_STATE_RUNNING,
    Stage.DONE: pb.TRAINING_STATE_DONE,
    Stage.FAILED: pb.TRAINING_STATE_FAILED,
    Stage.CANCELLED: pb.TRAINING_STATE_CANCELLED,
}


class TrainingHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, trainings: Trainings, changes: Changes) -> None:
        self._trainings = trainings
        self._changes = changes

    async def start_training(self, request: pb.StartTrainingRequest, call: Call) -> pb.StartTrainingResponse:
        """Begin a training; a data set is a name, never a path.

        It begins once the audit log has it.
        """
        rules = Rules()
        for field in ("architecture", "dataset"):
            _name(rules, field, getattr(request, field))
        rules.number("epochs", request.epochs, 0, MAX_EPOCHS)
        rules.number("batch_size", request.batch_size, 0, MAX_BATCH)
        rules.number("seed", request.seed, 0, MAX_SEED)
        for name, value in request.parameters.items():
            _parameter(rules, name, value)
        rules.check()
        wish = Wish(
            architecture=request.architecture,
            dataset=request.dataset,
            epochs=request.epochs or None,
            batch_size=request.batch_size or None,
            seed=request.seed,
            parameters=dict(request.parameters),
        )
        await self._changes.note(Change("StartTraining", wish.architecture, call.caller, asdict(wish)))
        return pb.StartTrainingResponse(training=_message(self._trainings.start(wish)))

    async def get_training(self, request: pb.GetTrainingRequest, call: Call) -> pb.GetTrainingResponse:
        """How a training is doing; without an id the latest."""
        del call
        rules = Rules()
        rules.text("training_id", request.training_id, MAX_ID, printable=True)
        rules.check()
        return pb.GetTrainingResponse(training=_message(self._trainings.get(request.training_id)))

    async def cancel_training(
        self, request: pb.CancelTrainingRequest, call: Call
    ) -> pb.CancelTrainingResponse:
        """Stop a training; one that is over stays as it is.

        It is stopped also where the audit log cannot be written.
        """
        rules = Rules()
        rules.text("training_id", request.training_id, MAX_ID, least=1, printable=True)
        rules.check()
        training = await self._trainings.cancel(request.training_id)
        try:
            await self._changes.note(Change("CancelTraining", training.id, call.caller))
        except RecordError as error:
            log.error("cancelling_not_in_audit_log", training=training.id, error=str(error))
        return pb.CancelTrainingResponse(training=_message(training))


def _name(rules: Rules, field: str, value: str) -> None:
    rules.text(field, value, MAX_NAME, least=1)
    if not set(value) <= _NAME or value.startswith("."):
        rules.broken(field, "must be a name of letters, digits, '_', '.' and '-'; not a path")


def _parameter(rules: Rules, name: str, value: float) -> None:
    if name not in PARAMETERS:
        rules.broken(f"parameters[{name}]", f"is not known; there are {', '.join(sorted(PARAMETERS))}")
    elif name in WHOLE:
        if not (0 <= value <= MAX_FOLDS and value.is_integer()):
            rules.broken(f"parameters[{name}]", f"must be a whole number in 0..{MAX_FOLDS}, got {value:g}")
    elif not (math.isfinite(value) and value > 0):
        rules.broken(f"parameters[{name}]", f"must be a finite number > 0, got {value:g}")


def _message(training: Training) -> pb.Training:
    line = training.progress
    metrics = dict(training.metrics)
    for name in ("part", "parts", "seconds"):
        if name in line:
            metrics[name] = float(line[name])
    return pb.Training(
        id=training.id,
        architecture=training.wish.architecture,
        state=_STATES[training.stage],
        epoch=int(line.get("epoch", 0)),
        total_epochs=int(line.get("epochs", training.wish.epochs or 0)),
        loss=float(line.get("loss") or 0.0),
        best_loss=float(line.get("best_loss") or 0.0),
        progress_percent=100.0 if training.stage is Stage.DONE else float(line.get("percent", 0.0)),
        metrics=metrics,
        error=training.error,
        start_time=timestamp(training.started),
        artifact=training.artifact,
    )
