# SPDX-License-Identifier: Apache-2.0
"""Sends a recording through ``StreamMarket`` and counts what comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from consilience import (
    AsyncClient,
    BookDelta,
    BookSnapshot,
    MarketControl,
    MarketEvent,
    MarketNotice,
    MarketNoticeKind,
    MarketReply,
    MarketTrade,
)
from server.cli.failures import Failure
from server.cli.replay_view import View
from server.cli.tally import Tally
from server.recordings.books import BookRecording
from server.recordings.errors import RecordingError
from server.recordings.market_events import Delta, Snapshot, Trade

Recorded = Snapshot | Delta | Trade


@dataclass(frozen=True, slots=True)
class Replay:
    """What to replay, and how."""

    path: Path
    speed: float
    symbol: str
    ensemble: str
    every: int
    limit: int


async def run(replay: Replay, server: str, view: View) -> Tally:
    """Replay, show what comes back, and count it.

    Raises:
        Failure: the recording cannot be read, or the server has no such ensemble.
        ConsilienceError: the server refused.
    """
    try:
        recording = BookRecording.open(replay.path)
    except RecordingError as error:
        raise Failure(str(error)) from error
    tally = Tally(recording.meta.tick_size)
    async with AsyncClient(server) as client, client.market(_paced(recording, replay, tally)) as replies:
        async for reply in replies:
            _check_accepted(reply)
            tally.count(reply)
            view.show(reply, tally)
    if recording.book is not None:
        tally.judge(recording.book)
    return tally


def _check_accepted(reply: MarketReply) -> None:
    # The control goes first and alone has no time; without it there will be no signals.
    if not isinstance(reply, MarketNotice) or reply.event_time_us:
        return
    if reply.kind is MarketNoticeKind.INVALID_EVENT:
        raise Failure(reply.detail.removesuffix("; ignored"))


async def _paced(recording: BookRecording, replay: Replay, tally: Tally) -> AsyncIterator[MarketEvent]:
    """The recording's events, each at its time."""
    symbol = replay.symbol or recording.meta.symbol
    start_s, first_us = monotonic(), 0
    control = MarketControl(replay.ensemble, replay.every)
    for recorded in _limited(recording, replay.limit):
        if not first_us:
            first_us = recorded.received_us
            yield MarketEvent(symbol, 0, control)
        if replay.speed:
            due_s = start_s + (recorded.received_us - first_us) / 1e6 / replay.speed
            await asyncio.sleep(max(0.0, due_s - monotonic()))
        # A recording of book rows alone is a feed of whole books.
        whole = recording.events is None and tally.sent > 0
        tally.sent += 1
        yield MarketEvent(symbol, recorded.event_time_us, _event(recorded, recording, whole))


def _limited(recording: BookRecording, limit: int) -> Iterator[Recorded]:
    updates = 0
    for recorded in recording.market_events():
        updates += not isinstance(recorded, Trade)
        if limit and updates > limit:
            return
        yield recorded


def _event(
    recorded: Recorded, recording: BookRecording, whole: bool
) -> BookSnapshot | BookDelta | MarketTrade:
    match recorded:
        case Trade():
            return MarketTrade(recorded.price_ticks, recorded.lots, recorded.buyer_is_aggressor)
        case Delta():
            return BookDelta(
                recorded.ask_ticks,
                recorded.ask_lots,
                recorded.bid_ticks,
                recorded.bid_lots,
                recorded.first_update_id,
                recorded.last_update_id,
                recorded.previous_update_id,
            )
    return BookSnapshot(
        recorded.ask_ticks,
        recorded.ask_lots,
        recorded.bid_ticks,
        recorded.bid_lots,
        recording.meta.tick_size,
        recording.meta.lot_size,
        recorded.update_id,
        whole,
    )
