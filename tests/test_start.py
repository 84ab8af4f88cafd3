# SPDX-License-Identifier: Apache-2.0
"""What a server does as it starts, and what it has joined together by then."""

import threading
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from server.engine.ensembles import Ensembles
from server.engine.happenings import Kind
from server.engine.probation import ATTEMPTS, SelectionState
from server.forecasting.deadline import SystemClock
from server.forecasting.forecast import Absent, AbsentReason
from server.forecasting.plugins import Plugins
from server.forecasting.prediction import MemberAnswer
from server.operation import Operation
from tests.engine.conftest import ensemble_of
from tests.eventually import eventually
from tests.fakes import yes
from tests.running import running, settings


async def test_plugins_are_looked_for_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[threading.Thread] = []
    monkeypatch.setattr(
        "server.app.PLUGINS", Plugins(lambda: looked.append(threading.current_thread()) or [])
    )
    parts = {"forecasters": {"m": {"kind": "market"}}, "ensembles": {"one": {"members": ["m"]}}}
    async with running(settings(tmp_path, **parts)):
        await eventually(lambda: len(looked) == 1)
    assert looked != [threading.main_thread()]


async def test_who_watches_hears_that_a_member_is_no_longer_selected(tmp_path: Path) -> None:
    ensemble = ensemble_of({"sick": yes(0.5)}, "one")
    failed = Absent(AbsentReason.PROVIDER_SERVER_ERROR, attempts=1)
    parts = {"forecasters": {"m": {"kind": "market"}}, "ensembles": {"one": {"members": ["m"]}}}
    async with AsyncExitStack() as stack:
        operation = Operation(settings(tmp_path, **parts), stack, SystemClock(), CollectorRegistry())
        operation.begin(Ensembles([ensemble], "one"), lambda: None)
        with operation.happenings.watch([Kind.MEMBER]) as watcher:
            await anext(watcher)
            for _ in range(ATTEMPTS):
                ensemble.standings["sick"].add(MemberAnswer("sick", failed, 1.0))
            state = ensemble.roll_call.look("sick", ensemble.standings["sick"], 0.0)
            heard = await anext(watcher)
    assert state is SelectionState.DESELECTED
    assert (heard.kind, heard.subject) == (Kind.MEMBER, "sick")
    assert heard.message.startswith("one: selection deselected: an outage")
