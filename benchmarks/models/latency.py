# SPDX-License-Identifier: Apache-2.0
"""Latency of every network in every precision: one window, one thread, ratios to fp32.

Shipped networks run the weights that are shipped. The three large ones are
untrained. ``*_arithmetic`` forms compute in the small type, too: bf16 eagerly as a
whole, int8 by dynamic quantisation of linear and recurrent layers. The forms of
a network take turns call by call, so what else the machine does hits them alike.

python -m benchmarks.models.latency [--calls 200]
"""

import argparse
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.reporting import quantiles, write
from models import artifact
from models.architectures import architecture, make_config
from models.artifact import Compiled
from models.checks import Specimen, example_inputs
from models.reducing import PRECISIONS, reduced

COMMAND = "python -m benchmarks.models.latency"
SHIPPED = Path("models/weights")
LARGE = ("tlob", "cnn_lstm", "mpd_transformer")
WARM_UP = 8
FLAGS = ("avx512_bf16", "amx_bf16")
Forms = Mapping[str, Compiled]


def shipped(folder: Path) -> tuple[Forms, tuple[Tensor, ...]]:
    """The forms of a shipped network, and one window."""
    manifest = artifact.load(folder).manifest
    forms = {each: artifact.load(folder, precision=each).network for each in manifest.weights}
    return forms, example_inputs(make_config(manifest.architecture, manifest.config), batch=1)


def untrained(name: str) -> tuple[Forms, tuple[Tensor, ...]]:
    """The forms of an architecture with fresh weights, and one window."""
    specimen = Specimen(architecture(name), make_config(name, {}))
    inputs = specimen.inputs(1)
    network = specimen.network().eval()
    content = artifact.compile_network(network, inputs)
    forms = {"fp32": artifact.load_bytes(content)}
    forms |= {each: artifact.load_bytes(reduced(content, each)) for each in PRECISIONS}
    dynamic = torch.ao.quantization.quantize_dynamic(network, {nn.Linear, nn.LSTM}, dtype=torch.qint8)
    forms["int8_arithmetic"] = artifact.load_bytes(artifact.compile_network(dynamic, inputs))
    forms["bf16_arithmetic"] = _in_bf16(specimen.network().eval())
    return forms, inputs


def _in_bf16(network: nn.Module) -> Compiled:
    small = network.bfloat16()

    def run(*inputs: Tensor) -> Any:
        with torch.inference_mode():
            return small(*(each.bfloat16() for each in inputs))

    return run


def measure(forms: Forms, inputs: tuple[Tensor, ...], calls: int) -> dict[str, Any]:
    """Microseconds of each form, and its ratio to fp32."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    for call in range(WARM_UP + calls):
        for name, run in forms.items():
            begun = time.perf_counter_ns()
            run(*inputs)
            if call >= WARM_UP:
                times[name].append((time.perf_counter_ns() - begun) / 1e3)
    found = {name: quantiles(each) for name, each in times.items()}
    return {
        name: {"us": each, "p50_ratio_to_fp32": each["p50"] / found["fp32"]["p50"]}
        for name, each in found.items()
    }


def bf16_instructions() -> list[str]:
    """Those of the processor; none: bf16 arithmetic is emulated."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return [flag for flag in FLAGS if flag in text]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, default=200)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=r".*(torch\.ao|quantize|TypedStorage)")
    torch.set_num_threads(1)
    instructions = bf16_instructions()
    print("bf16 instructions:", ", ".join(instructions) or "this processor has none")
    results: dict[str, Any] = {"bf16_instructions": instructions, "calls": arguments.calls, "networks": {}}
    folders = sorted(file.parent for file in SHIPPED.glob("*/*/manifest.json"))
    made = [(f"{folder.parent.name}/{folder.name}", shipped, folder) for folder in folders]
    for name, make, source in [*made, *((name, untrained, name) for name in LARGE)]:
        forms, inputs = make(source)  # type: ignore[operator]
        found = results["networks"][name] = measure(forms, inputs, arguments.calls)
        for form, each in found.items():
            us, ratio = each["us"], each["p50_ratio_to_fp32"]
            print(f"{name:18}{form:16} p50 {us['p50']:9.0f} us  p99 {us['p99']:9.0f} us  x{ratio:.2f}")
    print(write("model_latency", COMMAND, results))


if __name__ == "__main__":
    main()
