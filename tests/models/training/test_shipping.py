# SPDX-License-Identifier: Apache-2.0
"""What the walk-forward tests teach the shipped network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models import artifact, scores
from models.architectures import architecture, make_config
from models.training import calibrate, shipping, walk_forward
from models.training.inference import Answers
from models.training.job import Job, run_job
from models.training.settings import LabelSettings, Recipe, Schedule, TrainingSettings
from models.training.sources import RecordingSource
from models.training.splits import everything
from tests.models import books

SETTINGS = TrainingSettings(
    learning_rate=3e-3,
    batch_size=64,
    epochs=2,
    schedule=Schedule.ONE_CYCLE,
    mirror=True,
    folds=2,
    precision="fp32",
    call_balance=0.3,
    refit=True,
)


def answered(seed, claim=2.0, rows=4000):
    """Answers whose log-odds are ``claim`` times what they should be."""
    generator = np.random.default_rng(seed)
    honest = generator.dirichlet([2.0, 3.0, 2.0], (rows, 1))
    directions = (generator.random((rows, 1, 1)) > honest.cumsum(axis=2)).sum(axis=2)
    logits = (claim * np.log(honest)).astype(np.float32)
    stated = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    answers = Answers(logits, stated.max(axis=2).astype(np.float32), np.zeros((rows, 1), np.float32))
    return walk_forward.Tested(
        answers=answers,
        directions=directions,
        calls=answers.calls(np.zeros((1, 3), np.float32)),
        baselines={"persistence": directions, "majority": directions},
        shares=np.full((1, 3), 1 / 3),
        calibration={},
    )


def test_what_all_tests_claim_too_much_is_found():
    tests = [answered(0), answered(1)]
    assert shipping.residual_temperature(tests) == pytest.approx([0.5], abs=0.04)
    trust, doubt = shipping.residual_confidence(tests)
    odds = np.concatenate([test.answers.confidence[:, 0] for test in tests])
    odds = np.log(odds / (1 - odds))
    right = np.concatenate([test.directions[:, 0] == test.calls[:, 0] for test in tests])
    stated = 1 / (1 + np.exp(-(trust[0] * odds + doubt[0])))
    assert scores.calibration_error(right, stated) < 0.02


def test_what_was_learned_beside_the_odds_has_to_earn_its_place():
    generator = np.random.default_rng(0)
    odds, noise = generator.standard_normal(3000), generator.standard_normal(3000)
    right = generator.random(3000) < 1 / (1 + np.exp(-(0.7 * odds + 0.2)))
    trust, lean, doubt = calibrate.fit_confidence(odds, noise, right)
    assert (trust, doubt) == (pytest.approx(0.7, abs=0.1), pytest.approx(0.2, abs=0.1))
    assert abs(lean) < 0.05


def test_a_refit_learns_from_all_rows_and_is_calibrated_by_the_tests(tmp_path):
    file = books.write(tmp_path, **books.arrays(rows=2400))
    small = {"horizons": (5, 10), "width": 8}
    job = Job(
        "book_mlp", RecordingSource(file), tmp_path / "net" / "1", Recipe(SETTINGS, LabelSettings(), small)
    )
    done = run_job(replace(job, keep=True))
    provenance = done.manifest.provenance
    assert provenance.train_rows == (99, 2390)
    assert done.manifest.labels.rows == (0, 2400)
    assert done.manifest.decision.call_offsets[0][1] == 0.0
    for row in done.manifest.metrics.horizons:
        low, high = row.calibration_slope_interval
        assert low < row.calibration_slope < high
    assert f"({low:.2f} to {high:.2f})" in done.summary()
    again = run_job(replace(job, out=tmp_path / "net" / "2", work=tmp_path / "net" / ".training" / "1"))
    inputs = torch.randn(3, 100, 20, 4).abs()
    first, second = (artifact.load(each.folder).network(inputs) for each in (done, again))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_test_of_a_refit_learns_from_all_rows_before_it(tmp_path):
    file = books.write(tmp_path, **books.arrays(rows=2400))
    source = RecordingSource(file)
    config = make_config("book_memory", {"horizons": (5, 10), "width": 8})
    task = walk_forward.Task(
        source,
        source.inputs(config.encodings),
        architecture("book_memory"),
        config,
        SETTINGS,
        LabelSettings(),
    )
    split = source.tests(folds=2, validation_share=0.2, **task.span)[0]
    course = walk_forward.Course(checkpoint=tmp_path / "one.npz")
    trained = walk_forward.train_split(task, split, SETTINGS, course)
    assert trained.split.train.stop == split.validation.stop < split.test.start - task.span["window"]
    assert trained.past == int(0.6 * 2400)
    kept = walk_forward.train_split(task, split, replace(SETTINGS, refit=False), course)
    for name in ("scale", "trust", "doubt"):
        mine, theirs = (getattr(each.network.calibration(), name) for each in (trained, kept))
        assert torch.equal(mine, theirs)
    weights = [each.network.heads.answers.weight for each in (trained, kept)]
    assert not torch.equal(*weights)


def test_a_second_seed_that_says_the_same_makes_no_slope_surer():
    folds = [answered(0), answered(1)]
    once = walk_forward.score_horizon(folds, 0, 5)
    twice = walk_forward.score_horizon([*folds, *folds], 0, 5, seeds=2)
    assert twice.calibration_slope_interval == once.calibration_slope_interval
    as_if_more = walk_forward.score_horizon([*folds, *folds], 0, 5).calibration_slope_interval
    assert np.diff(as_if_more) < 0.8 * np.diff(once.calibration_slope_interval)


def test_everything_is_every_row_with_a_label():
    split = everything(1000, validation_share=0.2, horizon=10, window=100)
    assert (split.train.start, split.train.stop) == (99, 990)
    assert split.validation.stop == 990
    assert not len(split.test)
