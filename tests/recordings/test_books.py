# SPDX-License-Identifier: Apache-2.0
from collections import Counter
from collections.abc import Sequence
from heapq import nlargest, nsmallest
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from server.recordings.book_files import BookRows
from server.recordings.books import BookRecording
from server.recordings.errors import RecordingError
from server.recordings.market_events import Delta, MarketEvent, Snapshot, Trade
from tests.recordings.recorded_data import BOOK, DATA, needs_data

META = '{"symbol": "X", "market": "spot", "tick_size": 0.1, "lot_size": 1.0, "snapshot_update_id": 10}'


class PlainBook:
    """Two dictionaries, price to size."""

    def __init__(self) -> None:
        self.asks: dict[int, int] = {}
        self.bids: dict[int, int] = {}

    def apply(self, event: Snapshot | Delta) -> None:
        if isinstance(event, Snapshot):
            self.asks, self.bids = {}, {}
        for side, ticks, lots in (
            (self.asks, event.ask_ticks, event.ask_lots),
            (self.bids, event.bid_ticks, event.bid_lots),
        ):
            for price, size in zip(ticks.tolist(), lots.tolist(), strict=True):
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    def shows(self, book: BookRows, row: int) -> bool:
        asks, bids = nsmallest(20, self.asks), nlargest(20, self.bids)
        return [asks, bids, [self.asks[price] for price in asks], [self.bids[price] for price in bids]] == [
            side[row].tolist() for side in (book.ask_px, book.bid_px, book.ask_qty, book.bid_qty)
        ]


def replay(recording: BookRecording, every: int) -> int:
    """Replay all events beside the book rows; returns how many rows there were."""
    assert recording.book is not None
    plain, row, traded = PlainBook(), 0, Counter[str]()
    for event in recording.market_events():
        if isinstance(event, Trade):
            traded["n"] += 1
            traded["buy" if event.buyer_is_aggressor else "sell"] += event.lots
            continue
        plain.apply(event)
        if isinstance(event, Delta):
            if row % every == 0:
                assert plain.shows(recording.book, row), row
            _check_trades(recording.book, row, traded)
            assert event.received_us == recording.book.recv_us[row]
            assert event.event_time_us == recording.book.exch_ms[row] * 1000
            assert event.last_update_id == recording.book.update_id[row]
            row += 1
    return row


def _check_trades(book: BookRows, row: int, traded: Counter[str]) -> None:
    assert traded["n"] == book.trade_n[row]
    assert traded["buy"] == book.trade_buy_qty[row]
    assert traded["sell"] == book.trade_sell_qty[row]
    traded.clear()


def test_the_sample_replays_to_its_book_rows() -> None:
    recording = BookRecording.open(BOOK)
    assert replay(recording, every=1) == 4000
    assert (recording.meta.symbol, recording.meta.tick_size, recording.meta.lot_size) == (
        "NEXOUSDT",
        0.001,
        0.01,
    )


def test_the_sample_has_one_chain_of_update_ids_from_its_snapshot_on() -> None:
    seen = 0
    for event in BookRecording.open(BOOK).market_events():
        if isinstance(event, Snapshot):
            assert event.update_id > 0
            seen = event.update_id
        elif isinstance(event, Delta):
            assert event.first_update_id == seen + 1
            assert event.last_update_id >= event.first_update_id
            assert event.previous_update_id == 0
            seen = event.last_update_id


@needs_data
@pytest.mark.parametrize(
    "name", ["nexousdt_spot_20240723_25_train70", "btcusdt_usdm_20230404_05", "btcusdt_spot_20240808"]
)
def test_full_recordings_replay_to_their_book_rows(name: str) -> None:
    recording = BookRecording.open(DATA / "lob" / name)
    assert recording.book is not None
    assert replay(recording, every=211) == len(recording.book)


