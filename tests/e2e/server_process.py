# SPDX-License-Identifier: Apache-2.0
"""A server in a process of its own, started as a user starts it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

COMMAND = str(Path(sys.executable).with_name("consilience"))
ROOT = Path(__file__).parents[2]


class ServerProcess:
    """``consilience serve`` on a free loopback port; leaving the context ends it."""

    def __init__(self, folder: Path, toml: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.database = folder / "data" / "consilience.db"
        self.database.parent.mkdir(exist_ok=True)
        config = folder / "server.toml"
        config.write_text(toml, encoding="utf-8")
        self._log: IO[bytes] = (folder / "server.log").open("ab")
        own = {
            "CONSILIENCE_RPC__LISTEN": "127.0.0.1:0",
            "CONSILIENCE_TELEMETRY__METRICS_LISTEN": "127.0.0.1:0",
            "CONSILIENCE_STORAGE__URL": f"sqlite:///{self.database}",
        }
        self.process = subprocess.Popen(  # noqa: S603
            [COMMAND, "serve", "--config", str(config), "--json"],
            cwd=ROOT,
            env={**os.environ, **own, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (folder / "server.log").read_text(encoding="utf-8")
        ready = json.loads(line)
        self.address: str = ready["address"]
        self.metrics: str = ready["metrics"]

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "server.log").read_text(encoding="utf-8")
