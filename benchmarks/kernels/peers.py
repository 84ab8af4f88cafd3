# SPDX-License-Identifier: Apache-2.0
"""Peer libraries in an environment of their own, measured by turns with ours.

    python -m venv .venvs/kernel-peers
    .venvs/kernel-peers/bin/pip install numbagg crowd-kit

Where that is missing, the benchmark says so and goes on.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

PYTHON = Path(".venvs/kernel-peers/bin/python")
MISSING = "numbagg and crowd-kit: no .venvs/kernel-peers (see benchmarks/kernels/peers.py)"


class PeerCall:
    """A call in the peer's process."""

    def __init__(self, peers: "Peers", name: str) -> None:
        self._peers = peers
        self._name = name

    def __call__(self) -> Any:
        """What the peer computes."""
        self.seconds(1)
        return np.load(self._peers.folder / "result.npy")

    def seconds(self, repeats: int) -> float:
        """Seconds of one call, by the peer's own clock."""
        return self._peers.ask(f"{self._name} {repeats}")


class Peers:
    """The peer process and what it can do."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self.folder = folder
        self.names = self._line().split(" | ")

    def ask(self, line: str) -> float:
        """Seconds of one call."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def call(self, name: str) -> PeerCall:
        """One of the peer's calls, to be measured as if it were here."""
        return PeerCall(self, name)


@contextmanager
def peers(rows: np.ndarray) -> Iterator[Peers | None]:
    """The peers' process over these probabilities (members × questions), or None where there is none."""
    if not PYTHON.exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "rows.npy", rows)
        command = [str(PYTHON), "-m", "benchmarks.kernels.peer", name]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield Peers(process, folder)
            finally:
                assert process.stdin is not None
                process.stdin.close()