@needs_data
def test_futures_name_the_update_before() -> None:
    events = list(BookRecording.open(DATA / "lob" / "btcusdt_usdm_20230404_05").market_events())
    deltas = [event for event in events if isinstance(event, Delta)]
    assert deltas[0].previous_update_id == 0
    for before, after in pairwise(deltas):
        assert after.previous_update_id == before.last_update_id
        assert after.first_update_id == 0


@needs_data
@pytest.mark.parametrize("path", sorted((DATA / "lob").glob("*.npz")), ids=lambda path: path.name)
def test_every_recording_opens_by_each_of_its_names(path: Path) -> None:
    recording = BookRecording.open(path)
    first = next(recording.market_events())
    assert isinstance(first, Snapshot)
    assert np.all(np.diff(first.ask_ticks) > 0)
    assert np.all(np.diff(first.bid_ticks) < 0)
    assert first.bid_ticks[0] < first.ask_ticks[0]
    assert first.event_time_us > 1_600_000_000_000_000


def test_a_recording_of_rows_alone_is_one_snapshot_for_each(tmp_path: Path) -> None:
    source = Path(f"{BOOK}.book20.npz")
    copy = tmp_path / source.name
    copy.write_bytes(source.read_bytes())
    recording = BookRecording.open(copy)
    assert recording.events is None
    assert recording.book is not None
    snapshots = list(recording.market_events())
    assert len(snapshots) == 4000
    for row in (0, 1999, 3999):
        found = snapshots[row]
        assert isinstance(found, Snapshot)
        assert found.update_id == recording.book.update_id[row]
        assert found.event_time_us == recording.book.exch_ms[row] * 1000
        np.testing.assert_array_equal(found.bid_lots, recording.book.bid_qty[row])


def events_file(folder: Path, rows: Sequence[tuple[int, ...]], meta: str = META) -> BookRecording:
    """Rows of (recv_us, exch_ms, msg, kind, side, price, qty)."""
    names = ("recv_us", "exch_ms", "msg", "kind", "side", "price", "qty")
    columns: dict[str, Any] = dict(zip(names, np.array(rows).T, strict=True))
    np.savez(folder / "small.events.npz", meta=np.array(meta), **columns)
    return BookRecording.open(folder / "small")


def test_a_small_stream(tmp_path: Path) -> None:
    rows = [
        (100, -1, 0, 0, 0, 12, 5),
        (100, -1, 0, 0, 1, 9, 4),
        (100, -1, 0, 0, 0, 11, 6),
        (100, -1, 0, 0, 1, 10, 3),
        (200, 7, 1, 2, 1, 11, 2),
        (200, 7, 1, 2, 0, 10, 1),
        (250, -1, 2, 3, 0, 11, 6),
        (300, 8, 3, 1, 1, 10, 0),
        (300, 8, 3, 1, 0, 11, 4),
        (400, 0, 4, 1, 0, 13, 1),
    ]
    events = list(events_file(tmp_path, rows).market_events())
    assert [type(event) for event in events] == [Snapshot, Trade, Trade, Delta, Delta]
    snapshot, bought, sold, delta, last = events
    assert _levels(snapshot) == ([11, 12], [6, 5], [10, 9], [3, 4])
    assert isinstance(snapshot, Snapshot)
    assert snapshot.update_id == 10
    assert bought == Trade(200, 7000, 11, 2, buyer_is_aggressor=True)
    assert sold == Trade(200, 7000, 10, 1, buyer_is_aggressor=False)
    assert _levels(delta) == ([11], [4], [10], [0])
    assert _levels(last) == ([13], [1], [], [])
    assert [event.event_time_us for event in events] == [7000, 7000, 7000, 8000, 8000]
    assert [event.received_us for event in events] == [100, 200, 200, 300, 400]
    assert isinstance(delta, Delta)
    assert (delta.first_update_id, delta.last_update_id, delta.previous_update_id) == (0, 0, 0)


def _levels(event: MarketEvent) -> tuple[list[int], ...]:
    assert isinstance(event, Snapshot | Delta)
    return tuple(side.tolist() for side in (event.ask_ticks, event.ask_lots, event.bid_ticks, event.bid_lots))


