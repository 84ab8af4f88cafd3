# SPDX-License-Identifier: Apache-2.0
"""FI-2010 from files in its own layout, made up here: the data set is the user's."""

import numpy as np
import pytest

from models import artifact
from models.encoding import Encoding
from models.evaluation import evaluate
from models.training.fi2010 import Fi2010Source, Normalisation
from models.training.finding import find_source
from models.training.recordings import RecordingError
from models.training.settings import LabelSettings
from models.training.train import main
from tests.models import books


def make_file(folder, name, events, *, up_code, seed):
    """(149, events) as published: a walking book, and labels that tell the next move."""
    generator = np.random.default_rng(seed)
    moves = generator.choice([-1.0, 0.0, 1.0], events + 1)
    mid = 100 + np.cumsum(moves)[:-1]
    table = generator.standard_normal((149, events))
    for level in range(10):
        table[4 * level] = mid + 0.5 + level
        table[4 * level + 2] = mid - 0.5 - level
    code = {1.0: up_code, 0.0: 2, -1.0: 4 - up_code}
    table[144:149] = [code[move] for move in moves[1:]]
    np.savetxt(folder / name, table, fmt="%.6f")
    return table, moves[1:]


@pytest.fixture(params=[1, 3], ids=["one_is_up", "three_is_up"])
def fi(request, tmp_path):
    made = [make_file(tmp_path, "Train_Dst_NoAuction_ZScore_CF_7.txt", 2400, up_code=request.param, seed=0)]
    made += [
        make_file(tmp_path, f"Test_Dst_NoAuction_ZScore_CF_{day}.txt", 200, up_code=request.param, seed=day)
        for day in (7, 8, 9)
    ]
    return tmp_path, made


def test_windows_and_labels(fi):
    folder, made = fi
    source = Fi2010Source(folder)
    assert len(source) == 3000
    inputs = source.inputs([Encoding.FI2010_WINDOW])
    (window,) = inputs.read(np.array([150]))
    table = made[0][0]
    np.testing.assert_allclose(window[0, -1].ravel(), table[:40, 150], atol=1e-5)
    np.testing.assert_allclose(window[0, 0, 3], table[12:16, 51], atol=1e-5)
    targets = source.targets(past=800, horizons=(10, 100), settings=LabelSettings())
    moves = np.concatenate([moves for _, moves in made])
    np.testing.assert_array_equal(targets.directions[:, 0], moves.astype(int) + 1)
    assert np.isnan(targets.returns_bps).all()


def test_the_standard_split(fi):
    source = Fi2010Source(fi[0])
    (split,) = source.tests(folds=5, validation_share=0.2, horizon=100, window=100)
    assert split.test.start == 2500
    assert split.test.stop == 3000
    assert split.validation.stop + 100 == 2400
    assert not len(source.whole(validation_share=0.2, horizon=100, window=100).test)


def test_what_it_does_not_hold(fi):
    source = Fi2010Source(fi[0])
    with pytest.raises(ValueError, match="encoding: FI-2010 holds fi2010_window_as_published only"):
        source.inputs([Encoding.BOOK_WINDOW])
    with pytest.raises(ValueError, match="horizons: FI-2010 has labels for 10, 20, 30, 50, 100 events"):
        source.targets(past=800, horizons=(40,), settings=LabelSettings())
    with pytest.raises(RecordingError, match=r"Train_Dst_NoAuction_MinMax_CF_7\.txt: cannot be read"):
        Fi2010Source(fi[0], Normalisation.MIN_MAX)


def test_a_file_of_another_shape(tmp_path):
    np.savetxt(tmp_path / "Train_Dst_NoAuction_ZScore_CF_7.txt", np.zeros((144, 5)))
    with pytest.raises(RecordingError, match="144 rows; an FI-2010 file has 149"):
        Fi2010Source(tmp_path)


def test_a_network_is_trained_on_it(fi, tmp_path, capsys):
    out = tmp_path / "net" / "1"
    arguments = ["--architecture", "bin_ctabl", "--recording", str(fi[0]), "--out", str(out), "--quiet"]
    assert main([*arguments, "--epochs", "1"]) == 0, capsys.readouterr().err
    manifest = artifact.load(out).manifest
    assert manifest.inputs[0].shape == (100, 10, 4)
    assert manifest.provenance.recording == "FI-2010 ZScore"
    assert (manifest.labels.kind, manifest.labels.rule) == ("fi2010", "fixed")
    assert manifest.labels.alphas == (0.002,) * 5
    assert len(manifest.metrics.horizons[0].macro_f1_folds) == 1
    found = evaluate(tmp_path, fi[0])
    assert found.rows == 500
    assert set(found.forecasters) == {"net/1", "persistence", "majority"}
    for scored, tested in zip(found.forecasters["net/1"], manifest.metrics.horizons, strict=True):
        assert scored.macro_f1 == pytest.approx(tested.macro_f1, abs=1e-4)
        assert scored.calibration_slope == pytest.approx(tested.calibration_slope, abs=1e-3)
    for mine, tested in zip(found.forecasters["persistence"], manifest.metrics.horizons, strict=True):
        assert mine.macro_f1 == pytest.approx(tested.macro_f1_persistence, abs=1e-4)
    with pytest.raises(ValueError, match="holds no network that reads recordings of order books; train one"):
        evaluate(tmp_path, books.write(tmp_path, **books.arrays(rows=300)))
    assert main([*arguments, "--labels", "decoupled"]) == 1
    assert "labels: FI-2010 brings its own" in capsys.readouterr().err


def test_the_folders_in_which_it_is_published(tmp_path):
    """Each normalisation has a folder of its own, with one for training and one for testing below."""
    top = tmp_path / "NoAuction"
    for number, normalisation in ((2, "MinMax"), (3, "DecPre")):
        below = top / f"{number}.NoAuction_{normalisation}"
        for part, days in (("Train", (7,)), ("Test", (7, 8, 9))):
            place = below / f"NoAuction_{normalisation}_{part}ing"
            place.mkdir(parents=True)
            for day in days:
                name = f"{part}_Dst_NoAuction_{normalisation}_CF_{day}.txt"
                make_file(place, name, 300, up_code=1, seed=number)
    assert find_source(str(top / "2.NoAuction_MinMax")).origin.name == "FI-2010 MinMax"
    both = find_source(str(top))
    assert both.origin.name == "FI-2010 DecPre"
    assert (both.trained_on, len(both)) == (300, 1200)
    with pytest.raises(
        RecordingError, match="holds no FI-2010; one of these is wanted in it or below: Train_"
    ):
        find_source(str(tmp_path / "NoAuction" / "2.NoAuction_MinMax" / "NoAuction_MinMax_Testing"))
