# SPDX-License-Identifier: Apache-2.0
"""MPDTransformer: patches of the feature matrix, read like the patches of a picture.

60 rows x 112 features are cut into 48 patches of 10 rows x 14 features; a
transformer relates them and a token of its own collects the answer. That token
starts from the newest row, of which most of the answer is made: to find that row
among the patches takes more than one pass over a few days of a market. 4.8 million
parameters. Source of the form: Dosovitskiy et al. 2021, ICLR, arXiv 2010.11929.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.encoding import FEATURE_ROWS, FEATURES, Encoding
from models.heads import ForecastHeads, ForecastNetwork, Heads
from models.layers import FeatureBlanking, FeatureScaling, TransformerLayer


@dataclass(frozen=True, slots=True)
class MpdTransformerConfig:
    """Sizes of the network."""

    horizons: tuple[int, ...] = (10, 20, 30, 50, 100)
    patch: tuple[int, int] = (10, 14)
    width: int = 256
    layers: int = 6
    heads: int = 8
    ratio: int = 4
    dropout: float = 0.1
    blanked: float = 0.4

    def __post_init__(self) -> None:
        if FEATURE_ROWS % self.patch[0] or FEATURES % self.patch[1]:
            raise ValueError(f"patch: {self.patch} does not divide ({FEATURE_ROWS}, {FEATURES})")

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """One input: 60 rows of features."""
        return (Encoding.FEATURE_ROWS,)


class Patches(nn.Module):
    """(B, 60, 112) -> (B, patches, rows x features of a patch), row by row of patches."""

    def __init__(self, *, patch: tuple[int, int]) -> None:
        super().__init__()
        self.shape = (-1, FEATURE_ROWS // patch[0], patch[0], FEATURES // patch[1], patch[1])

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        return x.view(self.shape).transpose(2, 3).flatten(3).flatten(1, 2)


class MpdTransformer(ForecastNetwork):
    """Features (B, 60, 112) -> heads."""

    def __init__(self, *, config: MpdTransformerConfig) -> None:
        super().__init__()
        rows, columns = config.patch
        count = (FEATURE_ROWS // rows) * (FEATURES // columns)
        self.scale = FeatureScaling()
        self.blank = FeatureBlanking(config.blanked)
        self.cut = Patches(patch=config.patch)
        self.embed = nn.Linear(rows * columns, config.width)
        self.token = nn.Linear(FEATURES, config.width)
        self.positions = nn.Parameter(torch.randn(1, count + 1, config.width) * 0.02)
        self.drop = nn.Dropout(config.dropout)
        self.layers = nn.Sequential(
            *(
                TransformerLayer(
                    width=config.width, heads=config.heads, ratio=config.ratio, dropout=config.dropout
                )
                for _ in range(config.layers)
            )
        )
        self.normalise = nn.LayerNorm(config.width)
        self.heads = ForecastHeads(width=config.width, horizons=len(config.horizons))

    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take median and deviation of each feature from the training part."""
        self.scale.fit(inputs[0])

    def forward(self, features: Tensor) -> Heads:
        """(B, 60, 112) -> (B, H, 3), (B, H), (B, H)."""
        rows = self.blank(self.scale(features))
        tokens = torch.cat((self.token(rows[:, -1:]), self.embed(self.cut(rows))), dim=1)
        read = self.layers(self.drop(tokens + self.positions))
        answers: Heads = self.heads(self.normalise(read[:, 0]))
        return answers
