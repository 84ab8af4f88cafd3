# SPDX-License-Identifier: Apache-2.0
"""What the engine adds to its slowest member: ``Predict`` over 12 recorded members, one call at a time.

A recorded member answers within microseconds, so the caller's whole latency,
wire and durable record included, is an upper bound of what the engine adds.
The same calls without a record, and a bare ``Aggregate``, show where it goes.

python -m benchmarks.server.predict_overhead
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import grpc

from benchmarks.reporting import quantiles, write
from benchmarks.serving import serving
from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import predict_service_pb2_grpc, prediction_pb2
from consilience.v1 import question_pb2 as q

QUESTION = "polymarket-4zgncn-20251026"
MEMBERS = 12
CALLS, ROUNDS = 400, 5


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        results = measure(predict_service_pb2_grpc.PredictServiceStub(channel))
    for name, figures in results.items():
        print(f"{name:24} p50 {figures['p50']:.2f} ms  p99 {figures['p99']:.2f} ms")
    print(write("predict_overhead", "python -m benchmarks.server.predict_overhead", results))


def measure(stub: predict_service_pb2_grpc.PredictServiceStub) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of call; the kinds take turns, so drift hits all of them."""
    members = ["sonnet-search", "sonnet", "gpt5-search", "gpt5", "gemini-pro-search", "gemini-pro"]
    members += ["gemini-flash-search", "gemini-flash", "kimi-search", "kimi", "kimi-thinking-search", "grok"]
    assert len(members) == MEMBERS
    question = q.Question(id=QUESTION)
    durable = pb.PredictRequest(question=question, options=prediction_pb2.PredictOptions(members=members))
    loose = prediction_pb2.PredictOptions(members=members, durability=prediction_pb2.DURABILITY_NONE)
    unrecorded = pb.PredictRequest(question=question, options=loose)
    pool = pb.AggregateRequest(probabilities=[0.1 + 0.06 * i for i in range(MEMBERS)])
    kinds: dict[str, Callable[[], object]] = {
        "predict, durable": lambda: stub.Predict(durable),
        "predict, no record": lambda: stub.Predict(unrecorded),
        "aggregate": lambda: stub.Aggregate(pool),
    }
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, call in kinds.items():
            call()
            for _ in range(CALLS):
                begun = time.perf_counter()
                call()
                taken[name].append((time.perf_counter() - begun) * 1e3)
    return {name: quantiles(values) for name, values in taken.items()}


if __name__ == "__main__":
    main()
