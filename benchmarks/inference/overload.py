# SPDX-License-Identifier: Apache-2.0
"""Three times more load than there is capacity for: what is answered, and how fast the rest is refused.

A closed loop of 32 streams finds the peak; then calls come at three times that
rate, whatever becomes of them, with a deadline of 500 ms each. After that, a
burst of four queues shows whether refusals say when to come back.

python -m benchmarks.inference.overload [--rounds 5] [--seconds 8]
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from benchmarks.inference import servers
from benchmarks.inference.alternating import interval
from benchmarks.inference.load import Load, infer_request, measure
from benchmarks.inference.network import write_network
from benchmarks.reporting import write
from server.rpc.inference.protocol import message

COMMAND = "python -m benchmarks.inference.overload"
TIMES = 3
QUEUE = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of overload, each round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "weights"
        write_network(root)
        with servers.ours(folder, root, {"max_queue": QUEUE}) as server:
            measure(server, Load(64, 32), folder)
            rounds = [_round(server, arguments.seconds, folder) for _ in range(arguments.rounds)]
    results = {
        "times": TIMES,
        "max_queue": QUEUE,
        "goodput_of_peak": interval([each["goodput_of_peak"] for each in rounds]),
        "goodput_of_peak_by_cpu": interval([each["goodput_of_peak_by_cpu"] for each in rounds]),
        "rounds": rounds,
    }
    for key in ("goodput_of_peak", "goodput_of_peak_by_cpu"):
        found = results[key]
        print(f"{key}: {found['median']:.3f} ({found['low']:.3f} to {found['high']:.3f})")
    print(write("inference_overload", COMMAND, results))


def _round(server: servers.Running, seconds: int, folder: Path) -> dict[str, Any]:
    peak = measure(server, Load(320, 32), folder)
    rate = round(TIMES * peak["answered_per_s"])
    over = measure(server, Load(rate * seconds, 0, per_second=rate), folder)
    found = {
        "peak_per_s": peak["answered_per_s"],
        "offered_per_s": rate,
        "goodput_per_s": over["answered_per_s"],
        "goodput_of_peak": over["answered_per_s"] / peak["answered_per_s"],
        "goodput_of_peak_by_cpu": peak["cpu_ms"] / over["cpu_ms_an_answer"],
        "answered_ms": over["latency_ms"],
        "refused": over["failed"],
        "hints": asyncio.run(_hints(server.address)),
    }
    print(
        f"peak {found['peak_per_s']:.0f}/s, offered {rate}/s: {found['goodput_per_s']:.0f}/s answered "
        f"({found['goodput_of_peak']:.2f}; {found['goodput_of_peak_by_cpu']:.2f} by CPU), "
        f"p50 {over['latency_ms']['p50']:.0f} p99 {over['latency_ms']['p99']:.0f} ms; refused "
        + ", ".join(
            f"{status} {each['count']} p50 {each['latency_ms'].get('p50', 0):.1f} "
            f"p99 {each['latency_ms'].get('p99', 0):.0f} ms"
            for status, each in over["failed"].items()
        )
        + f"; of a burst {found['hints']}",
        flush=True,
    )
    return found


async def _hints(address: str) -> dict[str, int]:
    """A burst of four queues: how many are answered, refused with a hint, refused without."""
    seen: Counter[str] = Counter()
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=lambda sent: sent.SerializeToString(),
            response_deserializer=message("ModelInferResponse").FromString,
        )

        async def one() -> None:
            try:
                await call(infer_request(), timeout=20)
                seen["answered"] += 1
            except grpc.aio.AioRpcError as error:
                status = rpc_status.from_call(error)
                retry = error_details_pb2.RetryInfo.DESCRIPTOR
                hinted = status is not None and any(detail.Is(retry) for detail in status.details)
                seen[f"{error.code().name} {'with' if hinted else 'without'} a hint"] += 1

        await asyncio.gather(*(one() for _ in range(4 * QUEUE)))
    return dict(seen)


if __name__ == "__main__":
    main()
