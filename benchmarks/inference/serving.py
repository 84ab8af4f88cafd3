# SPDX-License-Identifier: Apache-2.0
"""A CNN-LSTM, fp32, over the Open Inference Protocol: ours against pytriton (Triton inside) and MLServer.

The same machine, weights, PyTorch, batch limit and load generator; one thread of
computation each, and each peer in every setting that it has to offer. All run
at once and take turns, who begins changes; ratios are taken within a round.
Where the processor computes in bf16, ours runs once more so, by OpenVINO.
Peers without an environment (``make serving-peers``) are left out and named.

python -m benchmarks.inference.serving [--rounds 5] [--quick]
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inference import servers
from benchmarks.inference.alternating import interval
from benchmarks.inference.answers import answer
from benchmarks.inference.bare import items_per_cpu_s
from benchmarks.inference.load import Load, measure
from benchmarks.inference.network import write_network
from benchmarks.reporting import write

COMMAND = "python -m benchmarks.inference.serving"
#: Calls of a closed loop of so many streams.
LOADS = {1: 120, 8: 400, 32: 800}
CLOSE, BF16_CLOSE = {"rtol": 1e-4, "atol": 1e-5}, {"rtol": 0.05, "atol": 0.02}
START = Callable[[Path, Path], AbstractContextManager[servers.Running]]
OURS, OURS_BF16 = "ours", "ours_bf16"
SERVERS: Mapping[str, START] = {
    OURS: servers.ours,
    OURS_BF16: lambda folder, root: servers.ours(folder, root, {"backend": "openvino", "precision": "bf16"}),
    "pytriton": servers.pytriton,
    "mlserver": lambda folder, root: servers.mlserver(folder, root, 0),
    "mlserver_workers": lambda folder, root: servers.mlserver(folder, root, 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a fifth of the calls")
    arguments = parser.parse_args()
    calls = {streams: count // 5 if arguments.quick else count for streams, count in LOADS.items()}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        root = folder / "weights"
        weights = write_network(root) / "model.pt"
        started, missing = _started(stack, folder, root)
        expected = answer(started[OURS].address)
        for peer, server in started.items():
            close = BF16_CLOSE if peer == OURS_BF16 else CLOSE
            np.testing.assert_allclose(answer(server.address), expected, **close, err_msg=peer)
            measure(server, Load(40, 8), folder)
        rounds = [
            {
                "bare_items_per_cpu_s": items_per_cpu_s(weights),
                **{
                    str(streams): _round(started, number, Load(count, streams), folder)
                    for streams, count in calls.items()
                },
            }
            for number in range(arguments.rounds)
        ]
    results = {"summary": summary(rounds, list(started)), "missing": missing, "rounds": rounds}
    for line in told(results["summary"]):
        print(line)
    print(write("inference_serving", COMMAND, results))


def _started(stack: ExitStack, folder: Path, root: Path) -> tuple[dict[str, servers.Running], dict[str, str]]:
    started, missing = {}, {}
    for name, start in SERVERS.items():
        if reason := _why_not(name):
            missing[name] = reason
            continue
        started[name] = stack.enter_context(start(folder, root))
        print(f"{name} serves at {started[name].address}", flush=True)
    return started, missing


def _why_not(name: str) -> str:
    """Why a server cannot take part; empty: it can."""
    if name == OURS_BF16 and "_bf16" not in Path("/proc/cpuinfo").read_text(encoding="ascii"):
        return "the processor has no instructions for bf16"
    if name.startswith(OURS) or servers.python_of(name.partition("_")[0]).exists():
        return ""
    return "no environment; `make serving-peers` makes it"


def _round(
    started: Mapping[str, servers.Running], number: int, load: Load, folder: Path
) -> dict[str, dict[str, Any]]:
    """Every server once; who begins changes from round to round."""
    names = list(started)
    order = names[number % len(names) :] + names[: number % len(names)]
    found = {}
    for name in order:
        found[name] = measure(started[name], load, folder)
        print(
            f"round {number}, {load.streams} streams, {name}: {found[name]['answered_per_s']:.0f}/s, "
            f"p50 {found[name]['latency_ms']['p50']:.1f} ms, p99 {found[name]['latency_ms']['p99']:.1f} ms, "
            f"{found[name]['cpu_ms']:.2f} ms of CPU a call",
            flush=True,
        )
    return found


def summary(rounds: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """For each number of streams: medians, and our ratio to each peer with its interval."""
    return {
        str(streams): {
            "servers": {
                name: {
                    "answered_per_s": _median(rounds, streams, name, lambda one: one["answered_per_s"]),
                    "p50_ms": _median(rounds, streams, name, lambda one: one["latency_ms"]["p50"]),
                    "p99_ms": _median(rounds, streams, name, lambda one: one["latency_ms"]["p99"]),
                    "cpu_ms": _median(rounds, streams, name, lambda one: one["cpu_ms"]),
                }
                for name in names
            },
            **_ratios(rounds, streams, OURS, [name for name in names if name != OURS]),
            **({"bf16": _ratios(rounds, streams, OURS_BF16, names[2:])} if OURS_BF16 in names else {}),
            "throughput_of_bare": interval(
                [one[str(streams)]["ours"]["answered_per_s"] / one["bare_items_per_cpu_s"] for one in rounds]
            ),
        }
        for streams in LOADS
    }


def _median(
    rounds: Sequence[Mapping[str, Any]], streams: int, name: str, of: Callable[[Any], float]
) -> float:
    return statistics.median(of(one[str(streams)][name]) for one in rounds)


def _ratios(
    rounds: Sequence[Mapping[str, Any]], streams: int, ours: str, theirs: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Ours over each of theirs, within a round."""

    def value(one: Mapping[str, Any], whose: str, what: str) -> float:
        found = one[str(streams)][whose]
        return float(found["latency_ms"]["p99"] if what == "p99" else found[what])

    return {
        f"{name}_ratio": {
            peer: interval([value(one, ours, what) / value(one, peer, what) for one in rounds])
            for peer in theirs
        }
        for name, what in (("throughput", "answered_per_s"), ("cpu", "cpu_ms"), ("p99", "p99"))
    }


def told(found: Mapping[str, Any]) -> list[str]:
    """The summary in lines."""
    lines = []
    for streams, part in found.items():
        for name, server in part["servers"].items():
            lines.append(
                f"{streams:>2} streams  {name:16} {server['answered_per_s']:6.0f}/s  "
                f"p50 {server['p50_ms']:6.1f}  "
                f"p99 {server['p99_ms']:6.1f} ms  CPU {server['cpu_ms']:5.2f} ms a call"
            )
        lines += _told_ratios(streams, OURS, part)
        lines += _told_ratios(streams, OURS_BF16, part["bf16"]) if "bf16" in part else []
    return lines


def _told_ratios(streams: str, ours: str, ratios: Mapping[str, Any]) -> list[str]:
    lines = []
    for peer, ratio in ratios["throughput_ratio"].items():
        cpu = ratios["cpu_ratio"][peer]
        lines.append(
            f"{streams:>2} streams  {ours} / {peer}: throughput {ratio['median']:.2f} "
            f"({ratio['low']:.2f} to {ratio['high']:.2f}), CPU a call {cpu['median']:.2f} "
            f"({cpu['low']:.2f} to {cpu['high']:.2f})"
        )
    return lines


if __name__ == "__main__":
    main()
