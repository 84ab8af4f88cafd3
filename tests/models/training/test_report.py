# SPDX-License-Identifier: Apache-2.0
"""The report after a training."""

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
        assert set(row.lead_intervals) == {*row.rivals, "persistence", "majority"}
        for name, macro_f1 in {**row.rivals, "persistence": row.macro_f1_persistence}.items():
            low, high = row.lead_intervals[name]
            assert low <= row.macro_f1 - macro_f1 <= high
            assert f"{macro_f1:.3f} ({low:+.3f} to {high:+.3f})" in page
