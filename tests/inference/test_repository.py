# SPDX-License-Identifier: Apache-2.0
"""Versions come and go while requests are answered."""

import asyncio

import numpy as np
import pytest

from server.inference.batching import BatchSettings
from server.inference.errors import InvalidInputError, ModelLoadError, ModelNotReadyError, UnknownModelError
from server.inference.repository import ModelEntry, ModelRepository, ModelState
from server.inference.torchscript import TorchScriptBackend
from server.inference.workers import Workers
from tests.inference import artifacts

WINDOW = np.zeros((1, 100, 20, 4), np.float32)


@pytest.fixture
def root(tmp_path):
    artifacts.write(tmp_path, version=1, seed=1)
    artifacts.write(tmp_path, version=2, seed=2)
    artifacts.write(tmp_path, name="other")
    return tmp_path


@pytest.fixture
def repository(root):
    workers = Workers(1)
    made = ModelRepository(
        root,
        backend=TorchScriptBackend(),
        workers=workers,
        batching=BatchSettings(max_batch=4),
        precision="fp32",
    )
    yield made
    made.close()
    workers.close()


def test_the_newest_is_loaded_and_answers(repository):
    served = repository.load("small")
    assert (served.name, served.version) == ("small", 2)
    assert repository.get("small") is served
    assert repository.get("small", 2) is served


async def test_versions_side_by_side_and_rollback(repository):
    first, second = repository.load("small", 1), repository.load("small", 2)
    assert repository.default_version("small") == 2
    one, two = await first.infer((WINDOW,)), await second.infer((WINDOW,))
    assert not np.array_equal(one[0], two[0])
    assert repository.rollback("small") == 1
    np.testing.assert_array_equal((await repository.get("small").infer((WINDOW,)))[0], one[0])
    assert repository.rollback("small") == 2
    repository.set_default("small", 1)
    assert repository.get("small") is first


async def test_turning_to_a_loaded_version_does_not_read_it_again(repository, root):
    first, second = repository.load("small", 1), repository.load("small", 2)
    (root / "small" / "1" / "model.pt").write_bytes(b"altered")
    assert await repository.turn_to("small", 1) is first
    assert repository.get("small") is first
    with pytest.raises(ModelLoadError, match="was altered"):
        await repository.turn_to("small", 1)
    assert repository.get("small") is first
    assert await repository.turn_to("small", 2) is second
    repository.unload("small", 1)
    with pytest.raises(ModelLoadError, match="was altered"):
        await repository.turn_to("small", 1)


async def test_what_waits_is_answered_though_its_version_is_read_anew(repository):
    served = repository.load("small", 2)
    waiting = [asyncio.ensure_future(served.infer((WINDOW,))) for _ in range(20)]
    await asyncio.sleep(0)
    again = await repository.load_async("small", 2)
    assert again is not served
    answers = await asyncio.gather(*waiting)
    assert all(np.array_equal(answer[0], answers[0][0]) for answer in answers)


def test_unloading_falls_back(repository):
    repository.load("small", 1)
    repository.load("small", 2)
    repository.unload("small", 2)
    assert repository.default_version("small") == 1
    repository.unload("small")
    assert repository.default_version("small") is None
    with pytest.raises(ModelNotReadyError, match="model 'small' is not loaded"):
        repository.get("small")
    with pytest.raises(UnknownModelError, match="model 'small' is not loaded"):
        repository.unload("small")


def test_unknown_names_and_versions(repository):
    repository.load("other")
    with pytest.raises(UnknownModelError, match="model 'none' is not known; loaded are: other"):
        repository.get("none")
    with pytest.raises(UnknownModelError, match="version 7 of model 'small' is not known"):
        repository.get("small", 7)
    with pytest.raises(UnknownModelError, match="holds no version 7, only 1, 2"):
        repository.load("small", 7)
    with pytest.raises(UnknownModelError, match="has no such model, only other, small"):
        repository.load("none")
    with pytest.raises(ModelNotReadyError, match="version 2 of model 'small' is not loaded"):
        repository.get("small", 2)
    for name in ("..", ".", "../small", "small/1", "", "small\0", "x" * 5000):
        with pytest.raises(UnknownModelError):
            repository.load(name)
    with pytest.raises(ModelNotReadyError, match="version 1 of model 'small' is not loaded"):
        repository.set_default("small", 1)
    with pytest.raises(ModelNotReadyError, match="no earlier version"):
        repository.rollback("other")


def test_the_index_tells_states(repository):
    repository.load("small", 1)
    assert repository.index() == [
        ModelEntry("other", 1, ModelState.UNAVAILABLE, "unloaded"),
        ModelEntry("small", 1, ModelState.READY),
        ModelEntry("small", 2, ModelState.UNAVAILABLE, "unloaded"),
    ]


def test_a_version_for_one_member_does_not_become_everyones_default(repository):
    repository.load("small", 2)
    repository.load("small", 1, make_default=False)
    assert repository.default_version("small") == 2
    assert repository.get("small", 1).version == 1


async def test_a_load_that_fails_changes_nothing(repository, root):
    served = repository.load("small", 2)
    (root / "small" / "2" / "model.pt").write_bytes(b"altered")
    with pytest.raises(ModelLoadError, match="was altered"):
        await repository.load_async("small", 2)
    assert repository.get("small") is served
    assert (await served.infer((WINDOW,)))[0].shape == (1, 2, 3)
    states = {(entry.name, entry.version): entry for entry in repository.index()}
    assert states["small", 2].state is ModelState.READY
    assert "was altered" in states["small", 2].reason


def test_a_folder_must_say_what_it_is_called(repository, root):
    (root / "small" / "1").rename(root / "small" / "3")
    with pytest.raises(ModelLoadError, match="its manifest says small 1"):
        repository.load("small", 3)


async def test_reloading_under_load_loses_no_request(repository):
    """Requests that began on a version finish on it; every later one is answered by the next."""
    repository.load("small", 1)
    stop = asyncio.Event()

    async def keep_asking():
        versions = []
        while not stop.is_set():
            served = repository.get("small")
            try:
                await served.infer((WINDOW,))
            except ModelNotReadyError:
                continue
            versions.append(served.version)
        return versions

    askers = [asyncio.ensure_future(keep_asking()) for _ in range(4)]
    for version in (2, 1, 2):
        await repository.load_async("small", version)
    await repository.unload_async("small", 1)
    stop.set()
    for versions in await asyncio.gather(*askers):
        assert versions


async def test_wrong_inputs_are_named(repository):
    served = repository.load("small")
    for inputs in (WINDOW[:, :50], WINDOW.astype(np.float64), WINDOW[:0], WINDOW[0]):
        with pytest.raises(InvalidInputError, match=r"book_window: .*expected float32 \(B, 100, 20, 4\)"):
            await served.infer((inputs,))
    with pytest.raises(InvalidInputError, match="inputs: 2 given; expected 1: book_window"):
        await served.infer((WINDOW, WINDOW))
