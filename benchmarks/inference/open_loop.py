# SPDX-License-Identifier: Apache-2.0
"""A cheap load generator: the bytes of one request, sent again and again, from one process.

With ``--per-second`` calls come at that rate whatever becomes of them, as
callers who know nothing of each other do; with ``--streams`` each stream asks
again once it was answered. Prints what became of the calls as JSON.

python -m benchmarks.inference.open_loop ADDRESS (--per-second N | --streams N)
"""

import argparse
import asyncio
import json
import time
from collections import defaultdict
from typing import Any

import grpc
import uvloop
from google.rpc import error_details_pb2, status_pb2

from benchmarks.inference.load import infer_request
from benchmarks.reporting import quantiles

METHOD = "/inference.GRPCInferenceService/ModelInfer"
DETAILS = "grpc-status-details-bin"
CHANNELS = 4
#: Calls that came late because the generator itself was busy are sent at once, together.
STEP_S = 0.001


class Calls:
    """What became of the calls: latencies in ms by status, and how many refusals said when to return."""

    def __init__(self, channels: list[grpc.aio.Channel], deadline_s: float) -> None:
        self._ask = [channel.unary_unary(METHOD) for channel in channels]
        self._request = infer_request().SerializeToString()
        self._deadline_s = deadline_s
        self._sent = 0
        self.latency_ms: dict[str, list[float]] = defaultdict(list)
        self.hinted = 0

    async def one(self) -> None:
        """Send one and note its end."""
        self._sent += 1
        begun = time.perf_counter()
        try:
            await self._ask[self._sent % len(self._ask)](self._request, timeout=self._deadline_s)
            status = "OK"
        except grpc.aio.AioRpcError as error:
            status = error.code().name
            self.hinted += _hinted(error)
        self.latency_ms[status].append((time.perf_counter() - begun) * 1000)


def _hinted(error: grpc.aio.AioRpcError) -> bool:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS:
            details = status_pb2.Status.FromString(bytes(value)).details
            return any(each.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for each in details)
    return False


async def at_a_rate(calls: Calls, per_second: float, seconds: float) -> float:
    """Send at a rate, then wait for the last; returns the seconds of sending."""
    begun = time.perf_counter()
    due, under_way = 0, set()
    while (passed_s := time.perf_counter() - begun) < seconds:
        while due < passed_s * per_second:
            due += 1
            task = asyncio.create_task(calls.one())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.sleep(STEP_S)
    await asyncio.gather(*under_way)
    return passed_s


async def in_streams(calls: Calls, streams: int, seconds: float) -> float:
    """Each stream asks again once it was answered; returns the seconds that it took."""
    begun = time.perf_counter()

    async def stream() -> None:
        while time.perf_counter() - begun < seconds:
            await calls.one()

    await asyncio.gather(*(stream() for _ in range(streams)))
    return time.perf_counter() - begun


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """All of one run, in figures."""
    own = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(arguments.address, own) for _ in range(CHANNELS)]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))
    calls = Calls(channels, arguments.deadline_ms / 1000)
    cpu_s = time.process_time()
    if arguments.streams:
        seconds = await in_streams(calls, arguments.streams, arguments.seconds)
    else:
        seconds = await at_a_rate(calls, arguments.per_second, arguments.seconds)
    cpu_s = time.process_time() - cpu_s
    for channel in channels:
        await channel.close()
    return {
        "seconds": seconds,
        "offered_per_s": sum(map(len, calls.latency_ms.values())) / seconds,
        "answered_per_s": len(calls.latency_ms["OK"]) / seconds,
        "generator_cores": cpu_s / seconds,
        "hinted": calls.hinted,
        "latency_ms": {
            status: {"count": len(each), **(quantiles(each) if len(each) > 1 else {})}
            for status, each in sorted(calls.latency_ms.items())
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("address")
    parser.add_argument("--per-second", type=float, default=0.0)
    parser.add_argument("--streams", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--deadline-ms", type=float, default=500.0)
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
