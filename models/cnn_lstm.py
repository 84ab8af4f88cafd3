# SPDX-License-Identifier: Apache-2.0
"""CNN-LSTM: convolutions over time find short patterns in the features, an LSTM their order.

About 2 million parameters. Source of the form: Zhang, Zohren & Roberts 2019,
IEEE TSP 67(11), arXiv 1808.03668, applied to features instead of a book.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.encoding import FEATURES, Encoding
from models.heads import ForecastHeads, ForecastNetwork, Heads
from models.layers import FeatureBlanking, FeatureScaling


@dataclass(frozen=True, slots=True)
class CnnLstmConfig:
    """Sizes of the network."""

    horizons: tuple[int, ...] = (10, 20, 30, 50, 100)
    channels: tuple[int, int] = (128, 256)
    kernels: tuple[int, int] = (5, 3)
    hidden: int = 352
    layers: int = 2
    dropout: float = 0.4
    blanked: float = 0.4

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """One input: 60 rows of features."""
        return (Encoding.FEATURE_ROWS,)


class CnnLstm(ForecastNetwork):
    """Features (B, 60, 112) -> heads.

    The last state, a weighed mean of all of them and the newest row itself answer together.
    """

    def __init__(self, *, config: CnnLstmConfig) -> None:
        super().__init__()
        first, second = config.channels
        self.scale = FeatureScaling()
        self.blank = FeatureBlanking(config.blanked)
        self.convolve = nn.Sequential(
            nn.Conv1d(FEATURES, first, kernel_size=config.kernels[0], padding=config.kernels[0] // 2),
            nn.GELU(),
            nn.Conv1d(first, second, kernel_size=config.kernels[1], padding=config.kernels[1] // 2),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )
        self.remember = nn.LSTM(
            second, config.hidden, num_layers=config.layers, dropout=config.dropout, batch_first=True
        )
        self.weigh = nn.Linear(config.hidden, 1)
        self.normalise = nn.LayerNorm(config.hidden)
        self.drop = nn.Dropout(config.dropout)
        self.newest = nn.Linear(FEATURES, config.hidden)
        self.heads = ForecastHeads(width=2 * config.hidden, horizons=len(config.horizons))

    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take median and deviation of each feature from the training part."""
        self.scale.fit(inputs[0])

    def forward(self, features: Tensor) -> Heads:
        """(B, 60, 112) -> (B, H, 3), (B, H), (B, H)."""
        rows = self.blank(self.scale(features))
        found = self.convolve(rows.transpose(1, 2)).transpose(1, 2)
        states, _ = self.remember(found)
        weights = torch.softmax(self.weigh(states), dim=1)
        embedding = states[:, -1] + (weights * states).sum(dim=1)
        remembered = self.drop(self.normalise(embedding))
        answers: Heads = self.heads(torch.cat((remembered, self.newest(rows[:, -1])), dim=1))
        return answers
