# SPDX-License-Identifier: Apache-2.0
"""How long a server takes from its start to SERVING, with kernels in their cache.

Most of that is importing. ``import torch``, in a process of its own and by
turns with the server, says how fast the machine is at it just now.

python -m benchmarks.server.startup
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import quantiles, write
from benchmarks.serving import serving

RUNS = 7


def main() -> None:
    seconds, torch_seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS + 1):
            begun = time.perf_counter()
            with serving(Path(folder)):
                elapsed_s = time.perf_counter() - begun
            if run:  # the first start fills the caches
                seconds.append(elapsed_s)
                torch_seconds.append(import_torch_s())
            print(f"start {run}: {elapsed_s:.2f} s to SERVING", flush=True)
    ratio = statistics.median(ours / torch for ours, torch in zip(seconds, torch_seconds, strict=True))
    results = {
        "runs_s": seconds,
        "s": quantiles(seconds),
        "import_torch_s": quantiles(torch_seconds),
        "ratio": ratio,
    }
    path = write("startup", "python -m benchmarks.server.startup", results)
    print(f"median {results['s']['p50']:.2f} s, {ratio:.2f} times `import torch` -> {path}")


def import_torch_s() -> float:
    """Seconds of a process that imports PyTorch and ends."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
