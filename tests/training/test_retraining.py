# SPDX-License-Identifier: Apache-2.0
"""Trainings on schedule: when a turn comes, and what becomes of its network."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import ValidationError

from server.inference.batching import BatchSettings
from server.inference.repository import ModelRepository
from server.inference.torchscript import TorchScriptBackend
from server.inference.workers import Workers
from server.training.folder import INTERRUPTED
from server.training.retraining import Retraining, lead
from server.training.settings import RetrainSettings, TrainingSettings
from server.training.state import Stage, Training, write_state
from server.training.trainings import Trainings
from tests.clock import HandClock
from tests.eventually import eventually
from tests.inference import artifacts
from tests.models import books

PLAN = RetrainSettings(
    architecture="book_mlp", dataset="TINYUSDT", every_hours=24, epochs=1, batch_size=64, folds=1
)


class Turns:
    """One schedule over a folder of trainings."""

    def __init__(self, folder, plan=PLAN, versions=None, scores=None):
        self.settings = TrainingSettings(folder=folder / "training", data=str(folder), niceness=0)
        self.root = folder / "networks"
        self.clock = HandClock()
        self.trainings = Trainings(self.settings, self.root, self.clock)
        self.noted = []

        async def note(wish):
            self.noted.append(wish)

        async def served():
            return versions

        self.retraining = Retraining(
            plan,
            self.trainings,
            self.clock,
            note=note,
            served=served,
            scores=lambda artifact: (scores or {})[artifact],
        )


def left_behind(folder, turns, stage, error="", hours_ago=2.0):
    started = turns.clock.now() - timedelta(hours=hours_ago)
    training = Training(f"{hours_ago}", PLAN.wish, "book_mlp_tinyusdt/1", started, stage, error)
    write_state(training, turns.settings.folder / training.id)
    return Turns(folder)


def test_the_first_turn_is_at_once_and_the_next_an_interval_after(tmp_path):
    turns = Turns(tmp_path)
    assert turns.retraining.due() == turns.clock.now()
    for stage, error in ((Stage.DONE, ""), (Stage.FAILED, "no such recording"), (Stage.CANCELLED, "")):
        later = left_behind(tmp_path, turns, stage, error)
        assert later.retraining.due() == turns.clock.now() + timedelta(hours=22)


def test_what_the_end_of_a_server_interrupted_goes_on_at_once(tmp_path):
    turns = Turns(tmp_path)
    left_behind(tmp_path, turns, Stage.DONE, hours_ago=30.0)
    later = left_behind(tmp_path, turns, Stage.FAILED, INTERRUPTED)
    assert later.retraining.due() == turns.clock.now()


def test_the_lead_is_over_persistence_at_every_horizon():
    scores = {"macro_f1_h10": 0.7, "macro_f1_persistence_h10": 0.5}
    scores |= {"macro_f1_h50": 0.4, "macro_f1_persistence_h50": 0.4, "mcc_h10": 0.9}
    assert lead(scores) == pytest.approx(0.1)
    assert lead({}) < lead({"macro_f1_h10": 0.0, "macro_f1_persistence_h10": 1.0})


def test_better_needs_a_test():
    with pytest.raises(ValidationError, match='serve: "better" is found by walk-forward tests; set folds'):
        RetrainSettings(architecture="book_mlp", dataset="X", every_hours=1, folds=0)


@pytest.fixture
def versions(tmp_path):
    workers = Workers(1)
    made = ModelRepository(
        tmp_path / "networks",
        backend=TorchScriptBackend(),
        workers=workers,
        batching=BatchSettings(),
        precision="fp32",
    )
    yield made
    made.close()
    workers.close()


def scored(macro_f1):
    return {"macro_f1_h10": macro_f1, "macro_f1_persistence_h10": 0.4}


@pytest.mark.parametrize(
    ("serve", "present", "default", "kept"),
    [
        ("better", 0.49, 2, [1, 2]),
        ("better", 0.5, 1, [1]),
        ("better", 0.51, 1, [1]),
        ("always", 0.51, 2, [1, 2]),
        ("never", 0.49, 1, [1, 2]),
    ],
)
async def test_what_is_no_better_is_set_aside(tmp_path, versions, serve, present, default, kept):
    for version in (1, 2):
        artifacts.write(tmp_path / "networks", "book_mlp_x", version)
    versions.load("book_mlp_x", 1)
    plan = PLAN.model_copy(update={"serve": serve})
    turns = Turns(tmp_path, plan, versions, scores={"book_mlp_x/1": scored(present)})
    training = Training("one", plan.wish, "book_mlp_x/2", turns.clock.now(), Stage.DONE, metrics=scored(0.5))
    write_state(training, turns.settings.folder / training.id)
    await turns.retraining.settle(training)
    assert versions.default_version("book_mlp_x") == default
    assert versions.versions("book_mlp_x") == kept
    aside = turns.settings.folder / "one" / "artifact" / "manifest.json"
    assert aside.is_file() == (len(kept) == 1)


async def test_what_one_server_came_to_serve_the_others_do_once(tmp_path, versions):
    for version in (1, 2):
        artifacts.write(tmp_path / "networks", "book_mlp_x", version)
    versions.load("book_mlp_x", 1)
    other = Turns(tmp_path, PLAN, versions)
    keeper = Turns(tmp_path, PLAN.model_copy(update={"serve": "always"}), versions)
    training = Training("one", PLAN.wish, "book_mlp_x/2", keeper.clock.now(), Stage.DONE)
    await keeper.retraining.settle(training)
    await versions.turn_to("book_mlp_x", 1)
    await other.retraining.follow()
    assert versions.default_version("book_mlp_x") == 2
    await versions.turn_to("book_mlp_x", 1)
    await other.retraining.follow()
    assert versions.default_version("book_mlp_x") == 1
    after_its_start = Turns(tmp_path, PLAN, versions)
    await after_its_start.retraining.follow()
    assert versions.default_version("book_mlp_x") == 1


@pytest.mark.slow
async def test_a_turn_trains_and_serves(tmp_path, versions):
    (tmp_path / "lob").mkdir()
    books.write(tmp_path / "lob", "tinyusdt_spot", **books.arrays(rows=6000))
    turns = Turns(tmp_path, PLAN, versions)
    running = asyncio.create_task(turns.retraining.run())
    served = "book_mlp_tinyusdt"
    await eventually(lambda: versions.default_version(served) == 1 or running.done(), within_s=300)
    running.cancel()
    await turns.trainings.close()
    assert turns.noted == [PLAN.wish]
    assert turns.retraining.due() == turns.clock.now() + timedelta(hours=24)
