# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from kernels import book_errors
from kernels.book import OrderBook
from kernels.recording import Events, replay
from tests.kernels import lob_data

LEVELS = ("ask_px", "ask_qty", "bid_px", "bid_qty")
TRADES = {"buy_qty": "trade_buy_qty", "sell_qty": "trade_sell_qty", "trades": "trade_n"}


@lob_data.needs_recordings
@pytest.mark.parametrize("recording", lob_data.names(".events.npz"))
def test_replay_equals_the_recorded_rows(recording: str) -> None:
    events = lob_data.events(recording, 6000 if lob_data.INTERPRETED else None)
    rows = replay(events)
    expected = lob_data.book_rows(recording)
    done = len(rows.trades)
    assert done > 0
    if not lob_data.INTERPRETED:
        assert done == len(expected["update_id"])
    else:
        done -= 1  # the slice may end inside its last message
    for name in LEVELS:
        np.testing.assert_array_equal(getattr(rows, name)[:done], expected[name][:done])
    for name, column in TRADES.items():
        np.testing.assert_array_equal(getattr(rows, name)[:done], expected[column][:done])


def table(*rows: tuple[int, int, int, int, int]) -> Events:
    msg, kind, side, price, qty = zip(*rows, strict=True)
    return Events.from_columns(msg=msg, kind=kind, side=side, price=price, qty=qty)


def test_trades_are_counted_until_the_next_row() -> None:
    rows = replay(
        table(
            (0, 0, 0, 11, 5), (0, 0, 1, 9, 5),
            (1, 2, 1, 11, 3), (2, 2, 0, 9, 2), (3, 3, 0, 11, 4),
            (4, 1, 0, 11, 4),
            (5, 1, 1, 9, 1),
        )
    )  # fmt: skip
    assert (rows.buy_qty.tolist(), rows.sell_qty.tolist(), rows.trades.tolist()) == ([3, 0], [2, 0], [2, 0])
    assert rows.message.tolist() == [4, 5]
    assert rows.ask_qty[:, 0].tolist() == [4, 4]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ((1, 1, 1, 11, 5), book_errors.CrossedBookError),
        ((1, 1, 1, 9, -5), book_errors.NegativeSizeError),
        ((1, 1, 1, 0, 5), book_errors.InvalidLevelError),
    ],
)
def test_a_fault_names_its_message(fault: tuple, error: type[Exception]) -> None:
    with pytest.raises(error, match="message 1"):
        replay(table((0, 0, 0, 11, 5), (0, 0, 1, 9, 5), fault))


def test_updates_need_a_snapshot() -> None:
    with pytest.raises(book_errors.NoSnapshotError, match="message 0"):
        replay(table((0, 1, 0, 11, 5)))


def test_a_given_book_goes_on_from_where_it_stands() -> None:
    book = OrderBook()
    book.apply_snapshot([0, 1], [11, 9], [5, 5])
    rows = replay(table((7, 1, 0, 11, 0), (7, 1, 0, 12, 6)), book)
    assert rows.ask_px[0, 0] == book.ask_px[0] == 12


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        table((0, 5, 0, 11, 5))
