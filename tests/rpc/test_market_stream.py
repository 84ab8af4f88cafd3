# SPDX-License-Identifier: Apache-2.0
"""Book updates in, signals out, over a real port with the shipped recording."""

import itertools
from collections.abc import AsyncIterator, Iterable

import grpc
import numpy as np
import pytest

from consilience.v1 import market_pb2 as pb
from consilience.v1 import stream_service_pb2 as stream
from kernels.features.market import Instrument, MarketFeatures
from server.recordings.books import BookRecording
from server.recordings.market_events import Delta, Snapshot, Trade
from tests.rpc.conftest import Running
from tests.rpc.market_messages import LOT, SAMPLE, SYMBOL, TICK, message, sample_events

NOTICE = stream.StreamMarketResponse.DESCRIPTOR.fields_by_name["notice"].name


async def send(
    running: Running, events: Iterable[pb.MarketEvent], batch: int = 50
) -> list[stream.StreamMarketResponse]:
    """Everything that the stream says to these events."""
    pending = iter(events)

    async def requests() -> AsyncIterator[stream.StreamMarketRequest]:
        while chunk := list(itertools.islice(pending, batch)):
            yield stream.StreamMarketRequest(events=chunk)

    return [response async for response in running.stream.StreamMarket(requests())]


def control(**wishes: object) -> pb.MarketEvent:
    return pb.MarketEvent(symbol=SYMBOL, control=pb.MarketControl(**wishes))  # type: ignore[arg-type]


def book(ask: int = 101, bid: int = 100, **more: object) -> pb.MarketEvent:
    return pb.MarketEvent(
        symbol=SYMBOL,
        event_time_us=1_000_000,
        snapshot=pb.BookSnapshot(
            tick_size=TICK,
            lot_size=LOT,
            ask_ticks=[ask],
            ask_lots=[5],
            bid_ticks=[bid],
            bid_lots=[5],
            **more,  # type: ignore[arg-type]
        ),
    )


def delta(**fields: object) -> pb.MarketEvent:
    return pb.MarketEvent(symbol=SYMBOL, event_time_us=2_000_000, delta=pb.BookDelta(**fields))  # type: ignore[arg-type]


async def test_a_recording_gives_signals_and_the_kernels_features(running: Running) -> None:
    events = list(sample_events(600))
    wishes = control(signal_every_updates=50, send_features=True, send_window=True)
    responses = await send(running, [wishes, *events])
    signals = [r.signal for r in responses if r.HasField("signal")]
    features = [r.features for r in responses if r.HasField("features")]
    assert not [r for r in responses if r.HasField("notice")]
    assert len(signals) == len(features) > 3
    assert all(s.direction == "UP" and s.warm and s.horizon_updates == 10 for s in signals)
    assert all(s.best_bid_ticks < s.best_ask_ticks for s in signals)
    oracle = MarketFeatures(Instrument(TICK, LOT))
    expected = {}
    for event in itertools.islice(BookRecording.open(SAMPLE).market_events(), 600):
        feed(oracle, event)
        if isinstance(event, Delta):
            expected[len(expected) + 1] = (oracle.features.copy(), read_window(oracle))
    for got in features:
        row, window = expected[got.sequence]
        np.testing.assert_array_equal(np.frombuffer(got.features.data, "<f4"), row)
        np.testing.assert_array_equal(np.frombuffer(got.window.data, "<f4").reshape(100, 20, 4), window)


def feed(oracle: MarketFeatures, event: Snapshot | Delta | Trade) -> None:
    time_us = event.event_time_us
    if isinstance(event, Trade):
        oracle.trade(event.price_ticks, event.lots, bought=event.buyer_is_aggressor, time_us=time_us)
        return
    sides = np.repeat([0, 1], [len(event.ask_ticks), len(event.bid_ticks)])
    prices = np.concatenate([event.ask_ticks, event.bid_ticks])
    sizes = np.concatenate([event.ask_lots, event.bid_lots])
    if isinstance(event, Snapshot):
        oracle.snapshot(sides, prices, sizes, time_us=time_us, last_update_id=event.update_id)
    else:
        oracle.update(sides, prices, sizes, time_us=time_us)


def read_window(oracle: MarketFeatures) -> np.ndarray:
    window = np.empty((100, 20, 4), np.float32)
    oracle.read_window(window)
    return window


async def test_the_same_input_gives_the_same_signals_however_it_is_cut(running: Running) -> None:
    events = list(sample_events(300))
    one, other = [await send(running, events, batch) for batch in (1, 300)]
    sequences = [[r.signal.sequence for r in responses] for responses in (one, other)]
    assert sequences[0] == sequences[1]
    assert sequences[0]


