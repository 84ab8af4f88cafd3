# SPDX-License-Identifier: Apache-2.0
"""Training: to the same numbers whether killed or not, and on the past alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from models import artifact
from models.architectures import architecture, make_config
from models.training.checkpoints import CheckpointError
from models.training.examples import Batch, Examples
from models.training.inputs import BookInputs
from models.training.job import Job, run_job
from models.training.losses import MultiTaskLoss, balance_offsets, balance_weights, class_shares
from models.training.progress import JsonLines, Report
from models.training.settings import LabelSettings, Recipe, Schedule, TrainingSettings
from models.training.sources import RecordingSource
from models.training.splits import walk_forward
from models.training.targets import fit_alphas, make_targets
from models.training.train import find_source, main
from models.training.trainer import Trainer
from models.training.world import local_device
from tests.models import books

HORIZONS = (5, 10)
SMALL = {"horizons": HORIZONS, "hidden": (8, 8), "steps": (4, 2), "width": 4, "dropout": 0.2}
QUICK = TrainingSettings(
    learning_rate=3e-3,
    batch_size=32,
    epochs=4,
    accumulation=2,
    schedule=Schedule.ONE_CYCLE,
    mirror=True,
    folds=2,
    precision="fp32",
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return books.recording(tmp_path_factory.mktemp("book"), rows=1500)


def make_trainer(recording, settings=QUICK, **course):
    split = walk_forward(len(recording), folds=1, validation_share=0.2, horizon=10, window=100)[0]
    past = recording.part(0, split.train.stop + 10)
    alphas = fit_alphas(past, horizons=HORIZONS, settings=LabelSettings())
    targets = make_targets(recording, horizons=HORIZONS, alphas=alphas, settings=LabelSettings())
    torch.manual_seed(0)
    network = architecture("bin_ctabl").build(make_config("bin_ctabl", SMALL))
    examples = Examples(BookInputs(recording), targets)
    return Trainer(network=network, examples=examples, split=split, settings=settings, **course)


def weights(trainer):
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def assert_same(first, second):
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def losses(outcome):
    return [(row["loss"], row["validation_loss"]) for row in outcome.standing.history]


def test_a_seed_gives_the_same_network_again(recording):
    first, second = make_trainer(recording), make_trainer(recording)
    assert losses(first.run()) == losses(second.run())
    assert_same(weights(first), weights(second))
    other = make_trainer(recording, replace(QUICK, seed=1))
    assert losses(other.run()) != losses(first.run())


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_killed_and_resumed_ends_where_the_other_ends(recording, tmp_path, killed_after):
    whole = make_trainer(recording)
    outcome = whole.run()
    file = tmp_path / "standing.npz"
    steps = 0

    def stop():
        nonlocal steps
        steps += 1
        return steps > killed_after * whole._batches

    killed = make_trainer(recording, checkpoint=file, identity="a", stop=stop)
    assert killed.run().stopped == "cancelled"
    resumed = make_trainer(recording, checkpoint=file, identity="a")
    assert losses(resumed.run()) == losses(outcome)
    assert_same(weights(resumed), weights(whole))


def test_a_checkpoint_of_another_training_is_refused(recording, tmp_path):
    file = tmp_path / "standing.npz"
    make_trainer(recording, replace(QUICK, epochs=1), checkpoint=file, identity="a").run()
    with pytest.raises(CheckpointError, match="belongs to other data or settings"):
        make_trainer(recording, checkpoint=file, identity="b").run()
    anew = make_trainer(recording, replace(QUICK, epochs=1), checkpoint=file, identity="b", renew=True)
    assert len(anew.run().standing.history) == 1
    file.write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="cannot be read"):
        make_trainer(recording, checkpoint=file, identity="a").run()


def test_a_command_with_another_trainings_checkpoint_says_so(tmp_path, capsys):
    file = books.write(tmp_path, **books.arrays(rows=3000))
    work, out = tmp_path / "work", tmp_path / "net" / "1"
    work.mkdir()
    (work / "final.npz").write_bytes(b"torn")
    arguments = ["--architecture", "book_mlp", "--recording", str(file), "--out", str(out)]
    arguments += ["--work", str(work), "--folds", "0", "--epochs", "1", "--quiet"]
    assert main(arguments) == 1
    assert "remove it to start anew" in capsys.readouterr().err
    assert main([*arguments, "--renew"]) == 0


def test_labels_and_arithmetic_of_another_kind(tmp_path):
    file = books.write(tmp_path, **books.arrays(rows=3000))
    out = tmp_path / "net" / "1"
    arguments = ["--architecture", "book_mlp", "--recording", str(file), "--out", str(out)]
    arguments += ["--folds", "0", "--epochs", "1", "--quiet", "--labels", "forward_mean"]
    assert main([*arguments, "--threshold", "spread", "--precision", "bf16"]) == 0
    manifest = artifact.load(out).manifest
    assert manifest.provenance.settings["precision"] == "bf16"
    labels = manifest.labels
    assert (labels.kind, labels.rule, len(set(labels.alphas))) == ("forward_mean", "spread", 1)


def test_it_learns_and_keeps_the_best(recording):
    trainer = make_trainer(recording, replace(QUICK, epochs=8, patience=2))
    outcome = trainer.run()
    history = outcome.standing.history
    assert history[-1]["loss"] < history[0]["loss"]
    validation = [row["validation_loss"] for row in history]
    assert outcome.standing.best_loss == min(validation)
    assert outcome.standing.best_epoch == int(np.argmin(validation))


def test_patience_ends_a_training(recording):
    settings = replace(QUICK, learning_rate=1e-12, weight_decay=0.0, epochs=30, patience=2)
    outcome = make_trainer(recording, settings).run()
    assert outcome.stopped == "no better for 2 epochs"
    assert outcome.standing.epoch < 30


def test_a_time_budget_ends_a_training(recording):
    outcome = make_trainer(recording, replace(QUICK, max_seconds=1e-6)).run()
    assert outcome.stopped == "time budget of 1e-06 s spent"
    assert outcome.standing.epoch == 1


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns(recording, precision):
    outcome = make_trainer(recording, replace(QUICK, precision=precision)).run()
    assert np.isfinite(outcome.standing.best_loss)


def test_the_future_of_a_split_does_not_reach_its_training(recording, tmp_path):
    """Shuffle everything after the validation part: the trained weights stay bit for bit."""
    split = make_trainer(recording).split
    edge = split.validation.stop + 10
    order = np.random.default_rng(0).permutation(np.arange(edge, len(recording)))
    content = books.arrays(rows=len(recording))
    changed = {
        name: np.concatenate((content[name][:edge], content[name][order]))
        for name in ("ask_px", "ask_qty", "bid_px", "bid_qty")
    }
    other = books.read_recording(books.write(tmp_path, **{**content, **changed}))
    first, second = make_trainer(recording), make_trainer(other)
    assert losses(first.run()) == losses(second.run())
    assert_same(weights(first), weights(second))


def test_mirrored_examples_turn_labels_and_returns(recording):
    trainer = make_trainer(recording)
    rows = np.arange(200, 208)
    plain, turned = trainer.examples.batch(rows), trainer.examples.batch(rows, mirrored=8)
    assert torch.equal(turned.directions, 2 - plain.directions)
    assert torch.equal(turned.returns_bps, -plain.returns_bps)
    assert torch.equal(turned.inputs[0][..., 1], plain.inputs[0][..., 3])
    assert torch.equal(turned.inputs[0][..., 0], -plain.inputs[0][..., 2])


def test_the_loss_is_the_sum_of_its_tasks(recording):
    trainer = make_trainer(recording)
    calibration = trainer.network.calibration()
    batch = Batch(
        (torch.zeros(2, 1),),
        torch.tensor([[0, -1], [2, 1]]),
        torch.tensor([[1.0, float("nan")], [-1.0, 2.0]]),
    )
    heads = (torch.zeros(2, 2, 3), torch.full((2, 2), 0.5), torch.zeros(2, 2))
    parts = {}
    for task in ("direction_weight", "confidence_weight", "return_weight"):
        only = {"direction_weight": 0.0, "confidence_weight": 0.0, "return_weight": 0.0, task: 1.0}
        loss = MultiTaskLoss(
            class_weights=torch.ones(2, 3), calibration=calibration, settings=replace(QUICK, **only)
        )
        parts[task] = float(loss(heads, batch))
    assert parts["direction_weight"] == pytest.approx(np.log(3), rel=1e-6)
    assert parts["confidence_weight"] == pytest.approx(np.log(2), rel=1e-6)
    assert parts["return_weight"] > 0
    whole = MultiTaskLoss(class_weights=torch.ones(2, 3), calibration=calibration, settings=QUICK)
    assert float(whole(heads, batch)) == pytest.approx(
        parts["direction_weight"] + 0.5 * parts["confidence_weight"] + 0.3 * parts["return_weight"], rel=1e-5
    )


def test_weights_and_offsets_of_rare_classes():
    directions = np.repeat([0, 1, 2], [10, 80, 10])[:, None]
    shares = class_shares(directions, mirror=False)
    np.testing.assert_allclose(shares, [[11 / 103, 81 / 103, 11 / 103]])
    found = balance_weights(shares, 1.0)
    assert float((found.numpy() * shares).sum()) == pytest.approx(1.0)
    assert float(found[0, 0] / found[0, 1]) == pytest.approx(81 / 11, rel=1e-5)
    assert torch.equal(balance_weights(shares, 0.0), torch.ones(1, 3))
    offsets = balance_offsets(shares, [1.0])
    assert offsets.tolist()[0] == pytest.approx([np.log(81 / 11), 0.0, np.log(81 / 11)])


def make_job(recording_file, out, **changes):
    settings = replace(QUICK, epochs=2, **changes)
    return Job("bin_ctabl", RecordingSource(recording_file), out, Recipe(settings, LabelSettings(), SMALL))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return books.write(tmp_path_factory.mktemp("file"), **books.arrays(rows=2400))


def test_a_job_ends_in_an_artifact(file, tmp_path):
    reports = []
    done = run_job(make_job(file, tmp_path / "small" / "3"), observer=reports.append)
    loaded = artifact.load(tmp_path / "small" / "3")
    manifest = loaded.manifest
    assert (manifest.name, manifest.version, manifest.horizons) == ("small", 3, HORIZONS)
    assert manifest.provenance.recording_sha256 == books.read_recording(file).sha256
    assert len(manifest.metrics.horizons[0].macro_f1_folds) == 2
    assert manifest.labels.rows[1] <= 2400
    assert loaded.network(torch.zeros(2, 100, 20, 4))[0].shape == (2, 2, 3)
    assert {report.stage for report in reports} == {"seed 0 fold 1 of 2", "seed 0 fold 2 of 2", "final"}
    assert "small version 3" in done.summary()
    assert not (tmp_path / "small" / ".training").exists()


def test_a_stopped_job_goes_on(file, tmp_path):
    asked = 0

    def stop():
        nonlocal asked
        asked += 1
        return asked > 40

    job = make_job(file, tmp_path / "small" / "1")
    assert run_job(job, stop=stop) is None
    resumed = run_job(job)
    straight = run_job(make_job(file, tmp_path / "other" / "1"))
    assert resumed.manifest.metrics == straight.manifest.metrics
    inputs = torch.randn(3, 100, 20, 4).abs()
    first, second = (artifact.load(done.folder).network(inputs) for done in (resumed, straight))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("out", "mend"),
    [
        ("small", "the version a number"),
        ("small/0", "the version a number"),
        ("Small-1/1", "the name of a-z"),
    ],
)
def test_an_artifact_has_a_name_and_a_version_before_anything_is_trained(file, tmp_path, out, mend):
    with pytest.raises(ValueError, match=rf"out: .*must end in NAME/VERSION, {mend}"):
        run_job(make_job(file, tmp_path / "named" / out))


def test_an_artifact_is_not_lost_by_accident(file, tmp_path):
    job = make_job(file, tmp_path / "small" / "1")
    first = run_job(job)
    (first.folder / "model.bf16.pt").write_bytes(b"of the first")
    with pytest.raises(
        ValueError, match=r"out: .*small/1: holds an artifact; give the next version, or --over"
    ):
        run_job(job)
    assert artifact.load(first.folder).manifest == first.manifest
    second = run_job(replace(job, overwrite=True))
    assert second.manifest.created > first.manifest.created
    assert [file.name for file in second.folder.glob("*.pt")] == ["model.pt"]


def test_the_command(file, tmp_path, capsys):
    progress = tmp_path / "progress.jsonl"
    arguments = [
        "--architecture",
        "bin_ctabl",
        "--recording",
        str(file),
        "--out",
        str(tmp_path / "net" / "1"),
    ]
    assert main([*arguments, "--folds", "0", "--epochs", "1", "--progress", str(progress)]) == 0
    assert "net version 1: " in capsys.readouterr().out
    last = json.loads(progress.read_text().splitlines()[-1])
    assert last["stage"] == "final"
    assert last["percent"] == pytest.approx(100.0)
    assert main(["--architecture", "no", "--recording", str(file), "--out", str(tmp_path / "n" / "1")]) == 1
    assert "architecture: 'no' is not known" in capsys.readouterr().err
    assert (
        main(["--architecture", "bin_ctabl", "--recording", "gone", "--out", str(tmp_path / "n" / "1")]) == 1
    )
    assert "recording: 'gone' is no file" in capsys.readouterr().err


def test_recordings_are_found_by_name(monkeypatch, tmp_path):
    (tmp_path / "lob").mkdir()
    file = books.write(tmp_path / "lob")
    monkeypatch.setenv("CONSILIENCE_DATA", str(tmp_path))
    assert find_source("madeup").origin.sha256 == books.read_recording(file).sha256


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"epochs": 0}, "epochs: 0"),
        ({"epoch_share": 0}, "epoch_share"),
        ({"validation_share": 1}, "validation_share"),
    ],
)
def test_settings_that_make_no_sense(values, complaint):
    with pytest.raises(ValueError, match=complaint):
        replace(QUICK, **values)


def test_lines_of_progress(tmp_path):
    with (tmp_path / "lines").open("w") as stream:
        JsonLines(stream)(Report("final", 1, 4, 5, 10, loss=0.5))
    line = json.loads((tmp_path / "lines").read_text())
    assert line["percent"] == 37.5
    assert line["loss"] == 0.5


@pytest.mark.parametrize(("epoch", "shown"), [(0, 1), (3, 4), (4, 4)])
def test_no_epoch_beyond_the_last_is_shown(epoch, shown):
    assert Report("final", epoch, 4, 0, 10).present_epoch == shown


def test_a_device_that_is_not_there_is_named(monkeypatch):
    assert local_device("cpu") == "cpu"
    with pytest.raises(ValueError, match="device: 'abacus' is none that PyTorch knows; use cpu or cuda"):
        local_device("abacus")
    monkeypatch.setenv("LOCAL_RANK", "4096")
    with pytest.raises(ValueError, match="device: GPU 4096 is wanted, and PyTorch finds"):
        local_device("cuda")
