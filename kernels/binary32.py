# SPDX-License-Identifier: Apache-2.0
"""Millions of binary questions in float32, members × questions, written for vectors."""

import math

import numpy as np
from numpy.typing import ArrayLike

from kernels._arrays import checked
from kernels._jit import kernel
from kernels._types import Single, Vector
from kernels.checks import as_array, require_shape, require_weights
from kernels.logarithm import FUSED, expit32, logit32
from kernels.methods import PoolingMethod

f4 = np.float32

#: Questions at a time, so that sums stay in the first-level cache.
BLOCK = 2048
#: Log-odds of 1 - 1e-6.
GREATEST_LOG_ODDS = f4(13.815509557963774)


@kernel("void(f4[:,::1],f4[::1],f4,f4[::1],f4[::1])", fastmath=FUSED)
def log_odds_binary32(
    p: Single, weights: Single, exponent: np.float32, workspace: Single, out: Single
) -> None:
    """Log-odds pool of many binary questions: expit(e Σ w logit p / Σ w), in float32.

    p (M, N): probability of YES, members × questions; NaN is an absent member.
    weights (M,): >= 0. exponent: 1 is the plain pool. workspace (BLOCK,).
    out (N,): NaN where nobody counts. Log-odds are held in ± logit(1 - 1e-6).
    Within 5e-7 of float64 arithmetic on the same input.
    Source: Genest & Zidek (1986); kernels.logarithm for the arithmetic.
    """
    members, questions = p.shape
    for start in range(0, questions, BLOCK):
        size = min(BLOCK, questions - start)
        total = out[start : start + size]
        for n in range(size):
            total[n] = f4(0.0)
            workspace[n] = f4(0.0)
        # Two members at a time halve the traffic of the running sums (15 % faster).
        for i in range(0, members, 2):
            k = min(i + 1, members - 1)
            first, second = p[i, start : start + size], p[k, start : start + size]
            w1 = weights[i]
            w2 = weights[k] if k > i else f4(0.0)
            for n in range(size):
                x, y = first[n], second[n]
                wx = f4(0.0) if math.isnan(x) else w1
                wy = f4(0.0) if math.isnan(y) else w2
                lx = min(max(logit32(f4(0.5) if math.isnan(x) else x), -GREATEST_LOG_ODDS), GREATEST_LOG_ODDS)
                ly = min(max(logit32(f4(0.5) if math.isnan(y) else y), -GREATEST_LOG_ODDS), GREATEST_LOG_ODDS)
                total[n] += wx * lx + wy * ly
                workspace[n] += wx + wy
        for n in range(size):
            weight = workspace[n] if workspace[n] > f4(0.0) else f4(1.0)
            pooled = expit32(exponent * total[n] / weight)
            total[n] = pooled if workspace[n] > f4(0.0) else f4(math.nan)


@kernel("void(f4[:,::1],f4[::1],f4[::1],f4[::1])", fastmath=FUSED)
def linear_binary32(p: Single, weights: Single, workspace: Single, out: Single) -> None:
    """Linear pool of many binary questions, Σ w p / Σ w, in float32; shapes as log_odds_binary32."""
    members, questions = p.shape
    for start in range(0, questions, BLOCK):
        size = min(BLOCK, questions - start)
        total = out[start : start + size]
        for n in range(size):
            total[n] = f4(0.0)
            workspace[n] = f4(0.0)
        for i in range(0, members, 4):
            last = members - 1
            j, k, m = min(i + 1, last), min(i + 2, last), min(i + 3, last)
            stop = start + size
            r1, r2, r3, r4 = p[i, start:stop], p[j, start:stop], p[k, start:stop], p[m, start:stop]
            w1 = weights[i]
            w2 = weights[j] if j == i + 1 else f4(0.0)
            w3 = weights[k] if k == i + 2 else f4(0.0)
            w4 = weights[m] if m == i + 3 else f4(0.0)
            for n in range(size):
                a, b, c, d = r1[n], r2[n], r3[n], r4[n]
                wa = f4(0.0) if math.isnan(a) else w1
                wb = f4(0.0) if math.isnan(b) else w2
                wc = f4(0.0) if math.isnan(c) else w3
                wd = f4(0.0) if math.isnan(d) else w4
                known = (f4(0.0) if math.isnan(a) else wa * a) + (f4(0.0) if math.isnan(b) else wb * b)
                more = (f4(0.0) if math.isnan(c) else wc * c) + (f4(0.0) if math.isnan(d) else wd * d)
                total[n] += known + more
                workspace[n] += (wa + wb) + (wc + wd)
        for n in range(size):
            total[n] = total[n] / workspace[n] if workspace[n] > f4(0.0) else f4(math.nan)


@kernel("b1(f4[:,::1])", fastmath=FUSED)
def inside_unit32(p: Single) -> bool:
    """Whether every value of p (M, N) that is not NaN lies in 0..1, at reading speed."""
    outside = 0
    for i in range(p.shape[0]):
        for n in range(p.shape[1]):
            outside |= int(p[i, n] < f4(0.0)) | int(p[i, n] > f4(1.0))
    return outside == 0


def pool_binary32(
    probabilities: Single,
    weights: ArrayLike | None = None,
    method: PoolingMethod = PoolingMethod.LOG_ODDS,
    exponent: float = 1.0,
    out: Single | None = None,
) -> Single:
    """Pool the probability of YES of many binary questions, fast, in float32.

    Args:
        probabilities: (M, N) float32, C-contiguous, in 0..1: members ×
            questions. NaN is an absent member.
        weights: (M,), >= 0; equal where not given.
        method: LOG_ODDS or LINEAR.
        exponent: Of LOG_ODDS, > 0; above 1 extremises.
        out: (N,) float32; a new array where not given.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    p = np.require(checked("probabilities", probabilities, f4, (None, None)), requirements="W")
    members, questions = p.shape
    if members == 0:
        raise ValueError("probabilities must have at least one member in its first dimension")
    if not inside_unit32(p):
        raise ValueError("probabilities must lie in 0..1 (NaN for none)")
    if not (math.isfinite(exponent) and exponent > 0.0):
        raise ValueError("exponent must be above 0")
    w = _weights32(weights, members)
    shape = (questions,)
    filled = np.empty(shape, f4) if out is None else checked("out", out, f4, shape, writeable=True)
    workspace = np.empty(BLOCK, f4)
    if method == PoolingMethod.LOG_ODDS:
        log_odds_binary32(p, w, f4(exponent), workspace, filled)
    elif method == PoolingMethod.LINEAR:
        linear_binary32(p, w, workspace, filled)
    else:
        raise ValueError("method must be LOG_ODDS or LINEAR; pool_many takes the others")
    return filled


def _weights32(weights: ArrayLike | None, members: int) -> Single:
    """Weights with a greatest of 1; one of 0 becomes too small to count beside any other.

    So, as everywhere, where only members of weight 0 are present they weigh the same.
    """
    w: Vector = np.ones(members) if weights is None else as_array("weights", weights, 1)
    require_shape("weights", w, (members,), "one for each member")
    require_weights("weights", w)
    greatest = w.max()
    scaled = w / greatest if greatest > 0.0 else np.ones(members)
    return np.maximum(scaled, 1e-30).astype(f4)
