# SPDX-License-Identifier: Apache-2.0
import numpy as np
import polars as pl
import pytest

from models.training.features import read_features
from models.training.finding import find_source
from models.training.recordings import RecordingError, read_recording
from tests.models import books


def test_a_recording_is_read(tmp_path):
    recording = read_recording(books.write(tmp_path))
    assert (recording.name, recording.symbol, recording.lot_size) == ("madeup", "MADEUP", 0.01)
    assert len(recording) == 400
    assert recording.ask_px.dtype == np.int64
    assert len(recording.sha256) == 64


def parquet(folder, **changes):
    content = {**books.arrays(rows=300), **changes}
    rows = len(content["recv_us"])
    columns = {
        name: [str(array)] * rows if name == "meta" else array.tolist() for name, array in content.items()
    }
    file = folder / "collected.parquet"
    pl.DataFrame(columns).write_parquet(file)
    return file


def test_collected_parquet_is_the_same_recording(tmp_path):
    found = read_recording(parquet(tmp_path))
    expected = read_recording(books.write(tmp_path, **books.arrays(rows=300)))
    assert (found.name, found.symbol, found.tick_size) == ("collected", "MADEUP", expected.tick_size)
    for name in ("recv_us", "ask_px", "ask_qty", "bid_px", "bid_qty", "trade_buy_qty", "last_trade_px"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    source = find_source(str(tmp_path / "collected.parquet"))
    assert read_features(source.recording, source.file).shape == (300, 112)


def test_parquet_of_another_schema(tmp_path):
    file = parquet(tmp_path)
    table = pl.read_parquet(file)
    table.drop("bid_qty").write_parquet(file)
    with pytest.raises(RecordingError, match="lacks bid_qty; it must hold ask_px"):
        read_recording(file)
    table.with_columns(pl.col("ask_px").list.to_array(20)).write_parquet(file)
    assert len(read_recording(file)) == 300
    table.with_columns(pl.col("ask_px").list.head(19)).write_parquet(file)
    with pytest.raises(RecordingError, match=r"ask_px: int\d\d \(300, 19\); expected integers \(300, 20\)"):
        read_recording(file)
    ragged = pl.when(pl.int_range(300) == 7).then(pl.col("ask_px").list.head(19)).otherwise(pl.col("ask_px"))
    table.with_columns(ragged.alias("ask_px")).write_parquet(file)
    with pytest.raises(RecordingError, match="ask_px: its lists differ in length"):
        read_recording(file)
    file.write_bytes(b"torn")
    with pytest.raises(RecordingError, match="cannot be read as Parquet"):
        read_recording(file)


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
    with pytest.raises(RecordingError, match=r"torn\.book20\.npz: cannot be read") as caught:
        read_recording(file)
    assert "pickle" not in str(caught.value)
    assert str(caught.value).count("cannot be read") == 1


def test_a_pickle_is_not_opened(tmp_path):
    file = books.write(tmp_path, meta=np.array([{"tick_size": 1}], dtype=object))
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(file)
