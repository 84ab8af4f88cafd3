# SPDX-License-Identifier: Apache-2.0
"""How long a server takes from its start to SERVING, with kernels in their cache.

python -m benchmarks.server.startup
"""

import tempfile
import time
from pathlib import Path

from benchmarks.reporting import quantiles, write
from benchmarks.serving import serving

RUNS = 7


def main() -> None:
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS + 1):
            begun = time.perf_counter()
            with serving(Path(folder)):
                elapsed_s = time.perf_counter() - begun
            if run:  # the first start fills the caches
                seconds.append(elapsed_s)
            print(f"start {run}: {elapsed_s:.2f} s to SERVING", flush=True)
    path = write(
        "startup", "python -m benchmarks.server.startup", {"runs_s": seconds, "s": quantiles(seconds)}
    )
    print(f"median {quantiles(seconds)['p50']:.2f} s -> {path}")


if __name__ == "__main__":
    main()
