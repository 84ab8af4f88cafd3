# SPDX-License-Identifier: Apache-2.0
"""How a set of binary forecasts behaves: reliability, resolution, calibration error, ranking.

Shapes: p (N,) probabilities of YES in rising order, y (N,) what happened, 0..1,
in the same order, without NaN: the doors sort and drop. ``edges`` (B + 1,):
bin b holds the questions edges[b] <= n < edges[b + 1].
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel
from kernels._types import Indices, Matrix, Vector
from kernels.checks import as_array, require_shape, require_unit


@kernel("i8(f8[::1],i8[::1])")
def equal_mass_edges(p: Vector, edges: Indices) -> int:
    """Cut sorted forecasts into bins of nearly equal count without parting equal forecasts.

    p (N,), sorted. edges (B + 1,): overwritten. Returns the number of bins that
    hold anything, at most B: many equal forecasts share one bin, and the count
    of the bins after it is made up from what is left.
    Source: adaptive bins of Nixon et al. (2019), Measuring calibration in deep learning.
    """
    count = p.shape[0]
    wanted = edges.shape[0] - 1
    bins = 0
    start = 0
    edges[0] = 0
    while start < count:
        left = max(wanted - bins, 1)
        end = start + max((count - start + left // 2) // left, 1)
        end = min(end, count)
        while end < count and p[end] == p[end - 1]:
            end += 1
        bins += 1
        edges[bins] = end
        start = end
    return bins


@kernel("void(f8[::1],f8[::1],i8[::1],i8,f8[:,::1])")
def bin_means(p: Vector, y: Vector, edges: Indices, bins: int, out: Matrix) -> None:
    """Count, mean forecast and mean outcome of each bin. out (B, 3): overwritten up to bins."""
    for b in range(bins):
        total_p = 0.0
        total_y = 0.0
        for n in range(edges[b], edges[b + 1]):
            total_p += p[n]
            total_y += y[n]
        size = edges[b + 1] - edges[b]
        out[b, 0] = size
        out[b, 1] = total_p / size
        out[b, 2] = total_y / size


@kernel("void(f8[::1],f8[::1],i8[::1],f8[:,::1],i8,f8[::1])")
def decompose(p: Vector, y: Vector, edges: Indices, means: Matrix, bins: int, out: Vector) -> None:
    """Parts of the mean Brier score: reliability, resolution, uncertainty, within bins, calibration error.

    means (B, 3): of bin_means. out (5,). With weights n_b / N, bin means p_b and
    y_b, and ȳ the mean outcome:

        reliability = Σ (p_b - y_b)²         (0 is best)
        resolution  = Σ (y_b - ȳ)²           (greater is better)
        uncertainty = mean (y - ȳ)²          (ȳ (1 - ȳ) where y is 0 or 1)
        within      = variance of p - 2 covariance of p and y, inside bins
        calibration error = Σ |p_b - y_b|    (ECE)

    Brier = reliability - resolution + uncertainty + within, exactly. NaN for N = 0.
    Source: Murphy (1973); within-bin terms: Stephenson, Coelho & Jolliffe (2008);
    ECE: Naeini, Cooper & Hauskrecht (2015).
    """
    count = p.shape[0]
    for k in range(5):
        out[k] = 0.0 if count > 0 else math.nan
    mean = 0.0
    for n in range(count):
        mean += y[n] / count
    for b in range(bins):
        share = means[b, 0] / count
        gap = means[b, 1] - means[b, 2]
        out[0] += share * gap * gap
        out[1] += share * (means[b, 2] - mean) ** 2
        out[4] += share * abs(gap)
        for n in range(edges[b], edges[b + 1]):
            off = p[n] - means[b, 1]
            out[3] += off * (off - 2.0 * (y[n] - means[b, 2])) / count
    for n in range(count):
        out[2] += (y[n] - mean) ** 2 / count


@kernel("f8(f8[::1],f8[::1])")
def area_under_curve(p: Vector, y: Vector) -> float:
    """Probability that a YES got a greater forecast than a NO, ties counting half (AUC).

    p (N,) sorted, y (N,): a fraction counts partly as either. NaN where there is
    no YES or no NO. Source: Mann & Whitney (1947); Hanley & McNeil (1982).
    """
    count = p.shape[0]
    no_below = 0.0
    yes_total = 0.0
    wins = 0.0
    n = 0
    while n < count:
        yes = 0.0
        no = 0.0
        value = p[n]
        while n < count and p[n] == value:
            yes += y[n]
            no += 1.0 - y[n]
            n += 1
        wins += yes * (no_below + 0.5 * no)
        no_below += no
        yes_total += yes
    return wins / (yes_total * no_below) if yes_total > 0.0 and no_below > 0.0 else math.nan


@dataclass(frozen=True, slots=True)
class Reliability:
    """How a set of binary forecasts behaves.

    Attributes:
        count: questions that have both a forecast and a resolution.
        brier: mean Brier score = reliability - resolution + uncertainty + within.
        reliability: mean squared gap between forecast and frequency, by bin.
        resolution: how far the bins' frequencies stand apart.
        uncertainty: what knows nothing but the base rate would score.
        within: what the bins hide.
        calibration_error: mean absolute gap by bin (ECE, equal-mass bins).
        area_under_curve: AUC.
        bins: (B, 3) count, mean forecast and mean outcome of each bin.
    """

    count: int
    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    calibration_error: float
    area_under_curve: float
    bins: Matrix


def assess(p: ArrayLike, y: ArrayLike, bins: int = 10) -> Reliability:
    """Reliability of binary forecasts, in at most ``bins`` bins of nearly equal count.

    Args:
        p: (N,) probabilities of YES, NaN for none.
        y: (N,) what happened, 0..1, NaN where annulled or open.
        bins: How many bins, at least 1.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts, happened = sorted_pairs(p, y)
    edges = np.zeros(_checked_bins(bins) + 1, np.int64)
    means = np.zeros((bins, 3))
    used = equal_mass_edges(forecasts, edges)
    bin_means(forecasts, happened, edges, used, means)
    parts = np.empty(5)
    decompose(forecasts, happened, edges, means, used, parts)
    reliability, resolution, uncertainty, within, error = (float(x) for x in parts)
    return Reliability(
        count=len(forecasts),
        brier=reliability - resolution + uncertainty + within,
        reliability=reliability,
        resolution=resolution,
        uncertainty=uncertainty,
        within=within,
        calibration_error=error,
        area_under_curve=float(area_under_curve(forecasts, happened)),
        bins=means[:used],
    )


