# SPDX-License-Identifier: Apache-2.0
"""MLPLOB: nothing but small perceptrons, over the values of a row and over the rows, in turn.

About 43 thousand parameters on the last 20 rows. Source of the form: Berti &
Kasneci 2025, arXiv 2502.15757.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.bin_ctabl import BilinearNormalisation
from models.encoding import BOOK_ROWS, Encoding
from models.heads import ForecastHeads, ForecastNetwork, Heads
from models.signals import BookLevels, BookSignals
from models.summary import BookSummary


@dataclass(frozen=True, slots=True)
class MlpLobConfig:
    """Sizes of the network.

    ``levels`` and ``summary`` as in ``BinCtablConfig``; ``rows``: how many of the last it mixes.
    """

    horizons: tuple[int, ...] = (10, 20, 30, 50, 100)
    encoding: Encoding = Encoding.BOOK_WINDOW
    levels: int = 0
    rows: int = 20
    width: int = 40
    layers: int = 3
    ratio: int = 2
    kept: int = 8
    dropout: float = 0.3
    summary: bool = False

    def __post_init__(self) -> None:
        if self.summary and self.levels:
            raise ValueError("summary: is made from the book signals; set levels to 0")
        if not 1 <= self.rows <= BOOK_ROWS:
            raise ValueError(f"rows: {self.rows} must lie in 1..{BOOK_ROWS}")

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """One input: the window."""
        return (self.encoding,)


class Perceptron(nn.Module):
    """(..., size) -> (..., size): one hidden layer of ``ratio`` times the size."""

    def __init__(self, *, size: int, ratio: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(size, ratio * size), nn.GELU(), nn.Dropout(dropout), nn.Linear(ratio * size, size)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        result: Tensor = self.layers(x)
        return result


class MixingLayer(nn.Module):
    """(B, T, W) -> (B, T, W): mixes the values of each row, then the rows of each value."""

    def __init__(self, *, rows: int, width: int, ratio: int, dropout: float) -> None:
        super().__init__()
        self.normalise_values = nn.LayerNorm(width)
        self.mix_values = Perceptron(size=width, ratio=ratio, dropout=dropout)
        self.normalise_rows = nn.LayerNorm(width)
        self.mix_rows = Perceptron(size=rows, ratio=ratio, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        x = x + self.mix_values(self.normalise_values(x))
        result: Tensor = x + self.mix_rows(self.normalise_rows(x).transpose(1, 2)).transpose(1, 2)
        return result


class MlpLob(ForecastNetwork):
    """Encoded windows (B, 100, L, 4) -> heads."""

    def __init__(self, *, config: MlpLobConfig) -> None:
        super().__init__()
        self.stem = BookLevels(levels=config.levels) if config.levels else BookSignals()
        size = self.stem.size
        self.rows = config.rows
        self.normalise = BilinearNormalisation(rows=config.rows, size=size, by_row=config.levels > 0)
        self.embed = nn.Linear(size, config.width)
        self.positions = nn.Parameter(torch.zeros(config.rows, config.width))
        self.mix = nn.Sequential(
            *(
                MixingLayer(rows=config.rows, width=config.width, ratio=config.ratio, dropout=config.dropout)
                for _ in range(config.layers)
            )
        )
        self.condense = nn.Sequential(
            nn.LayerNorm(config.width),
            nn.Linear(config.width, config.kept),
            nn.Flatten(),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.kept * config.rows, config.width),
            nn.GELU(),
        )
        self.summary = BookSummary(rows=BOOK_ROWS) if config.summary else None
        beside = self.summary.size if self.summary is not None else 0
        self.heads = ForecastHeads(width=config.width + beside, horizons=len(config.horizons))

    @torch.no_grad()
    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take the scale of the inputs from windows of the training part."""
        self.normalise.fit(self.stem(inputs[0][:, -self.rows :]))
        if self.summary is not None:
            self.summary.fit(inputs[0], self.stem(inputs[0]))

    def forward(self, window: Tensor) -> Heads:
        """(B, T, L, 4) -> (B, H, 3), (B, H), (B, H)."""
        if self.summary is None:
            answers: Heads = self.heads(self._read(self.stem(window[:, -self.rows :])))
            return answers
        signals = self.stem(window)
        read = self._read(signals[:, -self.rows :])
        both: Heads = self.heads(torch.cat((read, self.summary(window, signals)), dim=1))
        return both

    def _read(self, signals: Tensor) -> Tensor:
        condensed: Tensor = self.condense(self.mix(self.embed(self.normalise(signals)) + self.positions))
        return condensed
