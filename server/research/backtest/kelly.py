# SPDX-License-Identifier: Apache-2.0
"""From a probability and a price to a position: fractional Kelly with costs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rules:
    """How a probability becomes a position.

    ``kelly_share`` of the growth-optimal stake, at most ``most_share`` of the equity in
    one question. Buying costs ``half_spread`` on top of the price of either side,
    and ``fee_share`` of the stake. Prices outside ``least_price`` .. 1 - ``least_price`` are not traded.
    """

    kelly_share: float = 0.25
    most_share: float = 0.05
    half_spread: float = 0.01
    fee_share: float = 0.0
    least_price: float = 0.02


@dataclass(frozen=True, slots=True)
class Positions:
    """(N,) each: side 1 YES, -1 NO, 0 none; what one contract costs; share of the equity to stake."""

    side: Floats
    cost: Floats
    share: Floats


def positions(probability: Floats, price: Floats, size: Floats, rules: Rules) -> Positions:
    """Kelly positions of N questions; NaN probabilities or prices give none.

    A contract that costs c and pays 1 with probability p is worth the share
    (p - c) / (1 - c) of one's wealth. ``size`` (N,) is what the decision leaves: 1
    proceed, less reduce, 0 abstain.
    Source: Kelly (1956), A new interpretation of information rate.
    """
    yes, no = (side + rules.half_spread + rules.fee_share * side for side in (price, 1.0 - price))
    edge_yes, edge_no = probability - yes, (1.0 - probability) - no
    tradable = (price >= rules.least_price) & (price <= 1.0 - rules.least_price) & np.isfinite(probability)
    side = np.where(tradable & (edge_yes > 0.0), 1.0, np.where(tradable & (edge_no > 0.0), -1.0, 0.0))
    cost = np.where(side >= 0.0, yes, no)
    edge = np.where(side > 0.0, edge_yes, np.where(side < 0.0, edge_no, 0.0))
    growth = np.where(cost < 1.0, edge / np.maximum(1.0 - cost, 1e-12), 0.0)
    share = np.minimum(rules.kelly_share * size * np.where(side == 0.0, 0.0, growth), rules.most_share)
    return Positions(np.where(share > 0.0, side, 0.0), cost, np.maximum(np.nan_to_num(share), 0.0))


def everything(price: Floats, rules: Rules) -> Positions:
    """YES of every question that may be traded, the same small stake in each."""
    tradable = (price >= rules.least_price) & (price <= 1.0 - rules.least_price)
    share = np.where(tradable, min(rules.most_share, 1.0 / max(int(tradable.sum()), 1)), 0.0)
    cost = price + rules.half_spread + rules.fee_share * price
    return Positions(np.where(tradable, 1.0, 0.0), cost, share)
