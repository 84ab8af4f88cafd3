# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from models.training.recordings import read_recording
from models.training.settings import LabelSettings, ThresholdRule
from models.training.targets import fit_alphas, make_targets
from tests.models import books


def test_against_the_reference_counts():
    file = books.real()
    recording = read_recording(file)
    reference = json.loads((file.parent / "labels_reference.json").read_text())[file.name]
    for kind in ("decoupled", "forward_mean"):
        settings, horizons = LabelSettings(kind=kind), (10, 20, 50, 100)
        past = recording.part(0, reference["threshold_rows"])
        alphas = fit_alphas(past, horizons=horizons, settings=settings)
        targets = make_targets(recording, horizons=horizons, alphas=alphas, settings=settings)
        for h, horizon in enumerate(horizons):
            wanted = reference[f"h{horizon}"][kind]
            assert alphas[h] == pytest.approx(wanted["alpha"], rel=1e-9)
            known = targets.directions[:, h][targets.directions[:, h] >= 0]
            assert np.bincount(known).tolist() == wanted["down_flat_up"]


def test_a_shuffled_future_changes_nothing_in_the_past(tmp_path):
    """Thresholds, labels and returns of the training part do not know what comes after it."""
    recording = books.recording(tmp_path, rows=600)
    order = np.random.default_rng(0).permutation(np.arange(400, 600))
    shuffled = {
        name: np.concatenate((getattr(recording, name)[:400], getattr(recording, name)[order]))
        for name in ("ask_px", "ask_qty", "bid_px", "bid_qty")
    }
    other = books.read_recording(books.write(tmp_path, "shuffled", **{**books.arrays(rows=600), **shuffled}))
    settings, horizons = LabelSettings(), (10, 50)
    past = [fit_alphas(one.part(0, 400), horizons=horizons, settings=settings) for one in (recording, other)]
    assert past[0] == past[1]
    targets = [
        make_targets(one, horizons=horizons, alphas=past[0], settings=settings) for one in (recording, other)
    ]
    for h, horizon in enumerate(horizons):
        known = 400 - horizon
        np.testing.assert_array_equal(targets[0].directions[:known, h], targets[1].directions[:known, h])
        np.testing.assert_array_equal(targets[0].returns_bps[:known, h], targets[1].returns_bps[:known, h])


def test_returns_are_changes_of_the_mid(tmp_path):
    recording = books.recording(tmp_path)
    targets = make_targets(recording, horizons=(10,), alphas=(1e-4,), settings=LabelSettings())
    mid = (recording.ask_px[:, 0] + recording.bid_px[:, 0]) / 2
    np.testing.assert_allclose(
        targets.returns_bps[:-10, 0], 1e4 * (mid[10:] / mid[:-10] - 1), rtol=1e-5, atol=1e-5
    )
    assert np.isnan(targets.returns_bps[-10:]).all()


def test_a_spread_threshold_is_one_for_all_horizons(tmp_path):
    recording = books.recording(tmp_path)
    settings = LabelSettings(rule=ThresholdRule.SPREAD)
    alphas = fit_alphas(recording, horizons=(10, 20), settings=settings)
    spread = (recording.ask_px[:, 0] - recording.bid_px[:, 0]).mean()
    mid = ((recording.ask_px[:, 0] + recording.bid_px[:, 0]) / 2).mean()
    assert alphas == pytest.approx((spread / mid, spread / mid))