def calibration_error_by_chance(p: ArrayLike, bins: int = 10, draws: int = 1000, seed: int = 0) -> Vector:
    """Calibration errors (ECE) that perfectly calibrated forecasts p (N,) would show, sorted (draws,).

    The error of a finite sample is never 0: compare with a quantile of these.
    NaN forecasts are left out.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts, _ = sorted_pairs(p, np.zeros(np.shape(p)))
    edges = np.zeros(_checked_bins(bins) + 1, np.int64)
    used = equal_mass_edges(forecasts, edges)
    random = np.random.default_rng(seed)
    means, parts, found = np.zeros((bins, 3)), np.empty(5), np.empty(draws)
    for draw in range(draws):
        happened = (random.random(len(forecasts)) < forecasts).astype(float)
        bin_means(forecasts, happened, edges, used, means)
        decompose(forecasts, happened, edges, means, used, parts)
        found[draw] = parts[4]
    found.sort()
    return found


def sorted_pairs(p: ArrayLike, y: ArrayLike) -> tuple[Vector, Vector]:
    """Forecasts in rising order and their outcomes, without those where either is NaN.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts: Vector = as_array("p", p, 1)
    happened: Vector = as_array("y", y, 1)
    require_shape("y", happened, forecasts.shape, "one for each forecast")
    require_unit("p", forecasts)
    require_unit("y", happened)
    known = ~(np.isnan(forecasts) | np.isnan(happened))
    forecasts, happened = forecasts[known], happened[known]
    order = np.argsort(forecasts, kind="stable")
    return forecasts[order], happened[order]


def _checked_bins(bins: int) -> int:
    if bins < 1:
        raise ValueError("bins must be at least 1")
    return bins
