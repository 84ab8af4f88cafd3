# SPDX-License-Identifier: Apache-2.0
"""How long all kernels take to compile, and to load from disk.

python -m benchmarks.kernels.load
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

WARM_RUNS = 7
SCRIPT = """
import json, time
begun = time.perf_counter()
cpu = time.process_time()
import numba
after_numba = time.perf_counter()
from kernels.warm import load_all
modules = load_all()
print(json.dumps({
    "wall_s": time.perf_counter() - begun,
    "numba_s": after_numba - begun,
    "cpu_s": time.process_time() - cpu,
    "modules": modules,
}))
"""


def measure_load() -> dict[str, Any]:
    """One cold compile into an empty folder, then warm loads from it."""
    with tempfile.TemporaryDirectory() as folder:
        cold = load(folder)
        load(folder)  # byte code of Python modules is on disk from here on
        warm = [load(folder) for _ in range(WARM_RUNS)]
    return {
        "cold_s": cold["wall_s"],
        "cold_cpu_s": cold["cpu_s"],
        "warm_s": statistics.median(run["wall_s"] for run in warm),
        "warm_cpu_s": statistics.median(run["cpu_s"] for run in warm),
        "warm_best_s": min(run["wall_s"] for run in warm),
        "of_which_numba_s": statistics.median(run["numba_s"] for run in warm),
        "modules": cold["modules"],
    }


def load(folder: str) -> dict[str, Any]:
    """Load every kernel in a process of its own, with its machine code in this folder."""
    environment = os.environ | {
        "NUMBA_CACHE_DIR": folder,
        "PYTHONPYCACHEPREFIX": f"{folder}/pycache",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    for name, value in measure_load().items():
        print(f"{name:18} {value:8.2f}")


if __name__ == "__main__":
    main()
