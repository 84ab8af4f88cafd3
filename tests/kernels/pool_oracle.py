# SPDX-License-Identifier: Apache-2.0
"""Plain NumPy and SciPy statements of every pool, written without looking at the kernels' loops."""

import numpy as np
from scipy import special

from kernels.methods import PoolingMethod

CLAMP = 1e-6


def used(p, weights):
    present = ~np.isnan(p[:, 0])
    w = np.where(present, weights, 0.0)
    if w.sum() == 0:
        w = present.astype(float)
    return w / w.sum() if w.sum() > 0 else w


def logs(p):
    return np.log(np.clip(p, CLAMP, 1 - CLAMP))


def choice(row):
    if len(row) == 2:
        return 0 if row[0] > 0.5 + 1e-12 else 1
    return int(np.flatnonzero(row >= row.max() - 1e-12)[0])


def certainty(p, stated):
    c = p.shape[1]
    own = (c * p.max(1) - 1) / (c - 1)
    if len(stated):
        own = np.where(np.isnan(stated), own, stated)
    return own


def softmax(x):
    return special.softmax(x)


def weighted_quantile_mean(values, weights, low, high):
    """Mean of the weighted distribution's quantile function over [low, high]."""
    order = np.argsort(values, kind="stable")
    v, edges = values[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    mass = np.clip(edges[1:], low, high) - np.clip(edges[:-1], low, high)
    return float((mass * v).sum() / (high - low))


def median(values, weights):
    order = np.argsort(values, kind="stable")
    v, above = values[order], np.cumsum(weights[order])
    low = v[np.flatnonzero(above >= 0.5 - 1e-12)[0]]
    high = v[np.flatnonzero(above > 0.5 + 1e-12)[0]]
    return (low + high) / 2


def normalised(x, otherwise):
    return x / x.sum() if x.sum() > 0 else otherwise


def votes(p, w, threshold):
    out = np.zeros(p.shape[1])
    for row, weight in zip(p, w, strict=True):
        if row.max() >= threshold - 1e-12:
            out[choice(row)] += weight
    return normalised(out, np.full(p.shape[1], 1 / p.shape[1]))


def bayesian(p, w, parameters):
    c = p.shape[1]
    n = 1 / (w**2).sum()
    correlation = parameters[0] if len(parameters) else 1.0
    prior = logs(parameters[1 : 1 + c]) if len(parameters) > 1 else np.full(c, -np.log(c))
    if len(parameters) > 1 + c:
        table = parameters[1 + c :].reshape(-1, c, c)
        support = logs(np.einsum("ia,iac->ic", p, table))
    else:
        support = logs(p) - prior
    return softmax(prior + n / (1 + (n - 1) * correlation) * (w @ support))


def pool(p, weights, method, parameters=()):
    """p (M, C) with NaN rows; returns (C,)."""
    u = used(p, weights)
    if u.sum() == 0:
        return np.full(p.shape[1], np.nan)
    present = ~np.isnan(p[:, 0])
    if method == PoolingMethod.STACKED:
        return stacked(p, u, np.asarray(parameters))
    q, w = p[u > 0], u[u > 0]
    if method == PoolingMethod.BAYESIAN and len(parameters) > 1 + p.shape[1]:
        head, table = np.split(parameters, [1 + p.shape[1]])
        parameters = np.concatenate([head, table.reshape(len(p), -1)[u > 0].ravel()])
    elif method in (PoolingMethod.BEST_CONFIDENCE, PoolingMethod.CONFIDENCE_WEIGHTED) and len(parameters):
        parameters = np.asarray(parameters)[u > 0]
    assert present[u > 0].all()
    return POOLS[method](q, w, np.asarray(parameters, dtype=float))


def stacked(p, u, parameters):
    c = p.shape[1]
    mean = u[u > 0] @ logs(p[u > 0])
    said = np.where((u > 0)[:, None], logs(np.where(np.isnan(p), 0.5, p)), mean)
    return softmax(parameters[:c] + parameters[c:] @ said)


def trimmed(p, w, share):
    if share >= 0.5:
        return medians(p, w)
    kept = np.array([weighted_quantile_mean(p[:, c], w, share, 1 - share) for c in range(p.shape[1])])
    return normalised(kept, w @ p)


def medians(p, w):
    return normalised(np.array([median(p[:, c], w) for c in range(p.shape[1])]), w @ p)


def confident(p, w, stated):
    weight = w * certainty(p, stated)
    return weight @ p / weight.sum() if weight.sum() > 0 else w @ p


def best(p, w, stated):
    c = certainty(p, stated)
    tied = c >= c.max() - 1e-12
    return w[tied] @ p[tied] / w[tied].sum()


def beta_linear(p, w, alpha, beta):
    x = special.betainc(alpha, beta, np.clip(w @ p, 0.0, 1.0))
    return np.array([x[0], 1 - x[0]]) if len(x) == 2 else normalised(x, np.full(len(x), 1 / len(x)))


def first(parameters, default):
    return parameters[0] if len(parameters) else default


POOLS = {
    PoolingMethod.LINEAR: lambda p, w, _: w @ p,
    PoolingMethod.LOG_ODDS: lambda p, w, _: softmax(w @ logs(p)),
    PoolingMethod.EXTREMISED: lambda p, w, a: softmax(first(a, 1.5) * (w @ logs(p))),
    PoolingMethod.TRIMMED_MEAN: lambda p, w, a: trimmed(p, w, first(a, 0.1)),
    PoolingMethod.MEDIAN: lambda p, w, _: medians(p, w),
    PoolingMethod.MAJORITY: lambda p, w, a: votes(p, np.ones_like(w), first(a, 0.0)),
    PoolingMethod.WEIGHTED_VOTE: lambda p, w, a: votes(p, w, first(a, 0.0)),
    PoolingMethod.UNANIMOUS: lambda p, w, _: w @ p,
    PoolingMethod.BEST_CONFIDENCE: best,
    PoolingMethod.CONFIDENCE_WEIGHTED: confident,
    PoolingMethod.BAYESIAN: bayesian,
    PoolingMethod.BETA_LINEAR: lambda p, w, a: beta_linear(p, w, *(a if len(a) else (1.0, 1.0))),
}


def contributions(p, weights, method, parameters=()):
    whole = pool(p, weights, method, parameters)
    chosen = choice(whole)
    out = np.zeros(len(p))
    u = used(p, weights)
    for i in range(len(p)):
        if np.isnan(p[i, 0]):
            continue
        rest = p.copy()
        rest[i] = np.nan
        reduced = pool(rest, u, method, parameters)
        before = 1 / p.shape[1] if np.isnan(reduced[0]) else reduced[chosen]
        out[i] = whole[chosen] - before
    return out
