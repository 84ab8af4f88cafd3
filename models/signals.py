# SPDX-License-Identifier: Apache-2.0
"""What a window says in few numbers: seven signals for each of its rows.

Twenty levels of raw prices and sizes are eighty columns, most of which tell
the hour more than the direction; a network with ten thousand examples learns
the hour by heart. These seven are the part that carries over to another day.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.encoding import BOOK_CHANNELS

#: Names of the signals, in the order of the last axis.
SIGNALS = ("path", "half_spread", "log_imbalance", "imbalance_1", "imbalance_5", "microprice", "order_flow")
DEEP_LEVELS = 5


class BookSignals(nn.Module):
    """Encoded windows (B, T, levels >= 5, 4) -> signals (B, T, 7).

    - path: mid of the row, ticks from the mid of the last row.
    - half_spread: half of best ask minus best bid, ticks.
    - log_imbalance: ln(1 + bid size) - ln(1 + ask size) of the best level.
    - imbalance_n: (bids - asks) / (bids + asks), sizes summed over n levels; 0/0 is 0.
    - microprice: size-weighted price of the best level minus the mid, ticks.
    - order_flow: asinh of the best level's order-flow imbalance against the row
      before (Cont, Kukanov & Stoikov 2014, J. Fin. Econometrics 12(1)); 0 in the
      first row.

    All but the spread change sign when bids and asks change sides. Sums over
    levels and sides are matrix products: on one window the number of operations
    decides the time, not their size.
    """

    touch: Tensor
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.size = len(SIGNALS)
        self.deep_levels = DEEP_LEVELS
        self.register_buffer(
            "touch",
            torch.tensor(
                [
                    [0.5, 0.0, 0.5, 0.0],
                    [0.5, 0.0, -0.5, 0.0],
                    [0.0, -1.0, 0.0, 1.0],
                    [-1.0, 0.0, 0.0, 0.0],
                    [0.0, 0.0, 1.0, 0.0],
                ]
            ),
        )
        self.register_buffer("sums", size_sums(DEEP_LEVELS))

    def forward(self, window: Tensor) -> Tensor:
        """Shapes as above."""
        touch = functional.linear(window[:, :, 0], self.touch)
        sizes = torch.expm1(window[:, :, : self.deep_levels, 1::2].contiguous())
        difference, total = functional.linear(sizes.flatten(2), self.sums).chunk(2, dim=2)
        imbalance = difference / total.clamp(min=1e-9)
        microprice = touch[:, :, 1:2] * imbalance[:, :, :1]
        flow = order_flow(touch[:, :, 3:], sizes[:, :, 0])
        return torch.cat((touch[:, :, :3], imbalance, microprice, flow), dim=2)


def size_sums(levels: int) -> Tensor:
    """(4, 2 * levels): bids minus asks of one and of all levels, then bids plus asks likewise."""
    sums = torch.zeros(4, levels, 2)
    for row, depth in enumerate((1, levels)):
        sums[row, :depth] = torch.tensor([-1.0, 1.0])
        sums[row + 2, :depth] = 1.0
    return sums.flatten(1)


def order_flow(prices: Tensor, sizes: Tensor) -> Tensor:
    """Two (B, T, 2), the asks' prices negated -> (B, T, 1): arrivals at the bid less those at the ask.

    A better price brings its whole size, a worse one takes the old size away,
    the same price brings the difference.
    """
    better = prices[:, 1:] - prices[:, :-1]
    arrived = sizes[:, 1:] * (better >= 0) - sizes[:, :-1] * (better <= 0)
    flow = torch.asinh(arrived[:, :, 1:] - arrived[:, :, :1])
    return functional.pad(flow, (0, 0, 1, 0))


class BookLevels(nn.Module):
    """Encoded windows (B, T, L, 4) -> all values of the best ``levels`` levels, (B, T, 4 * levels)."""

    def __init__(self, *, levels: int) -> None:
        super().__init__()
        self.levels = levels
        self.size = levels * len(BOOK_CHANNELS)

    def forward(self, window: Tensor) -> Tensor:
        """Shapes as above."""
        return window[:, :, : self.levels].flatten(2)
