# SPDX-License-Identifier: Apache-2.0
"""TLOB: convolutions across the levels of a book, at several scales of time, then a transformer.

About 1.2 million parameters. Sources of the form: Zhang, Zohren & Roberts 2019,
IEEE TSP 67(11), arXiv 1808.03668 (convolutions over a book); Berti & Kasneci
2025, arXiv 2502.15757 (attention over its rows).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.encoding import BOOK_CHANNELS, BOOK_ROWS, FEATURES, Encoding
from models.heads import ForecastHeads, ForecastNetwork, Heads
from models.layers import FeatureBlanking, FeatureScaling, TransformerLayer


@dataclass(frozen=True, slots=True)
class TlobConfig:
    """Sizes of the network. ``auxiliary``: also read the newest row of the 112 features."""

    horizons: tuple[int, ...] = (10, 30, 50)
    encoding: Encoding = Encoding.BOOK_WINDOW
    auxiliary: bool = False
    rows: int = BOOK_ROWS
    spatial: tuple[int, int, int] = (32, 64, 128)
    scales: tuple[int, ...] = (3, 5, 7)
    width: int = 128
    layers: int = 4
    heads: int = 4
    ratio: int = 4
    dropout: float = 0.1
    blanked: float = 0.4

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """The window, and the newest features where they are wished for."""
        return (self.encoding, Encoding.FEATURE_ROW) if self.auxiliary else (self.encoding,)


class LevelConvolutions(nn.Module):
    """(B, T, L, 4) -> (B, T, S): three convolutions across the levels of each row, then a summary.

    The second and third move two levels at a time. The summary is mean plus maximum.
    """

    def __init__(self, *, widths: tuple[int, int, int]) -> None:
        super().__init__()
        first, second, third = widths
        self.layers = nn.Sequential(
            nn.Conv1d(len(BOOK_CHANNELS), first, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv1d(first, second, kernel_size=3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv1d(second, third, kernel_size=3, stride=2, padding=1),
            nn.GELU(),
        )

    def forward(self, window: Tensor) -> Tensor:
        """Shapes as above."""
        rows = window.transpose(2, 3).flatten(0, 1)
        read = self.layers(rows)
        pooled: Tensor = read.mean(dim=2) + read.amax(dim=2)
        return pooled.view(window.shape[0], window.shape[1], -1)


class TimeScales(nn.Module):
    """(B, T, S) -> (B, T, W): convolutions over several spans of rows, side by side, then projected."""

    def __init__(self, *, size: int, scales: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.spans = nn.ModuleList(nn.Conv1d(size, size, kernel_size=k, padding=k // 2) for k in scales)
        self.project = nn.Linear(size * len(scales), width)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        turned = x.transpose(1, 2)
        read = torch.cat([functional.gelu(span(turned)) for span in self.spans], dim=1)
        projected: Tensor = self.project(read.transpose(1, 2))
        return projected


class Tlob(ForecastNetwork):
    """Encoded windows (B, 100, L, 4), and where wished features (B, 112) -> heads."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, *, config: TlobConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(BOOK_CHANNELS)))
        self.register_buffer("deviation", torch.ones(len(BOOK_CHANNELS)))
        self.across = LevelConvolutions(widths=config.spatial)
        self.along = TimeScales(size=config.spatial[-1], scales=config.scales, width=config.width)
        self.positions = nn.Parameter(torch.randn(1, config.rows, config.width) * 0.02)
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
        self.auxiliary = (
            AuxiliaryFeatures(width=config.width, blanked=config.blanked) if config.auxiliary else None
        )
        self.heads = ForecastHeads(width=config.width, horizons=len(config.horizons))

    @torch.no_grad()
    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take the scale of prices and sizes, and of the features, from the training part."""
        flat = inputs[0].flatten(0, 2)
        self.mean.copy_(flat.mean(0))
        self.deviation.copy_(flat.std(0).clamp(min=1e-3))
        if self.auxiliary is not None:
            self.auxiliary.scale.fit(inputs[1])

    def forward(self, window: Tensor, features: Tensor | None = None) -> Heads:
        """(B, 100, L, 4), (B, 112) -> (B, H, 3), (B, H), (B, H)."""
        x = self.along(self.across((window - self.mean) / self.deviation))
        x = self.normalise(self.layers(self.drop(x + self.positions)))
        embedding = x[:, -1] + x.mean(dim=1)
        if self.auxiliary is not None:
            assert features is not None, "features: this network reads a second input, (B, 112)"  # noqa: S101
            embedding = embedding + self.auxiliary(features)
        answers: Heads = self.heads(embedding)
        return answers


class AuxiliaryFeatures(nn.Module):
    """Features (B, 112) -> (B, W)."""

    def __init__(self, *, width: int, blanked: float) -> None:
        super().__init__()
        self.scale = FeatureScaling()
        self.blank = FeatureBlanking(blanked)
        self.embed = nn.Sequential(nn.Linear(FEATURES, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, features: Tensor) -> Tensor:
        """Shapes as above."""
        row = self.blank(self.scale(features).unsqueeze(1)).squeeze(1)
        embedded: Tensor = self.embed(row)
        return embedded
