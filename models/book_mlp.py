# SPDX-License-Identifier: Apache-2.0
"""Book MLP: two small layers on what a window comes to, beside a linear reading of the same."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.encoding import BOOK_ROWS, Encoding
from models.heads import ForecastHeads, ForecastNetwork, Heads
from models.signals import BookSignals
from models.summary import BookSummary


@dataclass(frozen=True, slots=True)
class BookMlpConfig:
    """Sizes of the network."""

    horizons: tuple[int, ...] = (10, 20, 30, 50, 100)
    encoding: Encoding = Encoding.BOOK_WINDOW
    rows: int = BOOK_ROWS
    width: int = 64
    dropout: float = 0.3

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """One input: the window."""
        return (self.encoding,)


class BookMlp(ForecastNetwork):
    """Encoded windows (B, T, L, 4) -> heads."""

    def __init__(self, *, config: BookMlpConfig) -> None:
        super().__init__()
        self.stem = BookSignals()
        self.summary = BookSummary(rows=config.rows)
        self.think = nn.Sequential(
            nn.Linear(self.summary.size, config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.width, config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )
        self.heads = ForecastHeads(width=config.width + self.summary.size, horizons=len(config.horizons))

    @torch.no_grad()
    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take the scale of the inputs from windows of the training part."""
        self.summary.fit(inputs[0], self.stem(inputs[0]))

    def forward(self, window: Tensor) -> Heads:
        """(B, T, L, 4) -> (B, H, 3), (B, H), (B, H)."""
        summary = self.summary(window, self.stem(window))
        answers: Heads = self.heads(torch.cat((self.think(summary), summary), dim=1))
        return answers
