# SPDX-License-Identifier: Apache-2.0
"""Three times more load than there is capacity for: what is answered, and how fast the rest is refused.

A closed loop of 32 streams finds the peak; then calls come at three times that
rate, whatever becomes of them, with a deadline of 500 ms each. Twice: with the
server and the load generator anywhere on the machine, and with each on a core
of its own, so that neither can take the other's. A bare grpc.aio server that
refuses the same calls says what part of a refusal is the transport's.

python -m benchmarks.inference.overload [--rounds 5] [--seconds 6]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.inference import servers
from benchmarks.inference.alternating import interval
from benchmarks.inference.network import write_network
from benchmarks.reporting import write
from benchmarks.serving import REPOSITORY, running

COMMAND = "python -m benchmarks.inference.overload"
TIMES = 3
QUEUE = 64
PEAK_S = 4.0
DEADLINE_MS = 500
RATIOS = ("goodput_of_peak", "refusal_cpu_ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="of overload, each round")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    results: dict[str, Any] = {"times": TIMES, "max_queue": QUEUE, "deadline_ms": DEADLINE_MS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_network(folder / "weights")
        results["together"] = _placed(folder, arguments, set(cores), set(cores))
        if len(cores) > 1:
            results["a_core_each"] = _placed(folder, arguments, {cores[0]}, {cores[1]})
            results["bare_refusal_cpu_ms"] = _bare(folder, results["a_core_each"], cores)
    print(write("inference_overload", COMMAND, results))


def _placed(
    folder: Path, arguments: argparse.Namespace, of_server: set[int], of_load: set[int]
) -> dict[str, Any]:
    """All rounds with the server and the load generator on the cores given."""
    with on(of_server), servers.ours(folder, folder / "weights", {"max_queue": QUEUE}) as server:
        _offer(server.address, of_load, streams=32, seconds=1)
        rounds = [_round(server, arguments.seconds, of_load) for _ in range(arguments.rounds)]
    found = {key: interval([each[key] for each in rounds]) for key in RATIOS}
    for key, each in found.items():
        print(f"{key}: {each['median']:.3f} ({each['low']:.3f} to {each['high']:.3f})", flush=True)
    return {**found, "rounds": rounds}


def _round(server: servers.Running, seconds: float, of_load: set[int]) -> dict[str, Any]:
    before_s = server.cpu_s()
    peak = _offer(server.address, of_load, streams=32, seconds=PEAK_S, deadline_ms=20_000)
    between_s = server.cpu_s()
    rate = TIMES * peak["answered_per_s"]
    over = _offer(server.address, of_load, per_second=rate, seconds=seconds, deadline_ms=DEADLINE_MS)
    after_s = server.cpu_s()
    answer_s = (between_s - before_s) / peak["latency_ms"]["OK"]["count"]
    answered, refused = (over["latency_ms"].get(key, {"count": 0}) for key in ("OK", "RESOURCE_EXHAUSTED"))
    found = {
        "goodput_of_peak": over["answered_per_s"] / peak["answered_per_s"],
        # What an answer costs at the peak is taken off; the rest is the refusals'.
        "refusal_cpu_ms": 1000
        * (after_s - between_s - answer_s * answered["count"])
        / max(1, refused["count"]),
        "answer_cpu_ms": 1000 * answer_s,
        "peak": peak,
        "over": over,
    }
    print(
        f"peak {peak['answered_per_s']:.0f}/s, offered {over['offered_per_s']:.0f}/s, answered "
        f"{over['answered_per_s']:.0f}/s ({found['goodput_of_peak']:.2f}); answered in p50 "
        f"{answered.get('p50', 0):.0f} p99 {answered.get('p99', 0):.0f} ms, refused in p50 "
        f"{refused.get('p50', 0):.1f} p99 {refused.get('p99', 0):.0f} ms, {over['hinted']} of "
        f"{refused['count']} with a hint; a refusal {found['refusal_cpu_ms']:.2f} ms of processor",
        flush=True,
    )
    return found


def _bare(folder: Path, ours: dict[str, Any], cores: list[int]) -> float:
    """Processor time of a refusal by a bare server at the same rate, ms."""
    rate = ours["rounds"][-1]["over"]["offered_per_s"]
    with on({cores[0]}), running(folder, "benchmarks.inference.refusing_server") as server:
        _offer(server.address, {cores[1]}, per_second=rate, seconds=1)
        before_s = server.cpu_s()
        offered = _offer(server.address, {cores[1]}, per_second=rate, seconds=3)
        spent_ms = 1000 * (server.cpu_s() - before_s)
    found = spent_ms / sum(each["count"] for each in offered["latency_ms"].values())
    print(f"a bare server's refusal {found:.2f} ms of processor")
    return found


def _offer(address: str, cores: set[int], **load: float) -> dict[str, Any]:
    """One run of the load generator."""
    options = [f"--{key.replace('_', '-')}={value}" for key, value in load.items()]
    command = [sys.executable, "-m", "benchmarks.inference.open_loop", address, *options]
    with on(cores):
        done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """What is started inside runs on these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
