# SPDX-License-Identifier: Apache-2.0
"""The network alone, one thread, full batches: what a server can at most give with one core.

python -m benchmarks.inference.bare MODEL
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import torch

from benchmarks.inference.network import FEATURES, ROWS
from benchmarks.serving import REPOSITORY

BATCH, BATCHES = 16, 12


def items_per_cpu_s(weights: Path) -> float:
    """Items a second of processor time, measured in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.inference.bare", str(weights)],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(json.loads(done.stdout))


def main() -> None:
    torch.set_num_threads(1)
    network = torch.jit.load(sys.argv[1]).eval()  # type: ignore[no-untyped-call]
    batch = torch.rand(BATCH, ROWS, FEATURES)
    with torch.inference_mode():
        for _ in range(3):
            network(batch)
        begun_s = time.thread_time()
        for _ in range(BATCHES):
            network(batch)
    print(BATCH * BATCHES / (time.thread_time() - begun_s))


if __name__ == "__main__":
    main()
