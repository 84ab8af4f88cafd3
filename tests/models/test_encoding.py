# SPDX-License-Identifier: Apache-2.0
"""Training and serving see the same numbers."""

import numpy as np
import pytest

from kernels.windows import BookWindow
from models.encoding import INPUTS, Encoding, level_columns
from models.training.inputs import BookInputs
from models.training.recordings import read_recording
from tests.models import books


@pytest.mark.parametrize("name", [None, books.NEXO, "btcusdt_spot_20240808", "ethusd_perp_coinm_20240808"])
def test_serving_encodes_exactly_as_training_did(tmp_path, name):
    recording = read_recording(books.real(name)) if name else books.recording(tmp_path)
    recording = recording.part(0, min(len(recording), 2000))
    live = BookWindow(lot_size=recording.lot_size)
    inputs, window = BookInputs(recording), np.empty((100, 20, 4), np.float32)
    for row in range(len(recording)):
        live.push(
            recording.ask_px[row], recording.ask_qty[row], recording.bid_px[row], recording.bid_qty[row]
        )
        if row >= 99 and row % 97 == 0:
            assert live.read(window)
            np.testing.assert_array_equal(window, inputs.read(np.array([row]))[0][0])


def test_prices_are_ticks_from_the_last_mid_and_sizes_logarithms(tmp_path):
    recording = books.recording(tmp_path)
    window = BookInputs(recording).read(np.array([150]))[0][0]
    mid = (recording.ask_px[150, 0] + recording.bid_px[150, 0]) / 2
    np.testing.assert_array_equal(window[-1, :, 0], recording.ask_px[150] - mid)
    np.testing.assert_allclose(window[0, :, 3], np.log1p(recording.bid_qty[51] * 0.01), rtol=1e-6)


def test_the_manifests_know_the_shapes():
    assert INPUTS[Encoding.BOOK_WINDOW].shape == (100, 20, 4)
    assert INPUTS[Encoding.FEATURE_ROWS].shape == (60, 112)
    assert level_columns(2)[4:6] == ["ask_price_2", "ask_size_2"]
