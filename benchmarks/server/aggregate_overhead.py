# SPDX-License-Identifier: Apache-2.0
"""What ``Aggregate`` costs the server, against a bare grpc.aio + uvloop echo of the same request.

12 members, binary, one process, 16 streams in a closed loop on one connection.
Both servers run at once and take turns under the same load generator (ghz); the
figure is the processor time of the server's process, user and system, for each
call. A shared machine changes its speed within seconds, so turns are short and many.

python -m benchmarks.server.aggregate_overhead
"""

import argparse
import math
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.ghz import failures, protoset, run_ghz
from benchmarks.reporting import write
from benchmarks.serving import Served, running, serving

COMMAND = "python -m benchmarks.server.aggregate_overhead"
MEMBERS, STREAMS = 12, 16
PROBABILITIES = [round(0.1 + 0.06 * member, 2) for member in range(MEMBERS)]
CALLS = {
    "aggregate": "consilience.v1.PredictService.Aggregate",
    "echo": "consilience.benchmarks.EchoService.Echo",
}


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder) as ours, running(folder, "benchmarks.server.echo_server") as echo:
            servers = {"aggregate": ours, "echo": echo}
            for kind, server in servers.items():
                _round(kind, server, arguments.calls // 5, folder)  # warm
            rounds = [_pair(servers, number, arguments.calls, folder) for number in range(arguments.rounds)]
    results = summary(rounds, arguments.calls)
    ratio = results["cpu_ratio"]
    print(
        f"Aggregate {results['aggregate_cpu_us']:.0f} µs, echo {results['echo_cpu_us']:.0f} µs of server CPU"
        f" a call: ratio {ratio['median']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f},"
        f" {ratio['level']:.0%} interval of the median of {len(rounds)} rounds)"
    )
    print(write("aggregate_overhead", COMMAND, results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=91)
    parser.add_argument("--calls", type=int, default=4_000, help="calls a round and server")
    return parser.parse_args()


def _pair(servers: dict[str, Served], number: int, calls: int, folder: Path) -> dict[str, Any]:
    """Both servers once; who begins changes from round to round."""
    order = list(servers) if number % 2 == 0 else list(servers)[::-1]
    found = {kind: _round(kind, servers[kind], calls, folder) for kind in order}
    ratio = found["aggregate"]["cpu_us"] / found["echo"]["cpu_us"]
    print(f"round {number}: {ratio:.3f}", flush=True)
    return {**found, "ratio": ratio}


def _round(kind: str, server: Served, calls: int, folder: Path) -> dict[str, float]:
    """One server under load: CPU for each call in microseconds, and what the callers saw."""
    settings = {
        "call": CALLS[kind],
        "protoset": str(protoset(folder)),
        "data": {"probabilities": PROBABILITIES},
        "total": calls,
        "concurrency": STREAMS,
        "connections": 1,
        "timeout": "20s",
    }
    before_s = server.cpu_s()
    report = run_ghz(server.address, settings, folder)
    used_s = server.cpu_s() - before_s
    assert not failures(report), failures(report)
    assert report["count"] == calls
    return {"cpu_us": used_s / calls * 1e6, "rps": report["rps"], "mean_ms": report["average"] / 1e6}


def summary(rounds: Sequence[dict[str, Any]], calls: int) -> dict[str, Any]:
    """Medians over the rounds, and an interval for the median ratio."""
    low, high, level = median_interval([each["ratio"] for each in rounds])
    return {
        "members": MEMBERS,
        "streams": STREAMS,
        "calls_a_round": calls,
        "aggregate_cpu_us": statistics.median(each["aggregate"]["cpu_us"] for each in rounds),
        "echo_cpu_us": statistics.median(each["echo"]["cpu_us"] for each in rounds),
        "cpu_ratio": {
            "median": statistics.median(each["ratio"] for each in rounds),
            "low": low,
            "high": high,
            "level": level,
        },
        "rounds": list(rounds),
    }


def median_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """The narrowest pair of order statistics that covers the median with at least ``level``.

    Gives low, high and the coverage that they really have; of few values the
    whole range, whatever it covers. Distribution-free: the number of values
    below the median is binomial.
    """
    ordered = sorted(values)
    count = len(ordered)
    best = 0
    for cut in range(1, (count + 1) // 2):
        if _coverage(count, cut) >= level:
            best = cut
    return ordered[best], ordered[count - 1 - best], _coverage(count, best)


def _coverage(count: int, cut: int) -> float:
    """Chance that the median lies between the order statistics cut and count-1-cut (from 0)."""
    tail = sum(math.comb(count, below) for below in range(cut + 1)) / 2**count
    return 1.0 - 2.0 * tail


if __name__ == "__main__":
    main()
