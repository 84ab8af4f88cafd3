# SPDX-License-Identifier: Apache-2.0
"""What the engine adds to its slowest member: ``Predict`` over 12 recorded members, one call at a time.

A recorded member answers within microseconds, so the whole latency is what the
engine adds: "engine" rows are calls of the engine itself, in its own process,
the record on disk included where it is durable; "predict" rows are the same
over the wire, client and server sharing the machine, an upper bound. A bare
``Aggregate`` shows what the wire alone takes.

python -m benchmarks.server.predict_overhead
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import uvloop

from benchmarks.reporting import quantiles, write
from benchmarks.serving import serving
from consilience.v1 import predict_service_pb2 as pb
from consilience.v1 import predict_service_pb2_grpc, prediction_pb2
from consilience.v1 import question_pb2 as q
from server.app import App
from server.config import DEFAULT_FILE, load
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Durability, Options
from server.forecasting.question import Question
from server.process import settle_memory

QUESTION = "polymarket-4zgncn-20251026"
NAMES = ["sonnet-search", "sonnet", "gpt5-search", "gpt5", "gemini-pro-search", "gemini-pro"]
NAMES += ["gemini-flash-search", "gemini-flash", "kimi-search", "kimi", "kimi-thinking-search", "grok"]
CALLS, ROUNDS = 400, 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with (
            serving(Path(folder)) as server,
            grpc.insecure_channel(server.address) as channel,
        ):
            results = measure(predict_service_pb2_grpc.PredictServiceStub(channel))
        results |= uvloop.run(measure_engine(Path(folder)))
    for name, figures in results.items():
        print(f"{name:24} p50 {figures['p50']:.2f} ms  p99 {figures['p99']:.2f} ms")
    print(write("predict_overhead", "python -m benchmarks.server.predict_overhead", results))


def measure(stub: predict_service_pb2_grpc.PredictServiceStub) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of call; the kinds take turns, so drift hits all of them."""
    question = q.Question(id=QUESTION)
    durable = pb.PredictRequest(question=question, options=prediction_pb2.PredictOptions(members=NAMES))
    loose = prediction_pb2.PredictOptions(members=NAMES, durability=prediction_pb2.DURABILITY_NONE)
    unrecorded = pb.PredictRequest(question=question, options=loose)
    pool = pb.AggregateRequest(probabilities=[0.1 + 0.06 * i for i in range(len(NAMES))])
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


async def measure_engine(folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds of calls of the engine itself, in this process."""
    settings = load(DEFAULT_FILE)
    storage = settings.storage.model_copy(update={"url": f"sqlite:///{folder}/engine.db"})
    rpc = settings.rpc.model_copy(update={"listen": "127.0.0.1:0"})
    telemetry = settings.telemetry.model_copy(update={"metrics_listen": ""})
    app = App(settings.model_copy(update={"storage": storage, "rpc": rpc, "telemetry": telemetry}))
    await app.start()
    settle_memory()
    options = {
        "engine, durable": Options(members=tuple(NAMES)),
        "engine, no record": Options(members=tuple(NAMES), durability=Durability.NONE),
    }
    taken: dict[str, list[float]] = {name: [] for name in options}
    for _ in range(ROUNDS):
        for name, wishes in options.items():
            for _ in range(CALLS):
                begun = time.perf_counter()
                await app.engine.predict(PredictionRequest(Question(id=QUESTION), wishes))
                taken[name].append((time.perf_counter() - begun) * 1e3)
    await app.stop()
    return {name: quantiles(values) for name, values in taken.items()}


if __name__ == "__main__":
    main()
