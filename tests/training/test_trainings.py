# SPDX-License-Identifier: Apache-2.0
"""Trainings beside the server: real processes, killed and gone on with, and state that outlives a server."""

import asyncio
import itertools
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from models import artifact
from server.forecasting.deadline import SystemClock
from server.forecasting.errors import NotFoundError
from server.training.command import artifact_name, command_line, next_version, work_folder
from server.training.folder import INTERRUPTED
from server.training.settings import TrainingSettings
from server.training.state import Stage, Training, Wish, read_state, write_state
from server.training.trainings import Trainings
from tests.eventually import eventually
from tests.models import books

QUICK = {"folds": 0.0, "learning_rate": 0.003}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "lob").mkdir()
    books.write(folder / "lob", "tinyusdt_spot", **books.arrays(rows=3000))
    return folder


@pytest.fixture
def make(tmp_path, data):
    settings = TrainingSettings(folder=tmp_path / "training", data=str(data), niceness=0)
    return lambda: Trainings(settings, tmp_path / "networks", SystemClock())


def wish(**changes):
    return Wish(
        **{
            "architecture": "book_mlp",
            "dataset": "TINYUSDT",
            "epochs": 2,
            "batch_size": 64,
            "parameters": QUICK,
            **changes,
        }
    )


@pytest.mark.slow
async def test_killed_and_asked_again_it_ends_with_the_same_network(make, tmp_path):
    """A process that is killed outright has failed; the same request goes on from its checkpoint."""
    trainings = make()
    long = wish(epochs=6, parameters={**QUICK, "max_seconds": 600.0})
    await kill_on_the_way(trainings, long, work_folder(tmp_path / "training", long) / "final.npz")
    second, straight = trainings.start(long), trainings.start(wish(epochs=6, dataset="tinyusdt_spot"))
    await asyncio.wait([trainings._tasks[second.id], trainings._tasks[straight.id]])
    for each in (second, straight):
        assert trainings.get(each.id).stage is Stage.DONE, each.error
        assert trainings.get(each.id).progress["percent"] <= 100.0
    resumed, whole = (artifact.load(tmp_path / "networks" / each.artifact) for each in (second, straight))
    assert resumed.manifest.weights["fp32"].sha256 == whole.manifest.weights["fp32"].sha256
    await trainings.close()


async def kill_on_the_way(trainings, long, checkpoint):
    """It may have come to its end before this process was let to look; then once more."""
    stage = Stage.DONE
    while stage is Stage.DONE:
        first = trainings.start(long)
        await eventually(lambda: checkpoint.is_file() or trainings.get(first.id).stage.over, within_s=600)  # noqa: B023
        if process := trainings._processes.get(first.id):
            with suppress(ProcessLookupError):
                process.kill()
        await asyncio.wait([trainings._tasks[first.id]])
        stage = trainings.get(first.id).stage
    assert stage is Stage.FAILED


@pytest.mark.slow
async def test_a_running_one_is_cancelled_and_a_waiting_one_too(make):
    trainings = make()
    first, second = trainings.start(wish(epochs=500)), trainings.start(wish(seed=1))
    await eventually(lambda: trainings.get(first.id).stage is Stage.RUNNING, within_s=600)
    assert trainings.get(second.id).stage is Stage.PENDING
    assert (await trainings.cancel(second.id)).stage is Stage.CANCELLED
    assert (await trainings.cancel(first.id)).stage is Stage.CANCELLED
    assert not trainings._processes
    assert (await trainings.cancel(first.id)).stage is Stage.CANCELLED
    await trainings.close()


async def test_what_cannot_be_trained_says_why(make):
    trainings = make()
    training = trainings.start(wish(dataset="nowhere"))
    await asyncio.wait([trainings._tasks[training.id]])
    assert trainings.get(training.id).stage is Stage.FAILED
    assert "recording: 'nowhere' is no file" in training.error
    assert trainings.get().id == training.id
    await trainings.close()


async def test_what_a_server_left_unfinished_has_failed(make, tmp_path):
    left = Training("20260101t000000-abcdef", wish(), "book_mlp_tinyusdt/1", SystemClock().now())
    left.stage = Stage.RUNNING
    folder = tmp_path / "training" / left.id
    write_state(left, folder)
    (folder / "progress.jsonl").write_text(json.dumps({"epoch": 3, "percent": 40.0}) + "\n{torn")
    found = make().get(left.id)
    assert (found.stage, found.error) == (Stage.FAILED, INTERRUPTED)
    assert found.progress == {"epoch": 3, "percent": 40.0}
    assert read_state(folder) == found or read_state(folder).stage is Stage.FAILED


async def test_an_unknown_one_is_not_found(make):
    trainings = make()
    for training_id in ("", "gone"):
        with pytest.raises(NotFoundError):
            trainings.get(training_id)


def test_names_and_versions_replace_nothing(tmp_path):
    name = artifact_name(wish(architecture="bin_ctabl", dataset="NEXOUSDT"))
    assert name == "bin_ctabl_nexousdt"
    assert next_version(tmp_path, name, set()) == 1
    (tmp_path / name / "3").mkdir(parents=True)
    assert next_version(tmp_path, name, {f"{name}/5", "other/9"}) == 6


def test_settings_become_options(tmp_path):
    training = Training("t-1", wish(), "tiny/1", datetime.now(UTC))
    settings = TrainingSettings(folder=tmp_path, precision="bf16", niceness=7)
    options = command_line(training, tmp_path / "networks", settings)
    told = dict(itertools.pairwise(options))
    assert (told["--precision"], told["--nice"], told["--folds"]) == ("bf16", "7", "0")
    assert "--precision" not in command_line(
        training, tmp_path / "networks", TrainingSettings(folder=tmp_path)
    )
