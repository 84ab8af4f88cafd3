# SPDX-License-Identifier: Apache-2.0
"""A server of our own in a process of its own, on a free loopback port, for as long as a ``with`` lasts."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Served:
    """A running server. ``process`` is its own process, not a shell's."""

    address: str
    process: "subprocess.Popen[str]"

    def cpu_s(self) -> float:
        """Processor time that it has used, user and system, seconds (Linux)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(
    folder: Path, config: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """``consilience serve`` with its records and its log in ``folder``.

    Raises:
        RuntimeError: it did not become ready; the message has its log.
    """
    arguments = ["serve", "--json", "--listen", "127.0.0.1:0"]
    given = ["--config", str(config)] if config else []
    with running(folder, "server.cli", [*arguments, *given], environment) as served:
        yield served


@contextmanager
def simulating(folder: Path) -> Iterator[Served]:
    """``consilience simulate``."""
    with running(folder, "server.cli", ["simulate", "--json", "--listen", "127.0.0.1:0"]) as served:
        yield served


@contextmanager
def running(
    folder: Path,
    module: str,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """A Python module as a server: its first line on standard output says its address in JSON.

    Raises:
        RuntimeError: it did not become ready; the message has its log.
    """
    with (folder / f"{module}.log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **_environment(folder), **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Served(_address(process, log), process)
        finally:
            process.terminate()
            process.wait(timeout=60)
            assert process.stdout is not None
            process.stdout.close()


def _environment(folder: Path) -> dict[str, str]:
    return {
        "CONSILIENCE_STORAGE__URL": f"sqlite:///{folder}/records.db",
        "CONSILIENCE_TELEMETRY__METRICS_LISTEN": "",
    }


def _address(process: "subprocess.Popen[str]", log: IO[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        log.seek(0)
        raise RuntimeError(f"the server did not start:\n{log.read()}")
    return str(json.loads(line)["address"])
