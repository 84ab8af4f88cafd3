# SPDX-License-Identifier: Apache-2.0
"""Order-book recordings as a stream of market events.

recording = BookRecording.open("samples/books/nexousdt_spot_20240724")
for event in recording.market_events(): ...
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.recordings.book_files import (
    BOOK_SUFFIX,
    EVENTS_SUFFIX,
    BookRows,
    EventTable,
    RecordingMeta,
    read_book,
    read_events,
)
from server.recordings.book_messages import Messages
from server.recordings.errors import RecordingError
from server.recordings.market_events import MarketEvent, Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class BookRecording:
    """One recording: its book rows, its events, or both."""

    meta: RecordingMeta
    book: BookRows | None
    events: EventTable | None

    @classmethod
    def open(cls, path: Path | str) -> "BookRecording":
        """Read the files of a recording, named by either of them or by what their names share.

        Raises:
            RecordingError: neither exists, or one does not fit the schema.
        """
        stem = str(path).removesuffix(EVENTS_SUFFIX).removesuffix(BOOK_SUFFIX)
        book_path, events_path = Path(stem + BOOK_SUFFIX), Path(stem + EVENTS_SUFFIX)
        if not events_path.is_file():
            return cls._book_only(book_path, events_path)
        meta, events = read_events(events_path)
        return cls(meta, read_book(book_path)[1] if book_path.is_file() else None, events)

    @classmethod
    def _book_only(cls, book_path: Path, events_path: Path) -> "BookRecording":
        if not book_path.is_file():
            raise RecordingError(book_path, "", f"no such recording, and no {events_path.name} beside it")
        meta, book = read_book(book_path)
        return cls(meta, book, None)

    def market_events(self) -> Iterator[MarketEvent]:
        """Snapshots, deltas and trades in the order of receipt.

        Best bid and ask messages are left out: the deltas say the same. A
        recording without events gives one snapshot for each book row.
        """
        if self.events is not None:
            return Messages.of(self.events, self.book, self.meta).market_events()
        return iter(()) if self.book is None else row_snapshots(self.book)


def row_snapshots(book: BookRows) -> Iterator[Snapshot]:
    """Each row of the book as a snapshot of its 20 levels."""
    for row in range(len(book)):
        yield Snapshot(
            received_us=int(book.recv_us[row]),
            event_time_us=int(book.exch_ms[row]) * 1000,
            update_id=int(book.update_id[row]),
            ask_ticks=book.ask_px[row],
            ask_lots=book.ask_qty[row],
            bid_ticks=book.bid_px[row],
            bid_lots=book.bid_qty[row],
        )
