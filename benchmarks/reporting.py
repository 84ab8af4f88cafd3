# SPDX-License-Identifier: Apache-2.0
"""Raw results as JSON under ``benchmarks/results``, with the machine that they were taken on."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("grpcio", "protobuf", "uvloop", "numba", "numpy", "torch", "sqlalchemy", "httpx2", "aiohttp")


def write(name: str, command: str, results: Any) -> Path:
    """Write one benchmark's results; ``command`` is how to take them again."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    document = {
        "command": command,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "results": results,
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, Any]:
    """Processor, cores, Python and the packages that matter."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Minimum, median, 90th and 99th percentile and maximum."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {
        "min": min(values),
        "p50": statistics.median(values),
        "p90": cuts[89],
        "p99": cuts[98],
        "max": max(values),
    }