def test_without_any_exchange_time_the_times_of_receipt_stand_in(tmp_path: Path) -> None:
    rows = [(100, -1, 0, 0, 0, 12, 5), (100, -1, 0, 0, 1, 9, 4), (150, -1, 1, 1, 0, 12, 4)]
    assert [event.event_time_us for event in events_file(tmp_path, rows).market_events()] == [100, 150]


def test_book_rows_of_another_recording_give_no_ids(tmp_path: Path) -> None:
    for suffix in (".book20.npz", ".events.npz"):
        (tmp_path / f"x{suffix}").write_bytes(Path(f"{BOOK}{suffix}").read_bytes())
    with np.load(tmp_path / "x.book20.npz") as stored:
        rows = {name: stored[name] if name == "meta" else stored[name][:-1] for name in stored.files}
    np.savez(tmp_path / "x.book20.npz", **rows)
    deltas = [
        event for event in BookRecording.open(tmp_path / "x").market_events() if isinstance(event, Delta)
    ]
    assert {(event.first_update_id, event.last_update_id) for event in deltas} == {(0, 0)}


def test_no_recording_at_all(tmp_path: Path) -> None:
    with pytest.raises(
        RecordingError, match=r"nothing\.book20\.npz: no such recording, and no nothing\.events\.npz"
    ):
        BookRecording.open(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("suffix", "column", "change", "problem"),
    [
        (".events.npz", "kind", None, "is missing"),
        (".events.npz", "meta", None, "is missing"),
        (".events.npz", "price", lambda column: column / 2, "wanted: a column of integers"),
        (".events.npz", "qty", lambda column: column[:-1], "has shape"),
        (".events.npz", "qty", lambda column: -column, "must be >= 0"),
        (".events.npz", "kind", lambda column: column + 4, "0 to 3"),
        (
            ".events.npz",
            "kind",
            lambda column: np.arange(len(column)) % 2,
            "the same in all rows of a message",
        ),
        (".events.npz", "side", lambda column: column + 1, "0 or 1"),
        (".events.npz", "msg", lambda column: column[::-1], "must not decrease"),
        (".events.npz", "recv_us", lambda column: column[::-1], "must not decrease"),
        (".events.npz", "meta", lambda _: np.array("{"), "wants symbol"),
        (".events.npz", "meta", lambda _: np.array('{"symbol": "X"}'), "wants symbol"),
        (".events.npz", "meta", lambda _: np.array(META.replace("0.1", "0")), "tick_size must be > 0"),
        (".book20.npz", "update_id", None, "is missing"),
        (".book20.npz", "bid_qty", lambda column: column[:, :5], "wanted: (4000, 20)"),
        (".book20.npz", "ask_qty", lambda column: column * 0, "must be > 0"),
        (".book20.npz", "ask_px", lambda column: column[:, ::-1], "best first"),
        (".book20.npz", "bid_px", lambda column: column + 10_000, "below the best ask"),
    ],
)
def test_a_file_that_does_not_fit_names_itself_and_the_column(
    tmp_path: Path, suffix: str, column: str, change: Any, problem: str
) -> None:
    path = tmp_path / f"broken{suffix}"
    with np.load(f"{BOOK}{suffix}") as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays.pop(column) if change is None else arrays.update({column: change(arrays[column])})
    np.savez(path, **arrays)
    with pytest.raises(RecordingError) as caught:
        BookRecording.open(path)
    assert str(caught.value).startswith(f"{path}: column {column!r}: ")
    assert problem in str(caught.value)


def test_a_single_array_is_no_recording(tmp_path: Path) -> None:
    with (tmp_path / "x.events.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(RecordingError, match="not a readable npz file"):
        BookRecording.open(tmp_path / "x")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"plain text"])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.events.npz").write_bytes(content)
    with pytest.raises(RecordingError, match=r"x\.events\.npz: not a readable npz file") as caught:
        BookRecording.open(tmp_path / "x")
    assert "pickle" not in str(caught.value)
