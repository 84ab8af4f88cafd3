# SPDX-License-Identifier: Apache-2.0
"""Compiled networks with smaller weights: bf16, and int8 with one scale for each output.

Weights only: they are stored small and widened when the network is loaded, so
its arithmetic stays fp32. That works on every compiled network, without its
source and without calibration data, and costs no speed on a processor that has
no bf16 instructions; it gains none either (``benchmarks.models.latency``).
"""

from typing import Any

import torch
from torch import Tensor

from models.artifact import load_module, saved
from models.manifest import ArtifactError

PRECISIONS = ("bf16", "int8")
#: Where an operation takes a matrix of weights, and the axis of its outputs.
_PLACES = {
    ("aten::linear", 1): 0,
    ("aten::conv1d", 1): 0,
    ("aten::matmul", 0): 0,
    ("aten::matmul", 1): 1,
}
#: Fewer numbers than this are not worth a scale.
SMALLEST = 64
_LARGEST_INT8 = 127.0
#: torch.float32 as the number that a graph holds.
_FP32 = 6


def reduced(content: bytes, precision: str) -> bytes:
    """A compiled fp32 network with its weights in ``bf16`` or ``int8``.

    Raises:
        ArtifactError: the bytes are no network, or it has no matrix of weights.
        ValueError: the precision is another.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: {precision!r} must be one of {', '.join(PRECISIONS)}")
    network: Any = load_module(content)
    graph = network.graph
    found = [(node, axis) for node in graph.nodes() if (axis := _axis(node)) is not None]
    if not found:
        raise ArtifactError("has no matrix of weights to make smaller")
    for node, axis in found:
        weights = node.t("value")
        _widen(graph, node, *(int8_of(weights, axis) if precision == "int8" else (weights.bfloat16(), None)))
    torch._C._jit_pass_lint(graph)
    return saved(network)


def int8_of(weights: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Symmetric int8 of (N, M) and the scales, one for each index of ``axis``; weights ~ int8 * scales."""
    others = [place for place in range(weights.dim()) if place != axis]
    scales = weights.abs().amax(dim=others, keepdim=True) / _LARGEST_INT8
    scales = torch.where(scales > 0, scales, torch.ones_like(scales))
    return torch.round(weights / scales).to(torch.int8), scales


def _axis(node: Any) -> int | None:
    """The axis of the outputs where a node is a constant matrix of weights, else None."""
    if node.kind() != "prim::Constant" or node.output().type().kind() != "TensorType":
        return None
    weights = node.t("value")
    if weights.dtype != torch.float32 or weights.dim() < 2 or weights.numel() < SMALLEST:
        return None
    axes = {_place(use) for use in node.output().uses()}
    axis = axes.pop() if len(axes) == 1 else None
    return axis if axis is None or axis < weights.dim() else None


def _place(use: Any) -> int | None:
    user = use.user
    if user.kind() == "prim::ListConstruct":
        readers = {each.user.kind() for each in user.output().uses()}
        return 0 if readers == {"aten::lstm"} else None
    return _PLACES.get((user.kind(), use.offset))


def _widen(graph: Any, node: Any, small: Tensor, scales: Tensor | None) -> None:
    """Put ``small`` in the constant's place, widened to fp32 and scaled before every use."""
    value, like = node.output(), node.t("value")
    nodes = list(graph.nodes())
    graph.setInsertPoint(nodes[nodes.index(node) + 1])
    flags = [graph.insertConstant(each) for each in (_FP32, False, False, None)]
    last = graph.insertNode(graph.create("aten::to", [value, *flags], 1))
    last.output().inferTypeFrom(like)
    if scales is not None:
        factor = graph.insertConstant(scales)
        last = graph.insertNode(graph.create("aten::mul", [last.output(), factor], 1))
        last.output().inferTypeFrom(like)
    value.replaceAllUsesAfterNodeWith(last, last.output())
    node.t_("value", small)
    value.inferTypeFrom(small)
