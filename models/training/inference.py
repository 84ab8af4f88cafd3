# SPDX-License-Identifier: Apache-2.0
"""Answers of a network on many rows, as arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.heads import Heads
from models.training.examples import Examples
from models.training.inputs import Inputs

#: Large networks are as quick with 64 rows as with more, and their layers stay within the caches.
BATCH = 64


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers on N rows: logits (N, H, 3), confidence (N, H), expected return (N, H) in bps; float32."""

    logits: NDArray[np.float32]
    confidence: NDArray[np.float32]
    expected_return_bps: NDArray[np.float32]

    @property
    def log_probabilities(self) -> NDArray[np.float64]:
        """Logarithms of the probabilities, (N, H, 3)."""
        logits = self.logits.astype(np.float64)
        logits -= logits.max(axis=2, keepdims=True)
        result: NDArray[np.float64] = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        return result

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """(N, H, 3); each row sums to 1."""
        return np.exp(self.log_probabilities)

    def calls(self, offsets: NDArray[np.float32]) -> NDArray[np.int64]:
        """Directions called, (N, H), with offsets (H, 3) added to the logits."""
        called: NDArray[np.int64] = np.argmax(self.logits + offsets, axis=2)
        return called


def answer(
    network: nn.Module, examples: Examples, rows: NDArray[np.int64], *, device: str = "cpu"
) -> Answers:
    """Run a network, without dropout, on the given rows."""
    network.eval()
    return run(lambda *inputs: network(*(x.to(device) for x in inputs)), examples.inputs, rows)


def run(network: Callable[..., Heads], inputs: Inputs, rows: NDArray[np.int64]) -> Answers:
    """Run anything that answers like a network on the given rows.

    Raises:
        ValueError: there are no rows.
    """
    if not len(rows):
        raise ValueError("rows: none is given")
    columns: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(rows), BATCH):
            items = inputs.read(rows[start : start + BATCH])
            heads = network(*(torch.from_numpy(item) for item in items))
            columns = columns or [np.empty((len(rows), *head.shape[1:]), np.float32) for head in heads]
            # Copied: a kept answer of every batch would pin the heap that the network works in.
            for column, head in zip(columns, heads, strict=True):
                column[start : start + BATCH] = head.float().cpu().numpy()
    return Answers(*columns)
