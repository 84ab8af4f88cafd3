# SPDX-License-Identifier: Apache-2.0
"""Trainings over the contract: what is refused, and what a state looks like."""

import pytest

from consilience.v1 import admin_service_pb2 as pb
from server.engine.changes import Changes
from server.forecasting.deadline import SystemClock
from server.forecasting.errors import InvalidRequestError, NotFoundError, RecordError
from server.rpc.call import Call
from server.rpc.training import TrainingHandlers
from server.training.settings import TrainingSettings
from server.training.state import Stage, Training, Wish, write_state
from server.training.trainings import Trainings
from tests.engine.test_membership import Log
from tests.fakes import NoAuditLog

ALICE = Call(caller="alice")


@pytest.fixture
def settings(tmp_path):
    return TrainingSettings(folder=tmp_path / "training")


@pytest.fixture
def handlers(settings, tmp_path):
    return TrainingHandlers(Trainings(settings, tmp_path / "networks", SystemClock()), Changes(NoAuditLog()))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"architecture": ""}, "architecture"),
        ({"dataset": "../../etc/passwd"}, "dataset"),
        ({"dataset": ".."}, "dataset"),
        ({"epochs": 1_000_000}, "epochs"),
        ({"parameters": {"cheat": 1.0}}, "parameters[cheat]"),
        ({"parameters": {"folds": float("nan")}}, "parameters[folds]"),
        ({"parameters": {"folds": 1.5}}, "parameters[folds]"),
        ({"parameters": {"learning_rate": -1.0}}, "parameters[learning_rate]"),
        ({"parameters": {"learning_rate": 0.0}}, "parameters[learning_rate]"),
    ],
)
async def test_what_does_not_fit_is_refused_by_name(handlers, changes, field):
    request = pb.StartTrainingRequest(**{"architecture": "book_mlp", "dataset": "NEXOUSDT", **changes})
    with pytest.raises(InvalidRequestError) as raised:
        await handlers.start_training(request, None)
    assert [violation.field for violation in raised.value.violations] == [field]


async def test_a_finished_one_is_told_whole(settings, tmp_path):
    wish = Wish("book_mlp", "NEXOUSDT", epochs=4)
    done = Training("one", wish, "book_mlp_nexousdt/1", SystemClock().now(), Stage.DONE)
    done.metrics = {"macro_f1_h10": 0.7}
    done.progress = {
        "epoch": 4,
        "epochs": 4,
        "loss": 0.9,
        "best_loss": None,
        "part": 6,
        "parts": 6,
        "percent": 99.0,
    }
    write_state(done, settings.folder / "one")
    log = Log()
    handlers = TrainingHandlers(Trainings(settings, tmp_path / "networks", SystemClock()), Changes(log))
    for training_id in ("one", ""):
        found = (await handlers.get_training(pb.GetTrainingRequest(training_id=training_id), None)).training
        assert (found.id, found.state, found.artifact) == (
            "one",
            pb.TRAINING_STATE_DONE,
            "book_mlp_nexousdt/1",
        )
        assert (found.epoch, found.total_epochs, found.loss, found.progress_percent) == (4, 4, 0.9, 100.0)
        assert dict(found.metrics) == {"macro_f1_h10": 0.7, "part": 6.0, "parts": 6.0}
    cancelled = await handlers.cancel_training(pb.CancelTrainingRequest(training_id="one"), ALICE)
    assert cancelled.training.state == pb.TRAINING_STATE_DONE
    assert log.noted == [("CancelTraining", "one", "alice", {})]
    log.broken = True
    assert await handlers.cancel_training(pb.CancelTrainingRequest(training_id="one"), ALICE) == cancelled


async def test_none_begins_that_the_audit_log_does_not_have(settings, tmp_path):
    log, trainings = Log(broken=True), Trainings(settings, tmp_path / "networks", SystemClock())
    handlers = TrainingHandlers(trainings, Changes(log))
    request = pb.StartTrainingRequest(architecture="book_mlp", dataset="NEXOUSDT", epochs=2)
    with pytest.raises(RecordError):
        await handlers.start_training(request, ALICE)
    with pytest.raises(NotFoundError):
        trainings.get()
    log.broken = False
    started = (await handlers.start_training(request, ALICE)).training
    await trainings.close()
    ((kind, subject, actor, content),) = log.noted
    assert (kind, subject, actor) == ("StartTraining", "book_mlp", "alice")
    assert (content["dataset"], content["epochs"]) == ("NEXOUSDT", 2)
    assert trainings.get().id == started.id


async def test_an_unknown_one(handlers):
    with pytest.raises(NotFoundError):
        await handlers.get_training(pb.GetTrainingRequest(training_id="gone"), None)
    with pytest.raises(InvalidRequestError):
        await handlers.cancel_training(pb.CancelTrainingRequest(), None)
