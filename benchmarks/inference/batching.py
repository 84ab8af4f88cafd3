# SPDX-License-Identifier: Apache-2.0
"""What dynamic batching is worth: the same server with batches of one, under one stream and under 32.

At 32 streams the ratio of throughputs counts, in rounds under ghz. At one stream it is
what batching adds to the latency: one caller asks both servers in turn, call by call, so
that both meet the same machine; the figure is the median of the differences of a pair.

python -m benchmarks.inference.batching [--rounds 7] [--quick]
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import grpc

from benchmarks.inference import servers
from benchmarks.inference.alternating import interval
from benchmarks.inference.load import CALL, Load, infer_request, measure
from benchmarks.inference.network import write_network
from benchmarks.reporting import quantiles, write

COMMAND = "python -m benchmarks.inference.batching"
MANY = Load(480, 32)
PAIRS = 1_500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a third of the calls")
    arguments = parser.parse_args()
    share = 3 if arguments.quick else 1
    many = Load(MANY.calls // share, MANY.streams)
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
            rounds.append({each: measure(started[each], many, folder) for each in order})
            print(f"round {number} done", flush=True)
        one = _in_turn({name: server.address for name, server in started.items()}, PAIRS // share)
    results = {
        "throughput_ratio_32": interval(
            [each["on"]["answered_per_s"] / each["off"]["answered_per_s"] for each in rounds]
        ),
        "cpu_ratio_32": interval([each["on"]["cpu_ms"] / each["off"]["cpu_ms"] for each in rounds]),
        "added_ms_1": interval([on - off for on, off in zip(one["on"], one["off"], strict=True)]),
        "latency_ms_1": {name: quantiles(taken) for name, taken in one.items()},
        "rounds": rounds,
    }
    for key, found in results.items():
        if isinstance(found, dict) and "median" in found:
            print(f"{key}: {found['median']:.3f} ({found['low']:.3f} to {found['high']:.3f})")
    print(write("inference_batching", COMMAND, results))


def _in_turn(addresses: Mapping[str, str], pairs: int) -> dict[str, list[float]]:
    """Milliseconds of calls to each server, a pair at a time; who is asked first takes turns."""
    request = infer_request().SerializeToString()
    service, _, method = CALL.rpartition(".")
    taken: dict[str, list[float]] = {name: [] for name in addresses}
    with ExitStack() as stack:
        asks = {
            name: stack.enter_context(grpc.insecure_channel(address)).unary_unary(
                f"/{service}/{method}", request_serializer=None, response_deserializer=None
            )
            for name, address in addresses.items()
        }
        for pair in range(pairs):
            for name in sorted(asks, reverse=pair % 2 == 1):
                begun = time.perf_counter()
                asks[name](request)
                taken[name].append((time.perf_counter() - begun) * 1e3)
    return taken


if __name__ == "__main__":
    main()
