# SPDX-License-Identifier: Apache-2.0
"""Runs ghz, a load generator for gRPC, and reads its report."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.serving import REPOSITORY

GHZ = REPOSITORY / "build" / "tools" / "ghz"
LIMIT_S = 300
CONTRACT = REPOSITORY / "protos" / "consilience" / "v1"


def run_ghz(address: str, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """One run; ``settings`` are ghz's own (its config file), bounded by ``total`` and by ``LIMIT_S``.

    ghz has a limit of its own, ``max-duration``, but cuts calls off at it and counts them as failed.

    Raises:
        RuntimeError: ghz is not installed, or it failed.
        subprocess.TimeoutExpired: it took longer than ``LIMIT_S``; it has been stopped.
    """
    if not GHZ.exists():
        raise RuntimeError("ghz is not installed: run `make tools` (it needs Go)")
    config, report = folder / "ghz-config.json", folder / "ghz-report.json"
    config.write_text(json.dumps({"insecure": True, **settings, "host": address}))
    command = [str(GHZ), "--config", str(config), "--format", "json", "--output", str(report)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    if done.returncode:
        raise RuntimeError(f"ghz failed:\n{done.stdout}{done.stderr}")
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def protoset(folder: Path) -> Path:
    """The contract and the echo as a descriptor set: ghz's own parser is older than ``optional``."""
    path = folder / "contract.protoset"
    if not path.exists():
        protos = ["echo.proto", *(f"consilience/v1/{file.name}" for file in CONTRACT.glob("*.proto"))]
        compiler = [sys.executable, "-m", "grpc_tools.protoc", "-I", "protos", "-I", "benchmarks/server"]
        subprocess.run(
            [*compiler, "--include_imports", f"--descriptor_set_out={path}", *map(str, protos)],
            cwd=REPOSITORY,
            check=True,
        )
    return path


def failures(report: Mapping[str, Any]) -> dict[str, int]:
    """Calls that did not end with OK, by status."""
    statuses: Mapping[str, int] = report.get("statusCodeDistribution") or {}
    return {status: count for status, count in statuses.items() if status != "OK"}


def latencies_ms(report: Mapping[str, Any]) -> Sequence[float]:
    """Latency of each call that ended with OK."""
    return [each["latency"] / 1e6 for each in report.get("details") or () if each["status"] == "OK"]
