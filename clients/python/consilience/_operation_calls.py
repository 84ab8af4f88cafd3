# SPDX-License-Identifier: Apache-2.0
"""The calls about a server's operation as values, free of how they are carried."""

from collections.abc import Sequence

from consilience._calls import Call
from consilience._settings import Settings
from consilience._times import to_duration
from consilience.operation import Happening, ModeStatus
from consilience.status import OperatingMode
from consilience.v1 import admin_service_pb2 as admin

_ADMIN = "/consilience.v1.AdminService/"


def set_mode(
    settings: Settings,
    mode: OperatingMode | str | None,
    reason: str,
    seconds: float | None,
    timeout_s: float | None,
) -> Call[admin.SetModeResponse, ModeStatus]:
    """``AdminService.SetMode``."""
    chosen = OperatingMode.UNSPECIFIED if mode is None else OperatingMode(mode)
    request = admin.SetModeRequest(mode=f"OPERATING_MODE_{chosen.upper()}", reason=reason)
    if seconds is not None:
        request.duration.CopyFrom(to_duration("seconds", seconds))
    return Call(
        _ADMIN + "SetMode",
        request,
        admin.SetModeResponse,
        lambda response: ModeStatus.from_message(response.status),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def watch(settings: Settings, kinds: Sequence[str]) -> Call[admin.WatchEventsResponse, Happening]:
    """``AdminService.WatchEvents``; no deadline ends it."""
    return Call(
        _ADMIN + "WatchEvents",
        admin.WatchEventsRequest(kinds=kinds),
        admin.WatchEventsResponse,
        Happening.from_message,
        None,
        settings.call_metadata(),
    )
