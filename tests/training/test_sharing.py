# SPDX-License-Identifier: Apache-2.0
"""Servers that share a folder of trainings: each sees the others', and one trains at a time."""

import subprocess
import sys

import pytest

from server.forecasting.deadline import SystemClock
from server.forecasting.errors import NotFoundError
from server.training.folder import INTERRUPTED
from server.training.holds import is_held, try_to_hold
from server.training.settings import TrainingSettings
from server.training.state import Stage, Wish
from server.training.trainings import Trainings
from tests.eventually import eventually
from tests.models import books

HOLDING = """
import sys
from pathlib import Path
from server.training.holds import try_to_hold
held = try_to_hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def wish(**changes):
    parameters = {"folds": 0.0, "learning_rate": 0.003}
    return Wish(**{"architecture": "book_mlp", "dataset": "TINYUSDT", "parameters": parameters, **changes})


@pytest.fixture
async def servers(tmp_path):
    """Two servers over one folder."""
    (tmp_path / "lob").mkdir()
    books.write(tmp_path / "lob", "tinyusdt_spot", **books.arrays(rows=3000))
    settings = TrainingSettings(folder=tmp_path / "training", data=str(tmp_path), niceness=0)
    made = [Trainings(settings, tmp_path / "networks", SystemClock()) for _ in range(2)]
    yield made
    for each in made:
        await each.close()


def test_a_lock_is_one_holders_and_ends_with_it(tmp_path):
    file = tmp_path / "folder" / "a.lock"
    held = try_to_hold(file)
    assert held is not None
    assert try_to_hold(file) is None
    assert is_held(file)
    held.release()
    held.release()
    assert not is_held(file)
    with try_to_hold(file):
        assert is_held(file)
    assert not is_held(file)


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path):
    file = tmp_path / "a.lock"
    command = [sys.executable, "-c", HOLDING, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: S603
        assert holder.stdout.readline() == b"held\n"
        assert is_held(file)
        holder.kill()
    assert not is_held(file)


@pytest.mark.slow
async def test_one_trains_at_a_time_and_each_can_stop_the_others(servers):
    here, there = servers
    first, second = here.start(wish(epochs=500)), there.start(wish(epochs=500, seed=1))
    await eventually(lambda: there.get(first.id).stage is Stage.RUNNING, within_s=600)
    assert here.get(second.id).stage is Stage.PENDING
    assert here.get().id == there.get().id
    assert (await there.cancel(first.id)).stage is Stage.CANCELLED
    assert first.stage is Stage.CANCELLED
    assert not here._processes
    await eventually(lambda: here.get(second.id).stage is Stage.RUNNING, within_s=600)
    assert (await here.cancel(second.id)).stage is Stage.CANCELLED
    assert second.stage is Stage.CANCELLED


async def test_one_that_waits_is_stopped_by_another_server(servers):
    here, there = servers
    async with there._folder.turn():
        waiting = here.start(wish())
        assert there.get(waiting.id).stage is Stage.PENDING
        assert (await there.cancel(waiting.id)).stage is Stage.CANCELLED
        assert here.get(waiting.id).stage is Stage.CANCELLED


async def test_no_two_get_the_same_version(servers):
    here, there = servers
    async with there._folder.turn():
        started = [each.start(wish(seed=seed)) for seed, each in enumerate((here, there, here, there))]
        assert [each.artifact for each in started] == [f"book_mlp_tinyusdt/{n}" for n in (1, 2, 3, 4)]
        await here.close()
        assert {there.get(each.id).error for each in started[::2]} == {INTERRUPTED}
        await eventually(lambda: not any(there._folder.is_owned(each.id) for each in started[::2]))
        assert {there.get(each.id).stage for each in started[1::2]} == {Stage.PENDING}


async def test_a_schedule_is_one_servers(servers):
    here, there = servers
    with here.lead(wish()):
        assert there.lead(wish()) is None
        with there.lead(wish(seed=1)):
            pass
    with there.lead(wish()):
        assert here.lead(wish()) is None


@pytest.mark.parametrize("training_id", ["../secret", "..", ".", "a/b", "a\0b", "x" * 300])
async def test_an_id_is_no_path(servers, tmp_path, training_id):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "state.json").write_text("{}")
    for ask in (servers[0].get, servers[0].cancel):
        with pytest.raises(NotFoundError):
            await ask(training_id)
    assert [file.name for file in (tmp_path / "secret").iterdir()] == ["state.json"]
