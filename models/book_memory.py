# SPDX-License-Identifier: Apache-2.0
"""Book memory: two small layers on what a window comes to, and on how lively the last 1000 rows were.

Sibling of ``book_mlp`` without its linear reading of the summary, which is what
overfits at 50 and 100 rows ahead, and with a memory longer than the window,
which tells when the book will stay where it is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.encoding import BOOK_ROWS, HISTORY, Encoding
from models.heads import ForecastHeads, ForecastNetwork, Heads
from models.signals import BookSignals
from models.summary import CLIP, BookSummary


@dataclass(frozen=True, slots=True)
class BookMemoryConfig:
    """Sizes of the network."""

    horizons: tuple[int, ...] = (10, 20, 30, 50, 100)
    encoding: Encoding = Encoding.BOOK_WINDOW
    rows: int = BOOK_ROWS
    width: int = 64
    dropout: float = 0.3

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """The window, and how often the mid moved before it and in it."""
        return (self.encoding, Encoding.BOOK_HISTORY)


class BookMemory(ForecastNetwork):
    """Encoded windows (B, T, L, 4) and histories (B, 2) -> heads."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, *, config: BookMemoryConfig) -> None:
        super().__init__()
        self.stem = BookSignals()
        self.summary = BookSummary(rows=config.rows)
        self.register_buffer("mean", torch.zeros(HISTORY))
        self.register_buffer("deviation", torch.ones(HISTORY))
        self.clip = CLIP
        self.think = nn.Sequential(
            nn.Linear(self.summary.size + HISTORY, config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.width, config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )
        self.heads = ForecastHeads(width=config.width, horizons=len(config.horizons))

    @torch.no_grad()
    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take the scale of the inputs from examples of the training part."""
        self.summary.fit(inputs[0], self.stem(inputs[0]))
        self.mean.copy_(inputs[1].mean(0))
        self.deviation.copy_(inputs[1].std(0).clamp(min=1e-3))

    def forward(self, window: Tensor, history: Tensor) -> Heads:
        """(B, T, L, 4), (B, 2) -> (B, H, 3), (B, H), (B, H)."""
        memory = ((history - self.mean) / self.deviation).clamp(-self.clip, self.clip)
        read = torch.cat((self.summary(window, self.stem(window)), memory), dim=1)
        answers: Heads = self.heads(self.think(read))
        return answers
