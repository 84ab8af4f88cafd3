# SPDX-License-Identifier: Apache-2.0
"""``AdminService``: the mode of operation, and what happens as it happens."""

from collections.abc import AsyncIterator

import structlog

from consilience.v1 import admin_service_pb2 as pb
from server.engine.caching.answers import AnswerCache
from server.engine.changes import Change, Changes
from server.engine.happenings import Happening, Happenings, Kind
from server.engine.modes.control import ModeControl
from server.engine.modes.mode import Mode, ModeStatus
from server.forecasting.errors import RecordError
from server.rpc.bind import endless
from server.rpc.call import Call
from server.rpc.prediction_out import prediction_message
from server.rpc.rules import Rules
from server.rpc.times import timestamp

log = structlog.get_logger(__name__)

MAX_REASON = 256
MAX_SECONDS = 30 * 86_400.0
_NUMBERS = {mode: getattr(pb, f"OPERATING_MODE_{mode.name}") for mode in Mode}
_MODES = {number: mode for mode, number in _NUMBERS.items()}
_KINDS = tuple(kind for kind in Kind if kind is not Kind.WATCHING)


class OperationHandlers:
    """One coroutine or generator for each method, free of any transport."""

    def __init__(self, modes: ModeControl, happenings: Happenings, changes: Changes) -> None:
        self._modes = modes
        self._happenings = happenings
        self._changes = changes

    async def set_mode(self, request: pb.SetModeRequest, call: Call) -> pb.SetModeResponse:
        """Set the mode by hand, or give it back to the server.

        It is set also where the audit log cannot be written: a full disk must not
        keep an operator from stopping the server.
        """
        rules = Rules()
        reason = rules.text("reason", request.reason, MAX_REASON, printable=True)
        seconds = (
            rules.seconds("duration", request.duration, MAX_SECONDS) if request.HasField("duration") else None
        )
        if request.mode and request.mode not in _MODES:
            rules.broken("mode", f"{request.mode} is not an OperatingMode")
        rules.check()
        status = self._modes.set(_MODES.get(request.mode), reason, seconds)
        asked: dict[str, object] = {"mode": status.mode.name.lower(), "reason": reason, "seconds": seconds}
        try:
            await self._changes.note(Change("SetMode", "mode", call.caller, asked))
        except RecordError as error:
            log.error("mode_not_in_audit_log", mode=asked["mode"], error=str(error))
        return pb.SetModeResponse(status=mode_message(status))

    @endless
    async def watch_events(
        self, request: pb.WatchEventsRequest, call: Call
    ) -> AsyncIterator[pb.WatchEventsResponse]:
        """What happens from now on, until the caller hangs up."""
        del call
        rules = Rules()
        rules.count("kinds", request.kinds, len(_KINDS))
        for index, kind in enumerate(request.kinds):
            if kind not in _KINDS:
                rules.broken(f"kinds[{index}]", f"{kind!r} is not one of: {', '.join(_KINDS)}")
        rules.check()
        with self._happenings.watch([Kind(kind) for kind in request.kinds]) as watcher:
            async for happening in watcher:
                yield _happening_message(happening)


def mode_message(status: ModeStatus) -> pb.ModeStatus:
    """The mode and why, as a message."""
    return pb.ModeStatus(
        mode=_NUMBERS[status.mode],
        reason=status.reason,
        since_time=timestamp(status.since_time),
        manual=status.manual,
        until_time=None if status.until_time is None else timestamp(status.until_time),
        measured=status.measured,
    )


def cache_message(cache: AnswerCache) -> pb.CacheStatus:
    """The cache's counts as a message."""
    counts = cache.counts
    return pb.CacheStatus(
        entries=len(cache),
        capacity=cache.settings.entries,
        exact_hits=counts.exact,
        shared_hits=counts.shared,
        similar_hits=counts.similar,
        misses=counts.misses,
        saved_nano_usd=counts.saved_nano_usd,
    )


def _happening_message(happening: Happening) -> pb.WatchEventsResponse:
    prediction = happening.prediction
    return pb.WatchEventsResponse(
        time=timestamp(happening.time),
        kind=happening.kind,
        subject=happening.subject,
        message=happening.message,
        prediction=None if prediction is None else prediction_message(prediction),
        figures=happening.figures,
        lost=happening.lost,
    )
