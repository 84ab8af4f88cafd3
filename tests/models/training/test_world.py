# SPDX-License-Identifier: Apache-2.0
"""A training shared by two processes under torchrun."""

import json
import subprocess
import sys

import pytest

from models import artifact
from tests.models import books

pytestmark = pytest.mark.slow
#: More than the steps of one epoch, fewer than those of two.
IN_THE_SECOND_EPOCH = 60


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return books.write(tmp_path_factory.mktemp("file"), "tiny", **books.arrays(rows=6000))


def torchrun(*arguments):
    """The output of a program that runs as two processes."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *command, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def shared(file, folder, stop_after):
    folder.mkdir(exist_ok=True)
    torchrun("tests.models.training.shared_training", file, folder, stop_after)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_both_end_with_one_network_stopped_on_the_way_or_not(file, tmp_path):
    """One process alone is told to stop; neither waits for the other, and together they go on."""
    first, second = shared(file, tmp_path / "straight", 0)
    assert first == second
    assert first["stopped"] == "all epochs done"
    stopped = shared(file, tmp_path / "stopped", IN_THE_SECOND_EPOCH)
    assert [each["stopped"] for each in stopped] == ["cancelled", "cancelled"]
    assert [len(each["history"]) for each in stopped] == [1, 1]
    assert shared(file, tmp_path / "stopped", 0) == [first, second]


def test_they_write_one_artifact_within_their_time(file, tmp_path):
    out = tmp_path / "net" / "1"
    options = ["--architecture", "book_mlp", "--recording", file, "--out", out, "--folds", 1]
    options += ["--epochs", 10_000, "--max-seconds", 2, "--batch-size", 64, "--quiet"]
    said = torchrun("models.training.train", *options)
    assert said.count("net version 1") == 1
    manifest = artifact.load(out).manifest
    assert manifest.provenance.note == "time budget of 2 s spent"
    assert len(manifest.metrics.horizons[0].macro_f1_folds) == 1
