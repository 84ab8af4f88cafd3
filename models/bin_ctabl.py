# SPDX-License-Identifier: Apache-2.0
"""BiN-CTABL: bilinear normalisation and temporal attention, a network of a few thousand numbers.

Sources: Tran, Iosifidis, Kanniainen & Gabbouj 2019, IEEE TNNLS 30(5), arXiv
1712.00975 (bilinear layers, TABL); Tran, Kanniainen, Gabbouj & Iosifidis 2021,
ICPR, arXiv 2003.00598 (BiN). Two things differ from what was published: every
deviation is clamped from below and the mixing weights pass through a softplus,
so that ``forward`` changes no parameter; and a third branch keeps the values on
the scale of the training part, since distances in ticks mean something.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.encoding import BOOK_ROWS, Encoding
from models.heads import ForecastHeads, ForecastNetwork, Heads
from models.signals import BookLevels, BookSignals
from models.summary import BookSummary

SMALLEST_VARIANCE = 1e-2


@dataclass(frozen=True, slots=True)
class BinCtablConfig:
    """Sizes of the network.

    ``levels``: 0 reads the seven book signals; 1..20 reads that many raw levels.
    ``hidden`` and ``steps``: values and time steps that each bilinear layer
    leaves. ``width``: what the attention hands to the heads. ``summary``: hand
    them ``BookSummary`` as well; needs the book signals.
    """

    horizons: tuple[int, ...] = (10, 20, 30, 50, 100)
    encoding: Encoding = Encoding.BOOK_WINDOW
    levels: int = 0
    rows: int = BOOK_ROWS
    hidden: tuple[int, int] = (60, 120)
    steps: tuple[int, int] = (10, 5)
    width: int = 24
    dropout: float = 0.4
    summary: bool = False

    def __post_init__(self) -> None:
        if self.summary and self.levels:
            raise ValueError("summary: is made from the book signals; set levels to 0")

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """One input: the window."""
        return (self.encoding,)


class RowNormalisation(nn.Module):
    """(B, T, D) -> (B, T, D): each row's profile over its values, standardised, scaled and shifted by row."""

    def __init__(self, *, rows: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(rows, 1))
        self.shift = nn.Parameter(torch.zeros(rows, 1))
        self.weight = nn.Parameter(torch.tensor(-3.0))
        self.smallest_variance = SMALLEST_VARIANCE

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        variance, mean = torch.var_mean(x, dim=2, correction=0, keepdim=True)
        standard = (x - mean) * torch.rsqrt(variance.clamp(min=self.smallest_variance))
        return functional.softplus(self.weight) * (standard * self.scale + self.shift)


