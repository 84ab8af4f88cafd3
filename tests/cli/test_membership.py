# SPDX-License-Identifier: Apache-2.0
"""Members that come and go on a real server."""

from pathlib import Path

import grpc
import pytest

from benchmarks.serving import serving
from consilience.v1 import admin_service_pb2 as pb
from consilience.v1 import admin_service_pb2_grpc
from tests.cli.conftest import Run


def names(admin: admin_service_pb2_grpc.AdminServiceStub) -> list[str]:
    return [member.name for member in admin.ListMembers(pb.ListMembersRequest(page_size=1000)).members]


def refused(call: object, code: grpc.StatusCode, words: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        call()  # type: ignore[operator]
    assert error.value.code() is code  # type: ignore[attr-defined]
    assert words in error.value.details()  # type: ignore[attr-defined]


def test_members_come_and_go(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIENCE_STORAGE__URL", f"sqlite:///{tmp_path}/records.db")
    with serving(tmp_path) as served, grpc.insecure_channel(served.address) as channel:
        admin = admin_service_pb2_grpc.AdminServiceStub(channel)
        before = names(admin)
        first = before[0]
        admin.RemoveMember(pb.RemoveMemberRequest(member=first))
        assert names(admin) == before[1:]
        back = admin.AddMember(pb.AddMemberRequest(member=pb.Member(name=first, weight=2.0))).member
        assert (back.name, back.weight, back.enabled) == (first, 2.0, True)
        assert names(admin) == [*before[1:], first]
        made = pb.AddMemberRequest(member=pb.Member(name="price"), definition='{"kind": "market"}')
        assert admin.AddMember(made).member.kind == "market"

        def add(definition: str, name: str = "other") -> object:
            return lambda: admin.AddMember(
                pb.AddMemberRequest(member=pb.Member(name=name), definition=definition)
            )

        bad = grpc.StatusCode.INVALID_ARGUMENT
        refused(add('{"kind": "magic"}'), bad, "definition")
        refused(add('{"kind": "market", "secret": "sesame"}'), bad, "secret")
        refused(add('{"kind": "ensemble", "ensemble": "quickstart"}'), bad, "contains itself")
        refused(add('{"kind": "recorded", "model": "nobody"}'), bad, "definition")
        refused(add('{"kind": "chat", "provider": "nobody", "model": "m"}'), bad, "provider")
        refused(add("", "nobody"), grpc.StatusCode.NOT_FOUND, "give a definition")
        refused(add("", first), grpc.StatusCode.ABORTED, "has a member")
    assert run("audit", "verify").out.startswith("HOLDS 4 entries")
