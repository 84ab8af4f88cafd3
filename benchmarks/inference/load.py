# SPDX-License-Identifier: Apache-2.0
"""One load generator for every server of the protocol: ghz, in a process of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import json_format

from benchmarks.ghz import failures, latencies_ms, run_ghz
from benchmarks.inference.network import FEATURES, INPUT, NAME, ROWS
from benchmarks.inference.servers import Running
from benchmarks.reporting import quantiles
from benchmarks.serving import REPOSITORY
from server.rpc.inference.protocol import message

PROTOSET = REPOSITORY / "server" / "rpc" / "inference" / "protocol.binpb"
CALL = "inference.GRPCInferenceService.ModelInfer"


@dataclass(frozen=True, slots=True)
class Load:
    """A closed loop: each of ``streams`` asks again once it was answered."""

    calls: int
    streams: int


def infer_request() -> Any:
    """One window, raw."""
    rows = np.random.default_rng(0).standard_normal((1, ROWS, FEATURES), np.float32)
    request = message("ModelInferRequest")(model_name=NAME, raw_input_contents=[rows.tobytes()])
    request.inputs.add(name=INPUT, datatype="FP32", shape=rows.shape)
    return request


def request_data() -> dict[str, Any]:
    """The same as ghz takes it; read once, sent again and again."""
    found: dict[str, Any] = json_format.MessageToDict(infer_request())
    return found


def run(address: str, load: Load, folder: Path) -> dict[str, Any]:
    """Calls answered a second, latencies of those, and what became of the others."""
    settings = {
        "call": CALL,
        "protoset": str(PROTOSET),
        "data": request_data(),
        "disable-template-data": True,
        "disable-template-functions": True,
        "total": load.calls,
        "concurrency": load.streams,
        "connections": 1,
        "timeout": "20s",
    }
    report = run_ghz(address, settings, folder)
    answered = latencies_ms(report)
    failed = {
        status: [each["latency"] / 1e6 for each in report["details"] if each["status"] == status]
        for status in failures(report)
    }
    return {
        "answered_per_s": len(answered) / (report["total"] / 1e9),
        "seconds": report["total"] / 1e9,
        "latency_ms": quantiles(answered) if len(answered) > 1 else {},
        "failed": {
            status: {"count": len(times), "latency_ms": quantiles(times) if len(times) > 1 else {}}
            for status, times in failed.items()
        },
    }


def measure(server: Running, load: Load, folder: Path) -> dict[str, Any]:
    """``run`` with the processor time of the server's processes, for each call."""
    before_s = server.cpu_s()
    found = run(server.address, load, folder)
    spent_ms = (server.cpu_s() - before_s) * 1000
    found["cpu_ms"] = spent_ms / load.calls
    return found
