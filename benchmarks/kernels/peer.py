# SPDX-License-Identifier: Apache-2.0
"""A peer library's side of a benchmark, in the Python that it is installed in.

Started by ``benchmarks.kernels.peers`` with a folder of arrays; each line on
standard input is a piece of work and a number of repeats, each line on
standard output the seconds of one call.
"""

import sys
import time
from pathlib import Path

import numpy as np


def works(folder: Path) -> dict[str, object]:
    """What this Python can do, by name."""
    found = {}
    rows = np.load(folder / "rows.npy")  # members × questions
    try:
        import numbagg  # noqa: PLC0415

        found["numbagg nanmean"] = lambda: numbagg.nanmean(rows, axis=0)
        found["numbagg nanmedian"] = lambda: numbagg.nanmedian(rows, axis=0)
    except ImportError:
        pass
    try:
        import pandas as pd  # noqa: PLC0415
        from crowdkit.aggregation import MajorityVote  # noqa: PLC0415

        member, question = np.nonzero(~np.isnan(rows))
        label = (rows[member, question] > 0.5).astype(int)
        frame = pd.DataFrame({"task": question, "worker": member, "label": label})

        def majority() -> np.ndarray:
            shares = MajorityVote().fit_predict_proba(frame).sort_index()
            return shares[1].fillna(0.0).to_numpy()

        found["crowd-kit majority"] = majority
    except ImportError:
        pass
    return found


def main() -> None:
    folder = Path(sys.argv[1])
    calls = works(folder)
    print(" | ".join(calls), flush=True)
    for line in sys.stdin:
        name, _, repeats = line.strip().rpartition(" ")
        result = calls[name]()
        np.save(folder / "result.npy", result)
        begun = time.perf_counter()
        for _ in range(int(repeats)):
            calls[name]()
        print((time.perf_counter() - begun) / int(repeats), flush=True)


if __name__ == "__main__":
    main()