async def test_gaps_crossed_books_and_missing_snapshots_are_told(running: Running) -> None:
    responses = await send(
        running,
        [
            delta(ask_ticks=[101], ask_lots=[1]),
            book(update_id=10),
            delta(first_update_id=20, last_update_id=21, ask_ticks=[102], ask_lots=[1]),
            delta(first_update_id=22, last_update_id=23, ask_ticks=[103], ask_lots=[1]),
            book(update_id=30),
            delta(first_update_id=31, last_update_id=31, ask_ticks=[99], ask_lots=[1]),
        ],
    )
    kinds = [r.notice.kind for r in responses]
    assert kinds == [
        pb.MARKET_NOTICE_KIND_NO_SNAPSHOT,
        pb.MARKET_NOTICE_KIND_SEQUENCE_GAP,
        pb.MARKET_NOTICE_KIND_NO_SNAPSHOT,
        pb.MARKET_NOTICE_KIND_CROSSED_BOOK,
    ]
    assert all("snapshot" in r.notice.detail for r in responses)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (pb.MarketEvent(), "symbol"),
        (pb.MarketEvent(symbol=SYMBOL), "event"),
        (pb.MarketEvent(symbol=SYMBOL, trade=pb.MarketTrade(lots=1)), "event_time_us"),
        (pb.MarketEvent(symbol=SYMBOL, event_time_us=1, trade=pb.MarketTrade()), "trade.lots"),
        (delta(ask_ticks=[1], ask_lots=[]), "delta.ask_lots"),
        (delta(bid_ticks=[], bid_lots=[1]), "delta.bid_lots"),
        (
            pb.MarketEvent(symbol=SYMBOL, event_time_us=1, snapshot=pb.BookSnapshot(tick_size=-1)),
            "snapshot.tick_size",
        ),
        (pb.MarketEvent(symbol=SYMBOL, event_time_us=1, snapshot=pb.BookSnapshot()), "tick_size"),
        (control(ensemble="nope"), "nope"),
        (control(record_signals=True), "control.record_signals"),
        (pb.MarketEvent(symbol=SYMBOL, history=pb.MarketHistory()), "history.candles"),
    ],
)
async def test_an_event_that_breaks_a_rule_is_ignored_and_the_stream_goes_on(
    running: Running, event: pb.MarketEvent, field: str
) -> None:
    responses = await send(running, [event, *sample_events(200)])
    notice = responses[0].notice
    assert notice.kind == pb.MARKET_NOTICE_KIND_INVALID_EVENT
    assert field in notice.detail
    assert any(r.HasField("signal") for r in responses[1:])


async def test_history_makes_indicators_warm(running: Running) -> None:
    first = message(next(BookRecording.open(SAMPLE).market_events()))
    minute = 60_000_000
    end = first.event_time_us // minute * minute
    price = first.snapshot.ask_ticks[0]
    candles = [
        pb.MarketCandle(
            open_time_us=end - (300 - i) * minute,
            open_ticks=price,
            high_ticks=price + 2,
            low_ticks=price - 2,
            close_ticks=price + i % 3 - 1,
            lots=10,
            quote=10 * price,
            trade_count=3,
            taker_buy_lots=4,
        )
        for i in range(300)
    ]
    history = pb.MarketEvent(symbol=SYMBOL, history=pb.MarketHistory(candles=candles))
    wishes = control(signal_every_updates=100, send_features=True)
    seeded = await send(running, [wishes, history, *sample_events(400)])
    cold = await send(running, [wishes, *sample_events(400)])
    undefined = [
        int(
            np.isnan(
                np.frombuffer([r.features for r in rs if r.HasField("features")][-1].features.data, "<f4")
            ).sum()
        )
        for rs in (seeded, cold)
    ]
    assert undefined[0] < undefined[1]
    assert undefined[0] <= 3


async def test_a_feed_of_whole_books_needs_no_deltas(running: Running) -> None:
    books = [book(101 + i % 2, 100 - i % 2, is_update=True) for i in range(120)]
    responses = await send(running, books)
    assert [r.signal.sequence for r in responses] == list(range(100, 121))


async def test_too_many_events_and_symbols(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(running, [delta()] * 1_001, batch=1_001)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    others = [pb.MarketEvent(symbol=f"S{i}", event_time_us=1, delta=pb.BookDelta()) for i in range(3)]
    last = (await send(running, others))[-1].notice
    assert last.symbol == "S2"
    assert "at most 2" in last.detail
