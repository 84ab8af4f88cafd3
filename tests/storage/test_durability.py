# SPDX-License-Identifier: Apache-2.0
"""What a caller was told is on disk is on disk, whatever dies."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.storage.settings import StorageSettings
from server.storage.store import open_store
from tests.storage.faulty_disk import FaultyDisk

ROOT = Path(__file__).parents[2]


class Saver:
    """A ``saving_process`` at the other end of two pipes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def command(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def lines(self, until: str = "done") -> list[list[str]]:
        """All lines up to this one; up to the end where it never comes."""
        assert self.process.stdout is not None
        found = []
        while (line := self.process.stdout.readline()) and line.strip() != until:
            found.append(line.split())
        return found

    def some_lines(self, count: int) -> list[list[str]]:
        assert self.process.stdout is not None
        return [self.process.stdout.readline().split() for _ in range(count)]

    def is_silent(self) -> bool:
        assert self.process.stdout is not None
        return not select.select([self.process.stdout], [], [], 0)[0]

    def obey(self, line: str) -> list[list[str]]:
        self.command(line)
        return self.lines()


@contextmanager
def saver(url: str, extra: Mapping[str, str] | None = None) -> Iterator[Saver]:
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "tests.storage.saving_process", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(extra or {})},
    )
    with process:
        try:
            found = Saver(process)
            found.lines(until="ready")
            yield found
        finally:
            process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("disk")


@pytest.fixture(scope="module")
def url(folder: Path) -> str:
    return f"sqlite:///{folder}/predictions.db"


@pytest.fixture(scope="module")
def module_disk(faulty_disk_library: Path, folder: Path) -> FaultyDisk:
    return FaultyDisk(faulty_disk_library, folder=folder, control=folder.with_suffix(".control"))


@pytest.fixture(scope="module")
def module_saver(url: str, module_disk: FaultyDisk) -> Iterator[Saver]:
    with saver(url, module_disk.environment) as found:
        yield found


@pytest.fixture
def disk(module_disk: FaultyDisk) -> Iterator[FaultyDisk]:
    yield module_disk
    module_disk.heal()


@pytest.fixture
def faulty(module_saver: Saver, disk: FaultyDisk) -> Saver:
    """A process that has saved something, on a disk that is well as yet; shared, for it is slow to start."""
    module_saver.obey("save 1")
    return module_saver


async def stored_ids(settings: StorageSettings) -> set[str]:
    store = await open_store(settings)
    try:
        return {stored.prediction.id for stored in await store.list(limit=100_000)}
    finally:
        await store.close()


def outcomes(lines: list[list[str]], count: int) -> set[str]:
    """What was said, in one word each, once it is clear that everyone was told."""
    assert len(lines) == count
    return {words[0] for words in lines}


def identities(lines: list[list[str]]) -> set[str]:
    return {identity for _, identity in lines}


async def test_what_was_saved_outlives_kill_9(settings: StorageSettings) -> None:
    with saver(settings.url) as found:
        found.command("forever")
        lines = found.some_lines(500)
        found.process.kill()
        lines += [words for words in found.lines() if len(words) == 2 and len(words[1]) == 36]
    claimed = {identity for word, identity in lines if word == "saved"}
    assert len(claimed) >= 500
    assert claimed <= await stored_ids(settings)


async def test_a_save_costs_one_sync(faulty: Saver, disk: FaultyDisk) -> None:
    before = disk.syncs
    for _ in range(10):
        faulty.obey("save 1")
    assert disk.syncs - before == 10


async def test_saves_at_once_share_their_syncs(faulty: Saver, disk: FaultyDisk) -> None:
    before = disk.syncs
    faulty.obey("save 50")
    assert disk.syncs - before <= 3


async def test_a_failing_sync_saves_nothing(faulty: Saver, disk: FaultyDisk, url: str) -> None:
    saved = faulty.obey("save 5")
    disk.fail()
    failed = [words for _ in range(3) for words in faulty.obey("save 5")]
    disk.heal()
    saved += faulty.obey("save 5")
    assert (outcomes(saved, 10), outcomes(failed, 15)) == ({"saved"}, {"failed"})
    stored = await stored_ids(StorageSettings(url=url))
    assert identities(saved) <= stored
    assert not identities(failed) & stored


async def test_a_sync_that_hangs_keeps_everyone_waiting(faulty: Saver, disk: FaultyDisk) -> None:
    disk.hang()
    faulty.command("save 5")
    disk.wait_until_hanging()
    assert faulty.is_silent()
    disk.heal()
    assert outcomes(faulty.lines(), 5) == {"saved"}


async def test_a_sync_that_hangs_and_then_fails_saves_nothing(faulty: Saver, disk: FaultyDisk) -> None:
    disk.hang()
    faulty.command("save 5")
    disk.wait_until_hanging()
    disk.fail()
    assert outcomes(faulty.lines(), 5) == {"failed"}


async def test_who_gave_up_waiting_is_written_all_the_same(faulty: Saver, disk: FaultyDisk, url: str) -> None:
    disk.hang()
    late = faulty.obey("save-within 0.05 5")
    late += faulty.obey("save-within 0.05 5")
    disk.heal()
    assert outcomes(late, 10) == {"late"}
    assert outcomes(faulty.obey("save 1"), 1) == {"saved"}  # behind them in the queue
    assert identities(late) < await stored_ids(StorageSettings(url=url))


async def test_a_hanging_disk_does_not_keep_the_process(url: str, disk: FaultyDisk) -> None:
    with saver(url, disk.environment) as own:
        disk.hang()
        assert outcomes(own.obey("save-within 0.05 1"), 1) == {"late"}
        own.command("leave")
        own.process.wait(timeout=60)
