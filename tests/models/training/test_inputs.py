# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from models.encoding import Encoding
from models.training import features
from models.training.features import read_features
from models.training.inputs import JoinedInputs, TableInputs, read_inputs
from models.training.recordings import RecordingError, read_recording
from tests.models import books


def test_rows_of_a_table_end_where_they_should():
    table = np.arange(40, dtype=np.float32).reshape(20, 2)
    (items,) = TableInputs(table, length=3).read(np.array([2, 10]))
    np.testing.assert_array_equal(items, [table[0:3], table[8:11]])
    (flat,) = TableInputs(table, length=1, flat=True).read(np.array([0, 19]))
    np.testing.assert_array_equal(flat, table[[0, 19]])


def test_features_of_a_recording_without_events(tmp_path):
    file = books.write(tmp_path)
    table = read_features(read_recording(file), file)
    assert table.shape == (400, 112)
    assert np.isfinite(table[150, :46]).all()


def test_features_of_the_real_recording_come_from_its_events():
    file = books.real("btcusdt_spot_20240808")
    recording = read_recording(file)
    table = read_features(recording, file)
    assert table.shape == (len(recording), 112)
    spread = recording.ask_px[:, 0] - recording.bid_px[:, 0]
    np.testing.assert_allclose(table[:, 21], spread, rtol=1e-5)


def test_history_is_counted_row_by_row_and_has_no_sides(tmp_path):
    file = books.write(tmp_path)
    recording = read_recording(file)
    inputs = read_inputs(recording, file, [Encoding.BOOK_HISTORY])
    rows = np.array([0, 1, 150, 399])
    (items,) = inputs.read(rows)
    mids = recording.ask_px[:, 0] + recording.bid_px[:, 0]
    for row, item in zip(rows, items, strict=True):
        moved = np.count_nonzero(np.diff(mids[max(0, row - 300) : row + 1]))
        assert item[0] == pytest.approx(moved / min(row + 1, 300))
    np.testing.assert_array_equal(inputs.read_mirrored(rows)[0], items)


def test_events_of_another_recording_are_refused(tmp_path):
    file = books.write(tmp_path)
    np.savez(
        tmp_path / "madeup.events.npz",
        kind=np.zeros(2, np.uint8), side=np.array([0, 1], np.uint8), price=np.array([11, 10]),
        qty=np.array([1, 1]), msg=np.array([0, 0]), exch_ms=np.array([0, 0]),
    )  # fmt: skip
    with pytest.raises(RecordingError, match=r"0 book rows; the recording has 400"):
        read_features(read_recording(file), file)
    (tmp_path / "madeup.events.npz").write_bytes(b"torn")
    with pytest.raises(RecordingError, match=r"madeup.events.npz: cannot be read"):
        read_features(read_recording(file), file)


def test_features_do_not_depend_on_how_many_rows_are_replayed_at_a_time(tmp_path, monkeypatch):
    file = books.write(tmp_path)
    recording = read_recording(file)
    at_once = read_features(recording, file)
    monkeypatch.setattr(features, "PART", 37)
    np.testing.assert_array_equal(read_features(recording, file), at_once)


def test_a_leap_in_time_that_candles_cannot_bridge_is_told(tmp_path):
    times = books.arrays()["recv_us"].copy()
    times[200:] += 8 * 86_400 * 1_000_000
    file = books.write(tmp_path, recv_us=times)
    with pytest.raises(RecordingError, match=r"madeup.book20.npz: time leaps by more than a week"):
        read_features(read_recording(file), file)


def test_several_inputs_side_by_side(tmp_path):
    file = books.write(tmp_path)
    recording = read_recording(file)
    inputs = read_inputs(recording, file, [Encoding.BOOK_WINDOW, Encoding.FEATURE_ROW])
    assert isinstance(inputs, JoinedInputs)
    assert inputs.window == 100
    window, row = inputs.read(np.array([200, 300]))
    assert (window.shape, row.shape) == ((2, 100, 20, 4), (2, 112))
    assert inputs.read_mirrored(np.array([200])) is None


def test_an_encoding_that_no_recording_holds(tmp_path):
    file = books.write(tmp_path)
    with pytest.raises(ValueError, match="encoding: fi2010_window_as_published cannot be made"):
        read_inputs(read_recording(file), file, [Encoding.FI2010_WINDOW])
