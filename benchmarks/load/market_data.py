# SPDX-License-Identifier: Apache-2.0
"""The sample recording as messages of ``StreamMarket`` in JSON, for ghz."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.serving import REPOSITORY
from server.recordings.books import BookRecording
from server.recordings.market_events import Delta, Snapshot, Trade

SAMPLE = REPOSITORY / "samples" / "books" / "nexousdt_spot_20240724"
UPDATES = 500


def write_messages(path: Path) -> None:
    """The first updates of the sample, one message each, beginning with a snapshot."""
    recording = BookRecording.open(SAMPLE)
    path.write_text(json.dumps(list(islice(_messages(recording), UPDATES))))


def _messages(recording: BookRecording) -> Iterator[dict[str, Any]]:
    for event in recording.market_events():
        if not isinstance(event, Trade):
            body = _event(event, recording)
            yield {
                "events": [
                    {"symbol": recording.meta.symbol, "event_time_us": str(event.event_time_us), **body}
                ]
            }


def _event(event: Snapshot | Delta, recording: BookRecording) -> dict[str, Any]:
    levels = {
        name: getattr(event, name).tolist() for name in ("ask_ticks", "ask_lots", "bid_ticks", "bid_lots")
    }
    if isinstance(event, Delta):
        names = ("first_update_id", "last_update_id", "previous_update_id")
        return {"delta": {**levels, **{name: str(getattr(event, name)) for name in names}}}
    sizes = {"tick_size": recording.meta.tick_size, "lot_size": recording.meta.lot_size}
    return {"snapshot": {**levels, **sizes, "update_id": str(event.update_id)}}
