# SPDX-License-Identifier: Apache-2.0
"""FI-2010 from files in its own layout, made up here: the data set is the user's."""

import numpy as np
import pytest

from models import artifact
from models.encoding import Encoding
from models.training.fi2010 import Fi2010Source, Normalisation
from models.training.recordings import RecordingError
from models.training.settings import LabelSettings
from models.training.train import main


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
    assert len(manifest.metrics.horizons[0].macro_f1_folds) == 1
