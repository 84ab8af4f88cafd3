# SPDX-License-Identifier: Apache-2.0
"""Examples in batches: what a network sees beside what it is to say."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.training.inputs import Floats, Inputs, Rows
from models.training.targets import Targets

UP = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """B examples: of each input (B, *shape) float32, directions (B, H) int64, returns (B, H) bps."""

    inputs: tuple[Tensor, ...]
    directions: Tensor
    returns_bps: Tensor

    def to(self, device: str) -> "Batch":
        """The same on another device."""
        inputs = tuple(item.to(device) for item in self.inputs)
        return Batch(inputs, self.directions.to(device), self.returns_bps.to(device))


class Examples:
    """Inputs and targets of one recording, by row."""

    def __init__(self, inputs: Inputs, targets: Targets) -> None:
        self.inputs = inputs
        self.targets = targets
        self._directions = torch.from_numpy(targets.directions)
        self._returns = torch.from_numpy(targets.returns_bps)

    def batch(self, rows: Rows, *, mirrored: int = 0) -> Batch:
        """The examples at ``rows``; the last ``mirrored`` of them mirrored, where that has a meaning."""
        plain = len(rows) - mirrored
        reflected = self.inputs.read_mirrored(rows[plain:]) if mirrored else None
        directions, returns = self._directions[rows].clone(), self._returns[rows].clone()
        if reflected is None:
            return Batch(_tensors(self.inputs.read(rows)), directions, returns)
        straight = self.inputs.read(rows[:plain])
        joined = tuple(np.concatenate(pair) for pair in zip(straight, reflected, strict=True))
        tail = directions[plain:]
        directions[plain:] = torch.where(tail >= 0, UP - tail, tail)
        returns[plain:] *= -1.0
        return Batch(_tensors(joined), directions, returns)


def _tensors(items: tuple[Floats, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(item) for item in items)
