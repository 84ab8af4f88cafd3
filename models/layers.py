# SPDX-License-Identifier: Apache-2.0
"""Parts that several networks are made of."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.encoding import FEATURES

#: Scaled features are kept within this many robust deviations.
CLIP = 8.0
#: Makes the median absolute deviation of a normal distribution its standard deviation.
MAD_SCALE = 1.4826
#: The same for the mean absolute deviation: the square root of pi / 2.
MEAN_SCALE = 1.2533


class FeatureScaling(nn.Module):
    """Features (..., 112), NaN where undefined -> (..., 112) within -8..8, 0 where undefined.

    (x - median) / (1.4826 MAD), both of the training part. Where the MAD is 0, as of what
    mostly rests, it divides by the mean absolute deviation, scaled alike; where that is 0
    too, by 1.
    """

    median: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("median", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.clip = CLIP

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Take median and deviation from features (..., 112) of the training part."""
        flat = features.reshape(-1, features.shape[-1])
        median = torch.nanmedian(flat, dim=0).values
        apart = (flat - median).abs()
        typical = torch.nanmedian(apart, dim=0).values * MAD_SCALE
        deviation = torch.where(typical > 0, typical, torch.nanmean(apart, dim=0) * MEAN_SCALE)
        self.median.copy_(torch.nan_to_num(median))
        self.scale.copy_(torch.where(deviation > 0, 1.0 / deviation, 1.0))

    def forward(self, features: Tensor) -> Tensor:
        """Shapes as above."""
        # NaN goes first: not every runtime that takes the compiled network clamps it to NaN.
        known = torch.where(torch.isnan(features), self.median, features)
        return torch.clamp((known - self.median) * self.scale, -self.clip, self.clip)


class FeatureBlanking(nn.Module):
    """Hides some features of an example from all of its rows, in training only: (B, T, D) -> (B, T, D).

    Slow features (volatility, candles) tell an hour from every other, and a large
    network learns the hours by heart. What may be missing cannot be relied on.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.hide = nn.Dropout1d(share)

    def forward(self, features: Tensor) -> Tensor:
        """Shapes as above."""
        hidden: Tensor = self.hide(features.transpose(1, 2)).transpose(1, 2)
        return hidden


class SelfAttention(nn.Module):
    """Multi-head self-attention (B, T, W) -> (B, T, W). Source: Vaswani et al. 2017, arXiv 1706.03762."""

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"heads: {heads} do not divide the width of {width}")
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.project_in = nn.Linear(width, 3 * width)
        self.project_out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        parts = self.project_in(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = self._mixed(parts[0], parts[1], parts[2])
        joined: Tensor = self.project_out(mixed.transpose(1, 2).flatten(2))
        return joined

    def _mixed(self, asked: Tensor, known: Tensor, told: Tensor) -> Tensor:
        if self.training:  # torch's kernel for processors is several times slower backwards than these three
            scores = torch.matmul(asked * self.scale, known.transpose(-2, -1))
            return torch.matmul(torch.softmax(scores, dim=-1), told)
        return functional.scaled_dot_product_attention(asked, known, told)


class TransformerLayer(nn.Module):
    """Attention, then an MLP of ``ratio`` times the width, each normalised before and added: (B, T, W)."""

    def __init__(self, *, width: int, heads: int, ratio: int, dropout: float) -> None:
        super().__init__()
        self.normalise_first = nn.LayerNorm(width)
        self.attend = SelfAttention(width=width, heads=heads)
        self.normalise_second = nn.LayerNorm(width)
        self.think = nn.Sequential(
            nn.Linear(width, ratio * width),
            nn.GELU(),
            nn.Linear(ratio * width, width),
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes as above."""
        x = x + self.drop(self.attend(self.normalise_first(x)))
        result: Tensor = x + self.drop(self.think(self.normalise_second(x)))
        return result
