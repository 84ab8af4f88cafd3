# SPDX-License-Identifier: Apache-2.0
"""``AdminService``: members that come and go."""

from consilience.v1 import admin_service_pb2 as pb
from server.engine.admin import Admin
from server.engine.membership import Membership
from server.forecasting.ensemble import MemberSpec
from server.rpc.admin import MAX_NAME, member_message
from server.rpc.call import Call
from server.rpc.rules import Rules

MAX_DEFINITION = 16_384
MAX_SECONDS = 300.0


class MembershipHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, membership: Membership, admin: Admin) -> None:
        self._membership = membership
        self._admin = admin

    async def add_member(self, request: pb.AddMemberRequest, call: Call) -> pb.AddMemberResponse:
        """Add a member from a configured forecaster, or from a definition."""
        rules = Rules()
        rules.text("ensemble", request.ensemble, MAX_NAME, printable=True)
        rules.text("definition", request.definition, MAX_DEFINITION)
        asked = request.member
        limited = asked.HasField("timeout")
        timeout = rules.seconds("member.timeout", asked.timeout, MAX_SECONDS) if limited else None
        member = MemberSpec(
            name=rules.text("member.name", asked.name, MAX_NAME, least=1, printable=True),
            weight=rules.weight("member.weight", asked.weight) or 1.0,
            timeout_s=timeout,
            min_confidence=rules.share("member.min_confidence", asked.min_confidence),
        )
        rules.check()
        await self._membership.add(request.ensemble, member, request.etag, request.definition, call.caller)
        views = self._admin.members(request.ensemble)
        (added,) = [view for view in views if view.spec.name == member.name]
        return pb.AddMemberResponse(member=member_message(added))

    async def remove_member(self, request: pb.RemoveMemberRequest, call: Call) -> pb.RemoveMemberResponse:
        """Remove a member; predictions under way keep it."""
        rules = Rules()
        rules.text("ensemble", request.ensemble, MAX_NAME, printable=True)
        rules.text("member", request.member, MAX_NAME, least=1, printable=True)
        rules.check()
        await self._membership.remove(request.ensemble, request.member, request.etag, call.caller)
        return pb.RemoveMemberResponse()
