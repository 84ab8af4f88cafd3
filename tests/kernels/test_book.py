# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import book_errors
from kernels.book import LEVELS, OrderBook


class PlainBook:
    """The same book as two dicts."""

    def __init__(self) -> None:
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def apply(self, levels: list[tuple[int, int, int]]) -> None:
        for side, price, qty in levels:
            self.sides[side].pop(price, None)
            if qty:
                self.sides[side][price] = qty

    def top(self, side: int) -> tuple[list[int], list[int]]:
        prices = sorted(self.sides[side], reverse=side == 1)
        shown = prices[:LEVELS]
        missing = LEVELS - len(shown)
        deepest = prices[-1] if prices else 0
        return shown + [deepest] * missing, [self.sides[side][p] for p in shown] + [0] * missing


def columns(levels: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return [x[0] for x in levels], [x[1] for x in levels], [x[2] for x in levels]


def assert_same(book: OrderBook, plain: PlainBook) -> None:
    assert (book.ask_px.tolist(), book.ask_qty.tolist()) == plain.top(0)
    assert (book.bid_px.tolist(), book.bid_qty.tolist()) == plain.top(1)
    assert book.depth == (len(plain.sides[0]), len(plain.sides[1]))


# Asks above 100, bids at or below: such books never cross.
LEVEL = st.one_of(
    st.tuples(st.just(0), st.integers(101, 160), st.integers(0, 9)),
    st.tuples(st.just(1), st.integers(40, 100), st.integers(0, 9)),
)
MESSAGE = st.lists(LEVEL, max_size=40)


@given(snapshot=MESSAGE, updates=st.lists(MESSAGE, max_size=8))
def test_the_book_equals_two_dicts(snapshot: list, updates: list) -> None:
    book, plain = OrderBook(capacity=64), PlainBook()
    book.apply_snapshot(*columns(snapshot))
    plain.apply(snapshot[::-1])  # of two rows with one price the first counts
    assert_same(book, plain)
    for message in updates:
        assert book.apply_update(*columns(message))
        plain.apply(message)
        assert_same(book, plain)
    assert book.dropped_levels == 0


def test_a_snapshot_replaces_everything() -> None:
    book = OrderBook()
    book.apply_snapshot([0, 1], [11, 9], [1, 2], last_update_id=5)
    book.apply_snapshot([0, 1], [21, 19], [3, 4], last_update_id=9)
    assert (book.ask_px[0], book.bid_px[0], book.depth, book.last_update_id) == (21, 19, (1, 1), 9)
    assert book.two_sided


def test_a_full_side_keeps_the_best_levels_and_counts_the_rest() -> None:
    book = OrderBook(capacity=20)
    asks = list(range(200, 220))
    book.apply_snapshot([0] * 20, asks, [1] * 20)
    book.apply_update([0], [250], [7])  # deeper than the deepest: not kept
    assert (book.depth[0], book.dropped_levels, book.ask_px[-1]) == (20, 1, 219)
    book.apply_update([0], [190], [7])  # better: the deepest makes room
    assert (book.dropped_levels, book.ask_px.tolist()) == (2, [190, *asks[:-1]])
    book.apply_update([0], [205], [9])  # known: nothing is lost
    assert (book.dropped_levels, book.ask_qty[6]) == (2, 9)


def synchronised(last_update_id: int = 100) -> OrderBook:
    book = OrderBook()
    book.apply_snapshot([0, 1], [11, 9], [5, 5], last_update_id=last_update_id)
    return book


def spot(book: OrderBook, first: int, last: int) -> bool:
    return book.apply_update([0], [12], [1], first_update_id=first, last_update_id=last)


def futures(book: OrderBook, first: int, last: int, previous: int) -> bool:
    return book.apply_update(
        [0], [12], [1], first_update_id=first, last_update_id=last, previous_update_id=previous
    )


def test_spot_ids_follow_one_another() -> None:
    book = synchronised()
    assert not spot(book, 90, 100)  # wholly before the snapshot
    assert spot(book, 95, 103)  # the first one may overlap it
    assert spot(book, 104, 110)
    assert not spot(book, 104, 110)  # a repeat
    with pytest.raises(book_errors.SequenceGapError, match="last applied 110"):
        spot(book, 112, 113)


def test_a_first_spot_update_must_reach_the_snapshot() -> None:
    with pytest.raises(book_errors.SequenceGapError):
        spot(synchronised(), 102, 110)


def test_later_spot_updates_may_not_overlap() -> None:
    book = synchronised()
    assert spot(book, 101, 103)
    with pytest.raises(book_errors.SequenceGapError):
        spot(book, 103, 105)


def test_futures_ids_name_their_predecessor() -> None:
    book = synchronised()
    assert not futures(book, 80, 99, 79)
    assert futures(book, 95, 105, 94)
    assert futures(book, 130, 140, 105)  # ids jump; the predecessor decides
    with pytest.raises(book_errors.SequenceGapError):
        futures(book, 150, 160, 141)


def test_a_first_futures_update_must_span_the_snapshot() -> None:
    assert futures(synchronised(), 90, 100, 89)
    with pytest.raises(book_errors.SequenceGapError):
        futures(synchronised(), 101, 105, 100)


def test_a_last_id_alone_must_rise() -> None:
    book = synchronised()
    assert book.apply_update([0], [12], [1], last_update_id=107)
    assert not book.apply_update([0], [12], [2], last_update_id=107)
    assert book.ask_qty[1] == 1


def test_unknown_ids_are_not_checked() -> None:
    book = OrderBook()
    book.apply_snapshot([0, 1], [11, 9], [5, 5])
    assert spot(book, 700, 710)
    assert book.apply_update([0], [12], [0])
    with pytest.raises(book_errors.SequenceGapError):
        spot(book, 712, 713)


def test_after_a_gap_only_a_snapshot_helps() -> None:
    book = synchronised()
    with pytest.raises(book_errors.SequenceGapError):
        spot(book, 200, 201)
    assert not book.synchronised
    with pytest.raises(book_errors.NoSnapshotError):
        spot(book, 101, 102)
    book.apply_snapshot([0, 1], [11, 9], [5, 5], last_update_id=300)
    assert spot(book, 301, 302)


def test_an_update_before_any_snapshot_is_refused() -> None:
    with pytest.raises(book_errors.NoSnapshotError):
        OrderBook().apply_update([0], [12], [1])


@pytest.mark.parametrize("bid", [11, 12])
def test_locked_and_crossed_books_are_refused(bid: int) -> None:
    book = synchronised()
    with pytest.raises(book_errors.CrossedBookError, match="snapshot"):
        book.apply_update([1], [bid], [1])
    assert not book.synchronised
    with pytest.raises(book_errors.CrossedBookError):
        book.apply_snapshot([0, 1], [11, bid], [1, 1])


def test_a_message_may_cross_on_its_way() -> None:
    book = synchronised()
    assert book.apply_update([1, 0, 0], [12, 11, 13], [4, 0, 4])
    assert (book.ask_px[0], book.bid_px[0]) == (13, 12)


def test_one_empty_side_is_no_error() -> None:
    book = synchronised()
    assert book.apply_update([0], [11], [0])
    assert not book.two_sided
    assert not book.ask_px.any()
    assert not book.ask_qty.any()


@pytest.mark.parametrize(
    ("levels", "error"),
    [
        (([0, 0], [12, 13], [4, -1]), book_errors.NegativeSizeError),
        (([0, 2], [12, 13], [4, 4]), book_errors.InvalidLevelError),
        (([0, -1], [12, 13], [4, 4]), book_errors.InvalidLevelError),
        (([0, 0], [12, 0], [4, 4]), book_errors.InvalidLevelError),
    ],
)
def test_malformed_levels_change_nothing(levels: tuple, error: type[Exception]) -> None:
    book = synchronised()
    before = (book.top_px.copy(), book.top_qty.copy(), book.last_update_id)
    with pytest.raises(error):
        book.apply_update(*levels, first_update_id=101, last_update_id=102)
    with pytest.raises(error):
        book.apply_snapshot(*levels)
    assert np.array_equal(book.top_px, before[0])
    assert np.array_equal(book.top_qty, before[1])
    assert book.last_update_id == before[2]
    assert spot(book, 101, 102)  # the mended message is still welcome


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (([0], [1.5], [1]), "price: dtype"),
        (([0], [[1]], [1]), "price: shape"),
        (([0], [1], [1, 2]), "qty: shape"),
        (([0, 0], [1], [1]), "side: shape"),
        (([0.0], [1], [1]), "side: dtype"),
    ],
)
def test_misshapen_columns_are_refused_by_name(levels: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synchronised().apply_update(*levels)


def test_a_capacity_below_the_visible_levels_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        OrderBook(capacity=19)
