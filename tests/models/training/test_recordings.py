# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from models.training.recordings import RecordingError, read_recording
from tests.models import books


def test_a_recording_is_read(tmp_path):
    recording = read_recording(books.write(tmp_path))
    assert (recording.name, recording.symbol, recording.lot_size) == ("madeup", "MADEUP", 0.01)
    assert len(recording) == 400
    assert recording.ask_px.dtype == np.int64
    assert len(recording.sha256) == 64


def test_a_part_keeps_name_and_hash(tmp_path):
    recording = books.recording(tmp_path)
    part = recording.part(10, 30)
    assert len(part) == 20
    assert part.sha256 == recording.sha256
    np.testing.assert_array_equal(part.bid_px, recording.bid_px[10:30])


def test_the_real_recording():
    recording = read_recording(books.real())
    assert len(recording) == 69_321
    assert (recording.symbol, recording.tick_size) == ("NEXOUSDT", 0.001)


GOOD = books.arrays()


def changed(name, row, value):
    """One row of an array replaced."""
    array = GOOD[name].copy()
    array[row] = value
    return {name: array}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ask_px": None}, "ask_px"),
        ({"ask_px": GOOD["ask_px"][:, :10]}, r"ask_px: int32 \(400, 10\); expected integers \(400, 20\)"),
        ({"bid_qty": GOOD["bid_qty"].astype(float)}, "bid_qty: float64"),
        (changed("bid_qty", 3, -1), "bid_qty: row 3 has a size below 0"),
        (changed("bid_px", 7, 0), "bid_px: row 7 has a price below one tick"),
        (changed("ask_px", 5, 5_000), "ask_px: row 5 is not best price first"),
        (changed("bid_px", 5, GOOD["bid_px"][5, 0]), "bid_px: row 5 is not best price first"),
        (changed("trade_sell_qty", 9, -2), "trade_sell_qty: row 9 has a size below 0"),
        ({**changed("trade_buy_qty", 9, 2), **changed("last_trade_px", 9, 0)}, "last_trade_px: row 9 has no"),
        ({"recv_us": np.array(3)}, r"recv_us: int64 \(\); expected integers \(1,\)"),
        ({"bid_px": GOOD["ask_px"]}, "bid_px: row 0 is crossed"),
        ({"recv_us": GOOD["recv_us"][::-1]}, "recv_us: time runs backwards"),
        ({"meta": np.array("{")}, "meta: not a JSON string"),
        ({"meta": np.array("[]")}, "meta: not a JSON object"),
        ({"meta": np.array('{"tick_size": 0, "lot_size": 1}')}, r"meta\.tick_size: 0 is not a positive"),
        ({"meta": np.array('{"tick_size": Infinity}')}, r"meta\.tick_size: inf is not a positive"),
        ({"meta": np.array('{"tick_size": 1}')}, r"meta\.lot_size: None is not a positive"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, changes, complaint):
    with pytest.raises(RecordingError, match=complaint):
        read_recording(books.write(tmp_path, **changes))


def test_no_file(tmp_path):
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(tmp_path / "none.book20.npz")


def compressed(folder):
    np.savez_compressed(folder / "good.npz", **GOOD)
    return (folder / "good.npz").read_bytes()


def one_array(folder):
    np.save(folder / "one.npy", GOOD["ask_px"])
    return (folder / "one.npy").read_bytes()


def scrambled(folder):
    content = bytearray(compressed(folder))
    content[len(content) // 2 : len(content) // 2 + 500] = bytes(500)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [lambda _: b"", lambda _: b"no archive", one_array, scrambled, lambda folder: compressed(folder)[:9000]],
    ids=["empty", "text", "one array", "scrambled", "cut"],
)
def test_no_archive(tmp_path, content):
    file = tmp_path / "torn.book20.npz"
    file.write_bytes(content(tmp_path))
    with pytest.raises(RecordingError, match=r"torn\.book20\.npz: cannot be read"):
        read_recording(file)


def test_a_pickle_is_not_opened(tmp_path):
    file = books.write(tmp_path, meta=np.array([{"tick_size": 1}], dtype=object))
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(file)
