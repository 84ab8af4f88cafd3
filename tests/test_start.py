# SPDX-License-Identifier: Apache-2.0
"""What a server does as it starts."""

import threading
from pathlib import Path

import pytest

from server.forecasting.plugins import Plugins
from tests.eventually import eventually
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
