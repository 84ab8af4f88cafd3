# SPDX-License-Identifier: Apache-2.0
"""The learned baselines: scikit-learn's own answers from plain arrays."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from models import rivals
from models.rivals import BOOSTING, LOGISTIC, Rivals, read_rivals, write_rivals
from models.training.rivals import fit_rivals, plain_trees

#: A feature that mostly rests.
RESTING = 7


@pytest.fixture(scope="module")
def learned():
    """Features with gaps and directions that depend on them."""
    generator = np.random.default_rng(0)
    features = generator.standard_normal((1500, 112)).astype(np.float32)
    features[generator.random(features.shape) < 0.02] = np.nan
    features[generator.random(1500) < 0.8, RESTING] = 0.0
    pull = np.nan_to_num(features[:, 3]) + 0.5 * np.nan_to_num(features[:, 40]) ** 2
    directions = np.digitize(pull + generator.standard_normal(1500), [-0.5, 1.0])
    directions[-10:] = -1
    return features, directions[:, None]


def test_trees_answer_as_scikit_learn_does(learned):
    features, directions = learned
    known = directions[:, 0] >= 0
    fitted = HistGradientBoostingClassifier(max_iter=7, max_depth=3, early_stopping=False, random_state=0)
    fitted.fit(features[known], directions[known, 0])
    raw = plain_trees(fitted).scores(features)
    wanted = fitted._raw_predict(features)
    np.testing.assert_allclose(raw, wanted, rtol=1e-6, atol=1e-6)


def test_logistic_regression_answers_as_scikit_learn_does(learned):
    features, directions = learned
    found = fit_rivals(features, directions, [10], gap=20)[LOGISTIC]
    model, known = found.models[0], directions[:, 0] >= 0
    assert model.scale[RESTING] == pytest.approx(
        1 / (1.2533 * np.nanmean(np.abs(features[:, RESTING]))), rel=1e-4
    )
    scaled = np.nan_to_num(np.clip((features - model.median) * model.scale, -8, 8))
    oracle = LogisticRegression(C=0.01, max_iter=2000, tol=1e-8).fit(scaled[known], directions[known, 0])
    given = np.exp(found.log_probabilities(features)[:, 0])
    np.testing.assert_allclose(given, oracle.predict_proba(scaled), atol=2e-4)


def test_they_survive_the_disk(learned, tmp_path):
    features, directions = learned
    by_name = fit_rivals(features, directions, [10], gap=20)
    file = tmp_path / "rivals.npz"
    write_rivals(Rivals("madeup", "0" * 64, by_name), file)
    found = read_rivals(file)
    assert (found.recording, found.recording_sha256) == ("madeup", "0" * 64)
    for name, rival in by_name.items():
        np.testing.assert_array_equal(
            found.by_name[name].log_probabilities(features), rival.log_probabilities(features)
        )
        np.testing.assert_array_equal(found.by_name[name].offsets, rival.offsets)


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "rivals.npz"
    with pytest.raises(ValueError, match=r"rivals: .*cannot be read"):
        read_rivals(file)
    file.write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"rivals: .*cannot be read"):
        read_rivals(file)


def test_the_shipped_ones_are_small_and_whole():
    assert rivals.SHIPPED.stat().st_size < 2**20
    shipped = read_rivals()
    blank = np.full((2, 112), np.nan, np.float32)
    for name in (LOGISTIC, BOOSTING):
        rival = shipped.by_name[name]
        assert rival.horizons == (10, 20, 30, 50, 100)
        np.testing.assert_allclose(np.exp(rival.log_probabilities(blank)).sum(axis=2), 1.0)
