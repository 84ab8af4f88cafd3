# SPDX-License-Identifier: Apache-2.0
"""Market messages from the shipped recording."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from consilience.v1 import market_pb2 as pb
from server.recordings.books import BookRecording
from server.recordings.market_events import Delta, Snapshot, Trade

SAMPLE = Path(__file__).parents[2] / "samples" / "books" / "nexousdt_spot_20240724"
SYMBOL = "NEXOUSDT"
TICK, LOT = 0.0001, 0.01


def sample_events(count: int) -> Iterator[pb.MarketEvent]:
    """The first events of the sample, snapshot first."""
    recording = BookRecording.open(SAMPLE)
    for event in itertools.islice(recording.market_events(), count):
        yield message(event)


def message(event: Snapshot | Delta | Trade) -> pb.MarketEvent:
    """One recorded event as a client sends it."""
    out = pb.MarketEvent(symbol=SYMBOL, event_time_us=event.event_time_us)
    if isinstance(event, Trade):
        out.trade.CopyFrom(
            pb.MarketTrade(
                price_ticks=event.price_ticks, lots=event.lots, buyer_is_aggressor=event.buyer_is_aggressor
            )
        )
        return out
    sides = {
        name: getattr(event, name).tolist() for name in ("ask_ticks", "ask_lots", "bid_ticks", "bid_lots")
    }
    if isinstance(event, Snapshot):
        out.snapshot.CopyFrom(
            pb.BookSnapshot(tick_size=TICK, lot_size=LOT, update_id=event.update_id, **sides)
        )
    else:
        ids = {
            name: getattr(event, name) for name in ("first_update_id", "last_update_id", "previous_update_id")
        }
        out.delta.CopyFrom(pb.BookDelta(**ids, **sides))
    return out