class BilinearNormalisation(nn.Module):
    """(B, T, D) -> (B, T, D): views of a window, mixed by learned weights >= 0.

    fixed:   (x - mean) / deviation of each value over the training part.
    by time: each value's path within the window, standardised, scaled and shifted.
    by row:  see ``RowNormalisation``; only where the values are of one kind.

    The first two are ``x * gain + shift``, and so is their sum.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, *, rows: int, size: int, by_row: bool) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.scale = nn.Parameter(torch.ones(size))
        self.shift = nn.Parameter(torch.zeros(size))
        self.weights = nn.Parameter(torch.tensor([0.5, -3.0]))
        self.rows = RowNormalisation(rows=rows) if by_row else None
        self.smallest_variance = SMALLEST_VARIANCE

    @torch.no_grad()
    def fit(self, values: Tensor) -> None:
        """Take mean and deviation of each value from the training part, (..., D)."""
        flat = values.flatten(0, -2)
        self.mean.copy_(flat.mean(0))
        self.deviation.copy_(flat.std(0).clamp(min=1e-3))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        weights = functional.softplus(self.weights)
        fixed = weights[0] / self.deviation
        variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        by_time = weights[1] * self.scale * torch.rsqrt(variance.clamp(min=self.smallest_variance))
        shift = weights[1] * self.shift - fixed * self.mean
        mixed = x * (fixed + by_time) + (shift - mean * by_time)
        if self.rows is not None:
            mixed = mixed + self.rows(x)
        return mixed


class Bilinear(nn.Module):
    """(B, T, D) -> (B, T2, D2): relu(time @ x @ values + bias). Time first: it is the smaller product."""

    def __init__(self, *, rows: int, size: int, steps: int, hidden: int, time: Tensor | None = None) -> None:
        super().__init__()
        self.time = nn.Parameter(torch.randn(steps, rows) / rows**0.5 if time is None else time)
        self.values = nn.Parameter(torch.randn(size, hidden) * (2.0 / size) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(steps, hidden))

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        return functional.relu(torch.matmul(torch.matmul(self.time, x), self.values) + self.bias)


class TemporalAttention(nn.Module):
    """TABL (B, T, D) -> (B, W): values @ x, weighed over time by an attention of its own.

    The attention matrix keeps 1/T on its diagonal; ``blend`` mixes the weighed
    with the plain values.
    """

    off_diagonal: Tensor
    diagonal: Tensor

    def __init__(self, *, steps: int, size: int, width: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(size, width) / size**0.5)
        self.attention = nn.Parameter(torch.full((steps, steps), 1.0 / steps))
        self.time = nn.Parameter(torch.full((steps,), 1.0 / steps))
        self.blend = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("off_diagonal", 1.0 - torch.eye(steps))
        self.register_buffer("diagonal", torch.eye(steps) / steps)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        values = torch.matmul(x, self.values)
        attention = self.attention * self.off_diagonal + self.diagonal
        weights = torch.softmax(torch.matmul(attention, values), dim=1)
        blend = torch.sigmoid(self.blend)
        mixed = values * (blend * weights + (1.0 - blend))
        return torch.matmul(self.time, mixed) + self.bias


class BinCtabl(ForecastNetwork):
    """Encoded windows (B, T, L, 4) -> heads."""

    def __init__(self, *, config: BinCtablConfig) -> None:
        super().__init__()
        self.stem = BookLevels(levels=config.levels) if config.levels else BookSignals()
        size = self.stem.size
        hidden, steps = config.hidden, config.steps
        self.normalise = BilinearNormalisation(rows=config.rows, size=size, by_row=config.levels > 0)
        self.first = Bilinear(
            rows=config.rows,
            size=size,
            steps=steps[0],
            hidden=hidden[0],
            time=recent_means(config.rows, steps[0]),
        )
        self.second = Bilinear(rows=steps[0], size=hidden[0], steps=steps[1], hidden=hidden[1])
        self.attend = TemporalAttention(steps=steps[1], size=hidden[1], width=config.width)
        self.drop = nn.Dropout(config.dropout)
        self.summary = BookSummary(rows=config.rows) if config.summary else None
        beside = self.summary.size if self.summary is not None else 0
        self.heads = ForecastHeads(width=config.width + beside, horizons=len(config.horizons))

    @torch.no_grad()
    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take the scale of the inputs from windows of the training part."""
        values = self.stem(*inputs)
        self.normalise.fit(values)
        if self.summary is not None:
            self.summary.fit(inputs[0], values)

    def forward(self, window: Tensor) -> Heads:
        """(B, T, L, 4) -> (B, H, 3), (B, H), (B, H)."""
        values = self.stem(window)
        x = self.drop(self.second(self.drop(self.first(self.normalise(values)))))
        embedding = functional.relu(self.attend(x))
        if self.summary is not None:
            embedding = torch.cat((embedding, self.summary(window, values)), dim=1)
        answers: Heads = self.heads(embedding)
        return answers


def recent_means(rows: int, steps: int) -> Tensor:
    """Starting weights (steps, rows): row k averages the last n_k rows, n_k growing from 1 to all."""
    counts = [1]
    for k in range(1, steps):
        counts.append(max(counts[-1] + 1, round(rows ** (k / (steps - 1)))))
    weights = torch.zeros(steps, rows)
    for step, count in enumerate(counts):
        weights[step, rows - min(count, rows) :] = 1.0 / min(count, rows)
    return weights
