# SPDX-License-Identifier: Apache-2.0
"""What dynamic batching is worth: the same server with batches of one, under one stream and under 32.

At 32 streams the ratio of throughputs counts; at one stream what batching adds
to the latency, in milliseconds: the difference of medians within a round, and
the difference of processor time, which what else the machine does hardly moves.

python -m benchmarks.inference.batching [--rounds 7] [--quick]
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.inference import servers
from benchmarks.inference.alternating import interval
from benchmarks.inference.load import Load, measure
from benchmarks.inference.network import write_network
from benchmarks.reporting import write

COMMAND = "python -m benchmarks.inference.batching"
LOADS = (Load(150, 1), Load(480, 32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a third of the calls")
    arguments = parser.parse_args()
    loads = [Load(load.calls // 3 if arguments.quick else load.calls, load.streams) for load in LOADS]
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        root = folder / "weights"
        write_network(root)
        started = {
            "on": stack.enter_context(servers.ours(folder, root)),
            "off": stack.enter_context(servers.ours(folder, root, {"max_batch": 1})),
        }
        for server in started.values():
            measure(server, Load(32, 8), folder)
        rounds = []
        for number in range(arguments.rounds):
            order = list(started) if number % 2 == 0 else list(started)[::-1]
            rounds.append(
                {
                    str(load.streams): {each: measure(started[each], load, folder) for each in order}
                    for load in loads
                }
            )
            print(f"round {number} done", flush=True)
    one = [each["1"] for each in rounds]
    many = [each["32"] for each in rounds]
    results = {
        "throughput_ratio_32": interval(
            [each["on"]["answered_per_s"] / each["off"]["answered_per_s"] for each in many]
        ),
        "cpu_ratio_32": interval([each["on"]["cpu_ms"] / each["off"]["cpu_ms"] for each in many]),
        "added_p50_ms_1": interval(
            [each["on"]["latency_ms"]["p50"] - each["off"]["latency_ms"]["p50"] for each in one]
        ),
        "added_min_ms_1": interval(
            [each["on"]["latency_ms"]["min"] - each["off"]["latency_ms"]["min"] for each in one]
        ),
        "added_cpu_ms_1": interval([each["on"]["cpu_ms"] - each["off"]["cpu_ms"] for each in one]),
        "rounds": rounds,
    }
    for key, found in results.items():
        if isinstance(found, dict):
            print(f"{key}: {found['median']:.3f} ({found['low']:.3f} to {found['high']:.3f})")
    print(write("inference_batching", COMMAND, results))


if __name__ == "__main__":
    main()
