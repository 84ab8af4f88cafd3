# SPDX-License-Identifier: Apache-2.0
"""The calls about members that come and go, as values."""

import json
from collections.abc import Mapping

from consilience._calls import Call
from consilience._settings import Settings
from consilience._times import to_duration
from consilience.status import Member
from consilience.v1 import admin_service_pb2 as admin

_ADMIN = "/consilience.v1.AdminService/"


def add_member(
    settings: Settings,
    name: str,
    ensemble: str,
    definition: Mapping[str, object] | None,
    weight: float,
    member_timeout_s: float | None,
    min_confidence: float,
    etag: str,
    timeout_s: float | None,
) -> Call[admin.AddMemberResponse, Member]:
    """``AdminService.AddMember``."""
    if weight <= 0.0:  # 0 on the wire: the default, which is not what the caller said
        raise ValueError(f"weight must be above 0, got {weight:g}")
    member = admin.Member(
        name=name,
        weight=weight,
        min_confidence=min_confidence,
        timeout=None if member_timeout_s is None else to_duration("member_timeout_s", member_timeout_s),
    )
    return Call(
        _ADMIN + "AddMember",
        admin.AddMemberRequest(
            ensemble=ensemble,
            member=member,
            etag=etag,
            definition="" if definition is None else json.dumps(dict(definition)),
        ),
        admin.AddMemberResponse,
        lambda response: Member.from_message(response.member),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def remove_member(
    settings: Settings, name: str, ensemble: str, etag: str, timeout_s: float | None
) -> Call[admin.RemoveMemberResponse, None]:
    """``AdminService.RemoveMember``."""
    return Call(
        _ADMIN + "RemoveMember",
        admin.RemoveMemberRequest(ensemble=ensemble, member=name, etag=etag),
        admin.RemoveMemberResponse,
        lambda _: None,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )
