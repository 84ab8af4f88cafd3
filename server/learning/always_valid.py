# SPDX-License-Identifier: Apache-2.0
"""Differences between two arms, with intervals that hold however often one looks.

An ordinary 95 % interval that is looked at after every observation excludes the
truth sooner or later, whatever the truth is. A confidence sequence covers it at
all times at once with the stated probability, so one may stop when one likes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Largest bet; any number in (0, 1) is valid.
LARGEST_BET = 0.5
#: What a loss is taken to be before there is one: that of saying one half.
PRIOR_LOSS = 0.25


@dataclass(frozen=True, slots=True)
class Sequence:
    """After each of N observations: estimate, lower and upper end, (N,) each."""

    estimate: Floats
    low: Floats
    high: Floats


def mean_sequence(values: Floats, alpha: float) -> Sequence:
    """Confidence sequence for the mean of (N,) values in 0..1: (1 - alpha) at all times at once.

    Where the conditional mean moves, it covers the mean weighted by the bets; if all
    conditional means are the same number, that number.

    Source: Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables
    by betting, JRSS B 86(1), theorem 2 (predictable plug-in empirical Bernstein) with
    the bets of their equation 15.
    """
    count = len(values)
    times = np.arange(1, count + 1)
    means = (0.5 + np.cumsum(values)) / (times + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (times + 1)
    mean_before = np.concatenate([[0.5], means[:-1]])
    variance_before = np.concatenate([[0.25], variances[:-1]])
    evidence = math.log(2.0 / alpha)
    bets = np.minimum(np.sqrt(2.0 * evidence / (variance_before * times * np.log1p(times))), LARGEST_BET)
    penalty = 4.0 * (values - mean_before) ** 2 * (-np.log1p(-bets) - bets) / 4.0
    total = np.cumsum(bets)
    centre = np.cumsum(bets * values) / total
    margin = (evidence + np.cumsum(penalty)) / total
    return Sequence(centre, np.maximum(centre - margin, 0.0), np.minimum(centre + margin, 1.0))


def difference_sequence(losses: Floats, treated: Flags, share: float, alpha: float) -> Sequence:
    """Confidence sequence for the treatment's mean loss minus the control's; below 0: it is better.

    losses (N,) in 0..1, in the order in which they became known; treated (N,); each
    unit was treated with probability ``share`` in (0, 1), by a draw of its own. Each
    loss is taken less the mean of those before, divided by the probability of the arm
    that it came from: its conditional mean is then the difference, whatever the
    questions are like at the time, so drift that hits both arms does no harm.

    Source: Howard, Ramdas, McAuliffe & Sekhon (2021), Time-uniform, nonparametric,
    nonasymptotic confidence sequences, Annals of Statistics 49(2), section 4.2
    (inverse-probability weighting with predictable centring).
    """
    times = np.arange(len(losses))
    expected = (PRIOR_LOSS + np.concatenate([[0.0], np.cumsum(losses)[:-1]])) / (times + 1)
    weights = np.where(treated, 1.0 / share, -1.0 / (1.0 - share))
    bound = max(1.0 / share, 1.0 / (1.0 - share))
    found = mean_sequence((weights * (losses - expected) + bound) / (2.0 * bound), alpha)
    return Sequence(*((part * 2.0 - 1.0) * bound for part in (found.estimate, found.low, found.high)))
