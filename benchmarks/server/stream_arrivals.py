# SPDX-License-Identifier: Apache-2.0
"""What one arriving answer costs a streamed prediction: pooled, judged and turned into a message.

    python -m benchmarks.server.stream_arrivals

Processor time of this process for each arrival, without the wire. The baseline
is the pooling kernel on the same matrix, called bare in the same run.
"""

import time

import numpy as np

from benchmarks.reporting import write
from kernels.consensus import Consensus
from kernels.methods import PoolingMethod
from server.engine.asking import Asked
from server.engine.consensus import RunningConsensus
from server.engine.events import Event
from server.engine.gathering import CHOICES
from server.forecasting.ensemble import EnsembleSpec, MemberSpec, Options, Plan, make_plan
from server.forecasting.forecast import Forecast
from server.forecasting.question import Question
from server.rpc.stream import event_message

ROUNDS = 5
STREAMS = 200
QUESTION = Question("q")


def plan_of(members: int) -> Plan:
    spec = EnsembleSpec("e", tuple(MemberSpec(f"member {i}") for i in range(members)))
    return make_plan(spec, Options(), CHOICES)


def answers(members: int) -> list[Asked]:
    probabilities = np.linspace(0.1, 0.8, members).tolist()
    return [Asked(Forecast((p, 1 - p), rationale="a reason " * 20, model="m"), 0.1) for p in probabilities]


def streamed(plan: Plan, asked: list[Asked]) -> float:
    """Microseconds an arrival."""
    sent = 0

    def listen(event: Event) -> None:
        nonlocal sent
        sent += event_message(event).ByteSize()

    begun = time.process_time()
    for _ in range(STREAMS):
        consensus = RunningConsensus(QUESTION, plan, listen)
        for index, one in enumerate(asked):
            consensus.arrive(index, one)
    assert sent
    return (time.process_time() - begun) / STREAMS / len(asked) * 1e6


def bare(asked: list[Asked]) -> float:
    """Microseconds a call of the kernel."""
    matrix = np.array([one.answer.probabilities for one in asked if isinstance(one.answer, Forecast)])
    weights, consensus = np.ones(len(matrix)), Consensus(*matrix.shape)
    begun = time.process_time()
    for _ in range(STREAMS * len(asked)):
        consensus(matrix, weights, int(PoolingMethod.LOG_ODDS))
    return (time.process_time() - begun) / STREAMS / len(asked) * 1e6


def main() -> None:
    results = []
    for members in (5, 12, 60):
        plan, asked = plan_of(members), answers(members)
        streamed(plan, asked)
        arrival = min(streamed(plan, asked) for _ in range(ROUNDS))
        kernel = min(bare(asked) for _ in range(ROUNDS))
        results.append(
            {"members": members, "arrival_us": arrival, "kernel_us": kernel, "ratio": arrival / kernel}
        )
        print(f"{members:3d} members: {arrival:6.1f} us an arrival, kernel alone {kernel:5.1f} us")
    write("stream_arrivals", "python -m benchmarks.server.stream_arrivals", results)


if __name__ == "__main__":
    main()
