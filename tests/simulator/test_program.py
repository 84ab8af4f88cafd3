# SPDX-License-Identifier: Apache-2.0
"""The simulator as a program of its own."""

import json
import signal
import subprocess
import sys

import httpx2


def test_it_says_where_it_is_and_leaves_when_told() -> None:
    arguments = ["simulate", "--listen", "127.0.0.1:0", "--json", "--default", "sim-p0.7"]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "server.cli", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["url"] == f"http://{said['address']}"
        body = {"model": "anything", "messages": [{"role": "user", "content": "?"}]}
        answer = httpx2.post(f"{said['url']}/v1/chat/completions", json=body)
        assert "70%" in answer.json()["choices"][0]["message"]["content"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
