# SPDX-License-Identifier: Apache-2.0
"""Servers of the protocol with the same network: ours, and peers in environments of their own.

``make serving-peers`` makes those environments; they borrow this one's PyTorch,
so that every server runs the same code on the same weights.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from benchmarks.inference.network import NAME
from benchmarks.serving import REPOSITORY
from server.rpc.inference.protocol import message

PEERS = Path(__file__).parent / "peers"
START_S = 300.0
ENSEMBLE = """
[forecasters.price]
kind = "market"
[ensembles.price]
members = ["price"]
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server and everything that it started: all of one session."""

    address: str
    session: int

    def cpu_s(self) -> float:
        """Processor time of all its processes that are alive, user and system."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.session:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def python_of(name: str) -> Path:
    """Python of a peer's environment; it may be missing."""
    return REPOSITORY / ".venvs" / name / "bin" / "python"


@contextmanager
def ours(folder: Path, root: Path, settings: Mapping[str, object] = {}) -> Iterator[Running]:
    """``consilience serve`` with the network; ``settings`` are of ``[inference]``."""
    name = "ours-" + "-".join(f"{key}{value}" for key, value in settings.items())
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    config = folder / f"{name}.toml"
    config.write_text(
        f'[inference]\nrepository = "{root}"\nload = ["*"]\n' + "\n".join(lines) + ENSEMBLE, encoding="utf-8"
    )
    environment = {
        "CONSILIENCE_STORAGE__URL": f"sqlite:///{folder}/{name}.db",
        "CONSILIENCE_TELEMETRY__METRICS_LISTEN": "",
    }
    command = [
        sys.executable,
        "-m",
        "server.cli",
        "serve",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--config",
        str(config),
    ]
    with _started(name, command, folder, environment) as running:
        yield running


@contextmanager
def pytriton(folder: Path, root: Path, instances: int = 1) -> Iterator[Running]:
    """Triton with its Python backend, by way of pytriton."""
    python = python_of("pytriton")
    library = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    weights = root / NAME / "1" / "model.pt"
    port = free_port()
    command = [str(python), str(PEERS / "pytriton_server.py"), str(weights), str(port), str(instances)]
    environment = {"LD_LIBRARY_PATH": library, "PYTHONPATH": ""}
    with _started(f"pytriton-{instances}", command, folder, environment, f"127.0.0.1:{port}") as running:
        yield running


@contextmanager
def mlserver(folder: Path, root: Path, workers: int) -> Iterator[Running]:
    """MLServer with adaptive batching; ``workers`` 0: the network runs on its event loop."""
    place = folder / f"mlserver-{workers}"
    place.mkdir()
    port = free_port()
    settings = {
        "http_port": port + 1,
        "grpc_port": port,
        "metrics_endpoint": None,
        "parallel_workers": workers,
        "host": "127.0.0.1",
    }
    (place / "settings.json").write_text(json.dumps(settings))
    model = {
        "name": NAME,
        "implementation": "mlserver_model.CnnLstm",
        "max_batch_size": 16,
        "max_batch_time": 0.005,
        "parameters": {"uri": str(root / NAME / "1" / "model.pt")},
    }
    (place / "model-settings.json").write_text(json.dumps(model))
    command = [str(python_of("mlserver")), "-c", "from mlserver.cli import main; main()", "start", str(place)]
    environment = {"PYTHONPATH": str(PEERS)}
    with _started(f"mlserver-{workers}", command, folder, environment, f"127.0.0.1:{port}") as running:
        yield running


@contextmanager
def _started(
    name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str], address: str = ""
) -> Iterator[Running]:
    """Start a server in a session of its own, and end all of it.

    Raises:
        RuntimeError: it does not answer in time; the message has its log.
    """
    log_file = folder / f"{name}.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdout=log if address else subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        try:
            if not address:
                assert process.stdout is not None
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError(f"{name} did not start:\n{log_file.read_text()[-3000:]}")
                address = str(json.loads(line)["address"])
            _wait(name, address, process, log_file)
            yield Running(address, process.pid)
        finally:
            _end(process)


def _wait(name: str, address: str, process: "subprocess.Popen[str]", log_file: Path) -> None:
    """Until its network is ready."""
    request = message("ModelReadyRequest")(name=NAME)
    end = time.monotonic() + START_S
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelReady",
            request_serializer=lambda sent: sent.SerializeToString(),
            response_deserializer=message("ModelReadyResponse").FromString,
        )
        while time.monotonic() < end and process.poll() is None:
            try:
                if call(request, timeout=5).ready:
                    return
            except grpc.RpcError:
                pass
            time.sleep(0.2)
    raise RuntimeError(f"{name} did not become ready:\n{log_file.read_text()[-3000:]}")


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for number in (signal.SIGTERM, signal.SIGKILL):  # what it left behind, in its own session
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        time.sleep(0.2)
    if process.stdout is not None:
        process.stdout.close()


def free_port() -> int:
    """A port whose successor is free as well, below those that the system hands out by itself."""
    while True:
        port = random.randrange(20_000, 32_000, 2)  # noqa: S311 - no secret
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
