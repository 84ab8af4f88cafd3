# SPDX-License-Identifier: Apache-2.0
"""256 ensembles of five members in flight at once, members that take 50 ms: who is answered inside 2 s?

    python -m benchmarks.llm.concurrency

A real server over gRPC with durable records, the provider simulator over HTTP, and
this client, all on one machine: some two seconds of processor time a round, so it
says nothing on a machine that is busy with something else. Every call has a
deadline of 2 s at the client, and counts only with the answers of all five members.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc
import httpx2
import uvloop

from benchmarks.reporting import quantiles, write
from benchmarks.serving import Served, serving, simulating
from consilience.v1 import forecast_pb2, predict_service_pb2, predict_service_pb2_grpc, question_pb2

IN_FLIGHT = 256
#: Predictions before the first round, so that imports and statements are no part of it; not counted.
WARM_UP = 16
DEADLINE_S = 2.0
_NAME = forecast_pb2.AbsentReason.Name


def configuration(url: str) -> str:
    members = "".join(
        f'[forecasters.{name}]\nkind = "chat"\nprovider = "sim"\nmodel = "sim-50ms-{name}"\n'
        "price = { input = 1.0, output = 4.0 }\n"
        for name in "abcde"
    )
    return f"""
[providers.sim]
base_url = "{url}/openai/v1"
flavour = "openai"
max_connections = 2048
warm_connections = 8

{members}
[ensembles.five]
members = ["a", "b", "c", "d", "e"]
"""


async def one(stub: Any, name: str) -> tuple[float, bool, str]:
    """Seconds, whether it counts, and why not."""
    request = predict_service_pb2.PredictRequest(
        question=question_pb2.Question(text=f"Will it rain? ({name})")
    )
    begun = time.perf_counter()
    try:
        answer = (await stub.Predict(request, timeout=DEADLINE_S)).prediction
    except grpc.aio.AioRpcError as error:
        return time.perf_counter() - begun, False, error.code().name
    took, whole = time.perf_counter() - begun, answer.agreement.answered == 5
    why = (
        ""
        if whole
        else ",".join(sorted({_NAME(m.absent.reason) for m in answer.members if m.HasField("absent")}))
    )
    return took, whole and took <= DEADLINE_S, why


async def measure(served: Served, url: str, rounds: int) -> dict[str, Any]:
    results: list[tuple[float, bool, str]] = []
    per_round = []
    async with grpc.aio.insecure_channel(served.address) as channel:
        stub = predict_service_pb2_grpc.PredictServiceStub(channel)
        await asyncio.gather(*(one(stub, f"warm/{i}") for i in range(WARM_UP)))
        cpu = served.cpu_s()
        for number in range(rounds):
            done = await asyncio.gather(*(one(stub, f"{number}/{i}") for i in range(IN_FLIGHT)))
            per_round.append(
                {"inside": sum(ok for _, ok, _ in done), "slowest_s": max(t for t, _, _ in done)}
            )
            results += done
        cpu = served.cpu_s() - cpu
    async with httpx2.AsyncClient() as client:
        calls = (await client.get(f"{url}/ledger", params={"entries": "no"})).json()["calls"]
    return {
        "in_flight": IN_FLIGHT,
        "predictions": len(results),
        "inside_share": sum(ok for _, ok, _ in results) / len(results),
        "outside": sorted({why for _, ok, why in results if not ok}),
        "seconds": quantiles([took for took, _, _ in results]),
        "rounds": per_round,
        "provider_calls": calls,
        "server_cpu_ms_a_prediction": cpu / len(results) * 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, simulating(Path(name)) as simulator:
        folder, url = Path(name), f"http://{simulator.address}"
        config = folder / "server.toml"
        config.write_text(configuration(url))
        with serving(folder, config) as served:
            results = uvloop.run(measure(served, url, given.rounds))
    print(
        f"{results['inside_share']:.2%} of {results['predictions']} inside {DEADLINE_S:g} s; "
        f"p50 {results['seconds']['p50']:.3f} s, p99 {results['seconds']['p99']:.3f} s, "
        f"slowest {results['seconds']['max']:.3f} s; outside: {results['outside']}"
    )
    for row in results["rounds"]:
        print(row)
    write("llm_concurrency", "python -m benchmarks.llm.concurrency", results)


if __name__ == "__main__":
    main()
