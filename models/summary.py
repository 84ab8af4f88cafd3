# SPDX-License-Identifier: Apache-2.0
"""What a window comes to: means of its signals, its last row, and steps of the label's kind.

A direction label compares the mean of coming mids with the mean of the last
ten. Where the mid stays as it is, which it does most of the time, the label is
decided by how far the mid lies from that mean already: a function of one value
with sharp steps, which smooth layers learn slowly and forget gladly. So the
steps are given: mids are half ticks, a mean of ten of them moves in twentieths
of a tick, and an edge lies between any two of the values that are common.
"""

import torch
from torch import Tensor, nn

from models.signals import SIGNALS

#: Last rows over which each signal is averaged.
SPANS = (1, 2, 3, 5, 10, 20, 50, 100)
#: Rows of the mean that labels are measured from.
LABEL_ROWS = 10
#: Ticks that the mid lies above (or below) that mean.
EDGES = (0.025, 0.075, 0.125, 0.175, 0.225, 0.275, 0.35, 0.5, 0.75)
SHARPNESS = 64.0
LEVELS = 5
#: Standardised values are kept within this many deviations.
CLIP = 4.0


class BookSummary(nn.Module):
    """Encoded windows (B, T, levels >= 5, 4) and their signals (B, T, 7) -> (B, D), standardised.

    - means: each signal over the last 1, 2, 3, 5, 10, 20, 50 and T rows.
    - last row: prices and sizes of its best five levels.
    - steps: sigmoid(64 (d - edge)) and sigmoid(64 (-d - edge)), d the mid less
      the mean of the last ten, ticks.
    """

    spans: Tensor
    slopes: Tensor
    edges: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, *, rows: int) -> None:
        super().__init__()
        spans = [min(span, rows) for span in SPANS]
        self.size = len(spans) * len(SIGNALS) + 4 * LEVELS + 2 * len(EDGES)
        self.label_span = SPANS.index(LABEL_ROWS)
        self.levels = LEVELS
        self.clip = CLIP
        edges, ones = torch.tensor(EDGES), torch.ones(len(EDGES))
        self.register_buffer("spans", last_means(rows, spans))
        # The signal is the path: mids less the last mid, so its mean is -d.
        self.register_buffer("slopes", SHARPNESS * torch.cat((-ones, ones)))
        self.register_buffer("edges", -SHARPNESS * torch.cat((edges, edges)))
        self.register_buffer("mean", torch.zeros(self.size))
        self.register_buffer("deviation", torch.ones(self.size))

    @torch.no_grad()
    def fit(self, window: Tensor, signals: Tensor) -> None:
        """Take mean and deviation of each value from windows of the training part."""
        values = self._values(window, signals)
        self.mean.copy_(values.mean(0))
        self.deviation.copy_(values.std(0).clamp(min=1e-3))

    def forward(self, window: Tensor, signals: Tensor) -> Tensor:
        """Shapes as above."""
        scaled = (self._values(window, signals) - self.mean) / self.deviation
        return scaled.clamp(-self.clip, self.clip)

    def _values(self, window: Tensor, signals: Tensor) -> Tensor:
        means = torch.matmul(self.spans, signals)
        steps = torch.sigmoid(means[:, self.label_span, :1] * self.slopes + self.edges)
        last = window[:, -1, : self.levels].flatten(1)
        return torch.cat((means.flatten(1), last, steps), dim=1)


def last_means(rows: int, spans: list[int]) -> Tensor:
    """Weights (len(spans), rows): row k averages the last spans[k] rows."""
    weights = torch.zeros(len(spans), rows)
    for k, span in enumerate(spans):
        weights[k, rows - span :] = 1.0 / span
    return weights
