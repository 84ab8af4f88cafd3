# SPDX-License-Identifier: Apache-2.0
"""Scoring the networks of a repository on a recording."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

import models
from kernels import labels
from models import artifact
from models.evaluation import BASELINES, evaluate, load_newest
from models.manifest import write_manifest
from models.training.inference import run
from models.training.inputs import BookInputs
from models.training.recordings import RecordingError, read_recording
from tests.inference import artifacts
from tests.models import books

WEIGHTS = Path(models.__path__[0]) / "weights"


@pytest.fixture
def repository(tmp_path):
    artifacts.write(tmp_path, "first", 1, seed=1)
    artifacts.write(tmp_path, "first", 2, seed=2)
    artifacts.write(tmp_path, "second", 1, kind="mlplob")
    artifacts.write(tmp_path, "features", 1, kind="cnn_lstm", hidden=32)
    return tmp_path


@pytest.fixture
def file(tmp_path):
    return books.write(tmp_path, **books.arrays(rows=700))


def test_everyone_is_scored(repository, file):
    found = evaluate(repository, file)
    assert sorted(found.forecasters) == [
        "ensemble", "features/1", "first/2", "gradient_boosting", "logistic_regression", "majority",
        "persistence", "second/1",
    ]  # fmt: skip
    for name, rows in found.forecasters.items():
        assert [row.horizon for row in rows] == [10, 50], name
        for row in rows:
            low, high = row.macro_f1_interval
            assert 0 <= low <= high <= 1
            assert row.rows == 700 - 99 - row.horizon
    assert json.loads(json.dumps(found.as_json()))["symbol"] == "MADEUP"


def test_against_scores_computed_by_hand(repository, file):
    found = evaluate(repository, file, names=["first"])
    assert "ensemble" not in found.forecasters
    loaded = artifact.load(repository / "first" / "2")
    recording = read_recording(file)
    rows = np.arange(99, 700)
    answers = run(loaded.network, BookInputs(recording), rows)
    mid2 = labels.doubled_mid(recording.ask_px, recording.bid_px)
    for h, row in enumerate(found.forecasters["first/2"]):
        changes = labels.label_changes("decoupled", mid2, horizon=row.horizon)
        truth = labels.classify(changes, loaded.manifest.labels.alphas[h])[rows]
        known = truth >= 0
        called = answers.logits[known, h].argmax(axis=1)
        wanted = f1_score(truth[known], called, average="macro", labels=[0, 1, 2], zero_division=0)
        assert row.macro_f1 == pytest.approx(wanted, abs=1e-5)
        repeated = labels.persistence(
            labels.classify(changes, loaded.manifest.labels.alphas[h]), horizon=row.horizon
        )
        persistent = np.where(repeated < 0, 1, repeated)[rows][known]
        wanted = f1_score(truth[known], persistent, average="macro", labels=[0, 1, 2], zero_division=0)
        assert found.forecasters["persistence"][h].macro_f1 == pytest.approx(wanted, abs=1e-5)


def test_an_ensemble_of_one_voice_says_what_it_says(repository, file, tmp_path):
    other = tmp_path / "twins"
    artifacts.write(other, "one", 1, seed=3)
    artifacts.write(other, "two", 1, seed=3)
    found = evaluate(other, file)
    one, both = found.forecasters["one/1"], found.forecasters["ensemble"]
    assert [row.macro_f1 for row in one] == [row.macro_f1 for row in both]
    assert [row.log_loss for row in one] == pytest.approx([row.log_loss for row in both], abs=1e-4)


def test_newest_and_named(repository):
    assert list(load_newest(repository)) == ["features/1", "first/2", "second/1"]
    assert list(load_newest(repository, names=["second"])) == ["second/1"]
    with pytest.raises(ValueError, match="holds no network gone"):
        load_newest(repository, names=["gone"])
    with pytest.raises(ValueError, match="holds no network at all"):
        load_newest(repository / "first")


def test_leads_are_differences_on_the_same_rows(repository, file):
    found = evaluate(repository, file)
    assert {each.baseline for each in found.leads} == set(BASELINES)
    for each in found.leads:
        scores = {
            name: {row.horizon: row.macro_f1 for row in rows} for name, rows in found.forecasters.items()
        }
        if each.forecaster == "ensemble":
            gain = scores["ensemble"][each.horizon] - scores[each.baseline][each.horizon]
            assert each.macro_f1 == pytest.approx(gain, abs=2e-5)
        assert each.interval[0] <= each.interval[1]


def test_what_was_learned_from_this_file_is_named(repository, file):
    assert evaluate(repository, file).seen == ()
    manifest = artifact.load(repository / "second" / "1").manifest
    provenance = manifest.provenance.model_copy(update={"recording_sha256": read_recording(file).sha256})
    write_manifest(manifest.model_copy(update={"provenance": provenance}), repository / "second" / "1")
    found = evaluate(repository, file)
    assert found.seen == ("second/1",)
    assert "second/1" not in found.same_source


def test_what_was_learned_from_the_same_source_is_named(repository, tmp_path):
    made = books.arrays(rows=700)
    meta = json.dumps({**json.loads(str(made["meta"])), "source": "somewhere"})
    file = books.write(tmp_path, **{**made, "meta": np.array(meta)})
    assert evaluate(repository, file).same_source == ()
    manifest = artifact.load(repository / "second" / "1").manifest
    provenance = manifest.provenance.model_copy(update={"source": "somewhere"})
    write_manifest(manifest.model_copy(update={"provenance": provenance}), repository / "second" / "1")
    assert evaluate(repository, file).same_source == ("second/1",)


def test_a_recording_shorter_than_a_horizon_is_scored_on_the_others(repository, tmp_path):
    short = books.write(tmp_path, "short", **books.arrays(rows=130))
    found = evaluate(repository, short)
    assert {row.horizon for rows in found.forecasters.values() for row in rows} == {10}
    assert found.forecasters["first/2"][0].rows == 130 - 99 - 10
    one = books.write(tmp_path, "one", **books.arrays(rows=110))
    assert evaluate(repository, one).forecasters["ensemble"][0].rows == 1
    none = books.write(tmp_path, "none", **books.arrays(rows=109))
    with pytest.raises(RecordingError, match="has 109 rows; a window and the shortest horizon need 110"):
        evaluate(repository, none)


def test_a_recording_without_trades(repository, tmp_path):
    silent = {"trade_buy_qty": None, "trade_sell_qty": None, "last_trade_px": None}
    file = books.write(tmp_path, "silent", **{**books.arrays(rows=400), **silent})
    assert evaluate(repository, file).rows == 400


def test_later_data_of_the_market_is_scored_by_the_shipped_networks():
    """The end of the recording; the networks have seen it, the figures only show that they are read right."""
    found = evaluate(WEIGHTS, books.real(), names=["bin_ctabl"])
    rows = {row.horizon: row for row in found.forecasters[next(iter(found.forecasters))]}
    assert rows[10].macro_f1 > 0.6
    assert found.seen
