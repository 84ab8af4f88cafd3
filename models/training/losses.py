# SPDX-License-Identifier: Apache-2.0
"""The multi-task loss: direction, confidence in it, expected return."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.heads import CLASSES, Calibration, Heads
from models.training.examples import Batch
from models.training.settings import TrainingSettings

UNDEFINED = -1


class MultiTaskLoss(nn.Module):
    """Weighted sum over tasks, mean over horizons and over the rows that have a target.

    - direction: cross-entropy, classes weighed by ``class_weights`` (H, 3).
    - confidence: binary cross-entropy against "the direction called is right".
    - expected return: Huber loss in units of ``return_bps`` (H,).
    """

    class_weights: Tensor
    call_offset: Tensor
    return_bps: Tensor

    def __init__(
        self, *, class_weights: Tensor, calibration: Calibration, settings: TrainingSettings
    ) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights)
        self.register_buffer("call_offset", calibration.call_offset.clone())
        self.register_buffer("return_bps", calibration.return_bps.clone())
        self.weights = (settings.direction_weight, settings.confidence_weight, settings.return_weight)

    def forward(self, heads: Heads, batch: Batch) -> Tensor:
        """Heads (B, H, 3), (B, H), (B, H) and their targets -> a scalar."""
        logits, confidence, expected = (answer.float() for answer in heads)
        direction, sureness, change = self.weights
        return (
            direction * self._direction(logits, batch.directions)
            + sureness * self._confidence(logits, confidence, batch.directions)
            + change * self._return(expected, batch.returns_bps)
        )

    def _direction(self, logits: Tensor, directions: Tensor) -> Tensor:
        losses = [
            functional.cross_entropy(logits[:, h], directions[:, h], weight=weight, ignore_index=UNDEFINED)
            for h, weight in enumerate(self.class_weights)
        ]
        return torch.stack(losses).mean()

    def _confidence(self, logits: Tensor, confidence: Tensor, directions: Tensor) -> Tensor:
        called = torch.argmax(logits.detach() + self.call_offset, dim=-1)
        known = directions != UNDEFINED
        right = (called == directions).float()
        return functional.binary_cross_entropy(confidence[known].clamp(1e-6, 1 - 1e-6), right[known])

    def _return(self, expected: Tensor, returns_bps: Tensor) -> Tensor:
        known = torch.isfinite(returns_bps)
        error = torch.where(known, (expected - torch.nan_to_num(returns_bps)) / self.return_bps, 0.0)
        losses = functional.huber_loss(error, torch.zeros_like(error), reduction="sum")
        return losses / known.sum().clamp(min=1)


def class_shares(directions: NDArray[np.int64], *, mirror: bool) -> NDArray[np.float64]:
    """Share of each direction by horizon, (H, 3); with a mirror down and up are as frequent as each other."""
    counts = np.stack([(directions == c).sum(axis=0) for c in range(CLASSES)], axis=1) + 1.0
    if mirror:
        counts[:, [0, 2]] = counts[:, [0, 2]].mean(axis=1, keepdims=True)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def balance_weights(shares: NDArray[np.float64], exponent: float) -> Tensor:
    """Weights (H, 3) that grow as the classes get rarer; their mean over the examples is 1."""
    weights = shares**-exponent
    weights /= (weights * shares).sum(axis=1, keepdims=True)
    return torch.from_numpy(weights.astype(np.float32))


def balance_offsets(shares: NDArray[np.float64], exponents: Sequence[float]) -> Tensor:
    """Offsets (H, 3) to the logits: -exponent * ln(share), 0 for the middle class."""
    offsets = -np.asarray(exponents)[:, None] * np.log(shares)
    return torch.from_numpy((offsets - offsets[:, 1:2]).astype(np.float32))
