# SPDX-License-Identifier: Apache-2.0
"""The simulator as a program of its own."""

import json
import signal
import subprocess
import sys

import httpx2
import pytest

from server.simulator.__main__ import read_arguments
from server.simulator.settings import SimulatorSettings


def test_it_says_where_it_is_and_leaves_when_told() -> None:
    arguments = [sys.executable, "-m", "server.simulator", "--port", "0", "--json", "--default", "sim-p0.7"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        body = {"model": "anything", "messages": [{"role": "user", "content": "?"}]}
        answer = httpx2.post(f"{url}/v1/chat/completions", json=body)
        assert "70%" in answer.json()["choices"][0]["message"]["content"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_arguments() -> None:
    given = ["--port", "1", "--rpm", "6", "--key", "a", "--key", "b", "--model", "gpt=sim-500", "--seed", "9"]
    assert read_arguments(given) == (
        SimulatorSettings(port=1, requests_per_minute=6, keys=("a", "b"), models={"gpt": "sim-500"}, seed=9),
        False,
    )


def test_a_wrong_argument_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_arguments(["--port", "many"])
    assert "--port" in capsys.readouterr().err
