# SPDX-License-Identifier: Apache-2.0
"""OpenVINO against TorchScript: each network, one thread, converted from the compiled artifact.

In fp32, and computing in bf16 where the processor can. Processor time of one
call, batches of one and of 16, in turns within a round. A runtime that cannot
take a network is named with its reason. Weights are fresh, which changes nothing
here.

python -m benchmarks.inference.backends [--rounds 7]
"""

import argparse
import io
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.inference.alternating import interval
from benchmarks.reporting import write
from models import artifact
from models.architectures import ARCHITECTURES, Architecture, input_specs

COMMAND = "python -m benchmarks.inference.backends"
BATCHES = (1, 16)
CALLS = 10
#: Largest difference between two runtimes' answers that is accepted, fp32.
TOLERANCE = 1e-4

Arrays = list[NDArray[np.float32]]
Call = Callable[[Arrays], Arrays]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    results = {}
    for name, kind in ARCHITECTURES.items():
        results[name] = _measured(kind, rounds)
        print(f"{name}: {_told(results[name])}", flush=True)
    print(write("inference_backends", COMMAND, results))


def _measured(kind: Architecture, rounds: int) -> dict[str, Any]:
    torch.manual_seed(0)
    config = kind.config()
    shapes = [spec.shape for spec in input_specs(config)]
    content = artifact.compile_network(kind.build(config).eval(), _tensors(shapes, 2))
    compiled = artifact.load_bytes(content)

    def torchscript(arrays: Arrays) -> Arrays:
        return [head.numpy() for head in compiled(*map(torch.from_numpy, arrays))]

    try:
        calls = _openvino(content, shapes)
        differences = [
            _difference(torchscript, calls["openvino"], _arrays(shapes, batch)) for batch in BATCHES
        ]
    except Exception as error:  # noqa: BLE001 - what a converter raises is its finding
        return {"openvino": "cannot take it: " + " ".join(str(error).split())[:600]}
    if max(differences) > TOLERANCE:
        return {"openvino": f"answers differ by {max(differences):.1e}"}
    calls = {"torchscript": torchscript, **calls}
    return {f"batch_{batch}": _compared(calls, _arrays(shapes, batch), rounds) for batch in BATCHES}


def _openvino(content: bytes, shapes: list[tuple[int, ...]]) -> dict[str, Call]:
    """The network in fp32, and in bf16 where the processor has it."""
    import openvino  # noqa: PLC0415 - measured where it is installed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]
        converted = openvino.convert_model(
            network,
            example_input=_tensors(shapes, 2),
            input=[openvino.PartialShape([-1, *shape]) for shape in shapes],
        )
    for unused in converted.get_parameters()[len(shapes) :]:
        converted.remove_parameter(unused)
    core = openvino.Core()
    hints = {"openvino": "f32"}
    if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        hints["openvino_bf16"] = "bf16"
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    return {
        name: _call(core.compile_model(converted, "CPU", {**settings, "INFERENCE_PRECISION_HINT": hint}))
        for name, hint in hints.items()
    }


def _call(compiled: Any) -> Call:
    request = compiled.create_infer_request()

    def call(arrays: Arrays) -> Arrays:
        answers = request.infer(arrays)
        return [answers[output] for output in compiled.outputs]

    return call


def _tensors(shapes: list[tuple[int, ...]], batch: int) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in _arrays(shapes, batch))


def _arrays(shapes: list[tuple[int, ...]], batch: int) -> Arrays:
    generator = np.random.default_rng(0)
    return [generator.random((batch, *shape), np.float32) for shape in shapes]


def _difference(one: Call, other: Call, arrays: Arrays) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one(arrays), other(arrays), strict=True))


def _compared(calls: dict[str, Call], arrays: Arrays, rounds: int) -> dict[str, Any]:
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name in list(calls) if number % 2 == 0 else list(calls)[::-1]:
            taken[name].append(_cpu_ms(calls[name], arrays))
    ours = taken["torchscript"]
    ratios = {
        f"torchscript_over_{name}": interval(
            [mine / theirs for mine, theirs in zip(ours, times, strict=True)]
        )
        for name, times in taken.items()
        if name != "torchscript"
    }
    return {**{f"{name}_ms": statistics.median(values) for name, values in taken.items()}, **ratios}


def _cpu_ms(call: Call, arrays: Arrays) -> float:
    call(arrays)
    times = []
    for _ in range(CALLS):
        begun_s = time.process_time()
        call(arrays)
        times.append(time.process_time() - begun_s)
    return statistics.median(times) * 1000


def _told(found: dict[str, Any]) -> str:
    if "openvino" in found:
        return str(found["openvino"])[:160]
    return "; ".join(
        f"{batch} " + ", ".join(f"{name} {ms:.2f}" for name, ms in each.items() if name.endswith("_ms"))
        for batch, each in found.items()
    )


if __name__ == "__main__":
    main()
