# SPDX-License-Identifier: Apache-2.0
"""The report after a training, and a training shared by two processes."""

import subprocess
import sys
from dataclasses import replace

import pytest

from models import artifact
from models.training.job import Job, run_job
from models.training.settings import LabelSettings, Recipe
from models.training.sources import RecordingSource
from tests.models import books
from tests.models.training.test_shipping import SETTINGS

SMALL = {"horizons": (5, 10), "width": 8}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return books.write(tmp_path_factory.mktemp("file"), "tiny", **books.arrays(rows=2400))


def test_plots_a_page_and_learned_rivals(file, tmp_path):
    settings = replace(SETTINGS, epochs=1)
    folder = tmp_path / "report"
    job = Job(
        "book_mlp", RecordingSource(file), tmp_path / "net" / "1", Recipe(settings, LabelSettings(), SMALL)
    )
    done = run_job(replace(job, report=folder))
    plots = sorted(each.name for each in folder.glob("*.png"))
    assert plots == ["confusion.png", "f1_by_horizon.png", "learning_curves.png", "reliability.png"]
    assert all((folder / plot).read_bytes().startswith(b"\x89PNG") for plot in plots)
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    for word in (
        "net version 1",
        "logistic_regression",
        "gradient_boosting",
        "persistence",
        "no trading edge",
    ):
        assert word in page
    for row in artifact.load(done.folder).manifest.metrics.horizons:
        assert set(row.rivals) == {"logistic_regression", "gradient_boosting"}


@pytest.mark.slow
def test_two_processes_train_one_network(file, tmp_path):
    out = tmp_path / "net" / "1"
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "models.training.train", "--architecture", "book_mlp", "--recording", str(file)]
    command += ["--out", str(out), "--folds", "0", "--epochs", "1", "--batch-size", "64", "--quiet"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *command], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("net version 1") == 1
    assert artifact.load(out).manifest.provenance.epochs_run == 1
