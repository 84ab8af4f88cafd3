# SPDX-License-Identifier: Apache-2.0
"""Scores of directions and probabilities. Rows without a label (-1) never count."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

CLASSES = 3
BINS = 15


def confusion(labels: ArrayLike, calls: ArrayLike) -> NDArray[np.int64]:
    """Counts (3, 3): row the label, column the call."""
    truth, called = _known(labels, calls)
    return np.bincount(truth * CLASSES + called, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)


def f1_by_class(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of each class, (..., 3) from (..., 3, 3) counts; 0 where a class has neither label nor call."""
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    total = matrix.sum(axis=-1) + matrix.sum(axis=-2)
    result: NDArray[np.float64] = np.where(total > 0, 2.0 * hits / np.maximum(total, 1), 0.0)
    return result


def macro_f1(labels: ArrayLike, calls: ArrayLike) -> float:
    """Unweighted mean of the three classes' F1."""
    return float(f1_by_class(confusion(labels, calls)).mean())


def matthews(labels: ArrayLike, calls: ArrayLike) -> float:
    """Matthews correlation for several classes, -1..1; 0 where labels or calls are all alike.

    Source: Gorodkin 2004, Comput. Biol. Chem. 28.
    """
    matrix = confusion(labels, calls).astype(np.float64)
    total, right = matrix.sum(), np.trace(matrix)
    called, labelled = matrix.sum(axis=0), matrix.sum(axis=1)
    spread = (total**2 - called @ called) * (total**2 - labelled @ labelled)
    return float((right * total - called @ labelled) / np.sqrt(spread)) if spread > 0 else 0.0


def accuracy(labels: ArrayLike, calls: ArrayLike) -> float:
    """Share of calls that are right."""
    truth, called = _known(labels, calls)
    return float((truth == called).mean())


def accuracy_of_most_confident(
    labels: ArrayLike, calls: ArrayLike, confidence: ArrayLike, *, share: float = 0.1
) -> float:
    """Share of right calls among the ``share`` of rows with the highest confidence (ties by row)."""
    truth, called, sure = _known(labels, calls, confidence)
    top = np.argsort(-sure, kind="stable")[: max(1, int(len(sure) * share))]
    return float((truth[top] == called[top]).mean())


def calibration_error(right: ArrayLike, probability: ArrayLike, *, bins: int = BINS) -> float:
    """Expected calibration error over bins of equal mass: mean |share right - mean probability|."""
    hits, claimed = np.asarray(right, np.float64), np.asarray(probability, np.float64)
    order = np.argsort(claimed, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(hits[part].mean() - claimed[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(hits))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative logarithm of the probability of what happened; probabilities (N, 3)."""
    truth, given = _known(labels, probabilities)
    return float(-np.log(np.maximum(given[np.arange(len(truth)), truth], 1e-12)).mean())


def calibration_slope(labels: ArrayLike, probabilities: ArrayLike, *, steps: int = 30) -> float:
    """The factor on the log-probabilities that fits the outcomes best; 1 where they are calibrated.

    Below 1 they claim too much, above 1 too little. Found by Newton's method on
    the log loss of softmax(slope * ln p), which is convex in the slope.
    """
    truth, given = _known(labels, probabilities)
    logs = np.log(np.maximum(given, 1e-12))
    chosen, slope = logs[np.arange(len(truth)), truth], 1.0
    for _ in range(steps):
        powers = slope * logs
        weights = np.exp(powers - powers.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        mean = (weights * logs).sum(axis=1)
        curvature = (weights * logs**2).sum(axis=1) - mean**2
        move = (mean - chosen).mean() / max(curvature.mean(), 1e-12)
        slope -= float(np.clip(move, -0.5, 0.5))
        if abs(move) < 1e-9:
            break
    return slope


def calibration_slope_interval(
    labels: ArrayLike, probabilities: ArrayLike, *, block: int = 500
) -> tuple[float, float, float]:
    """The slope and its 95 % interval, rows of one block being as one.

    Neighbouring rows share their windows, so the score of the fit is summed over
    whole blocks before it is squared. Source: Liang & Zeger 1986, Biometrika 73(1) (the sandwich).
    """
    truth, given = _known(labels, probabilities)
    slope = calibration_slope(truth, given)
    logs = np.log(np.maximum(given, 1e-12))
    powers = slope * logs
    weights = np.exp(powers - powers.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    mean = (weights * logs).sum(axis=1)
    curvature = ((weights * logs**2).sum(axis=1) - mean**2).sum()
    score = np.add.reduceat(mean - logs[np.arange(len(truth)), truth], np.arange(0, len(truth), block))
    half = 1.96 * float(np.sqrt((score**2).sum())) / max(float(curvature), 1e-12)
    return slope, slope - half, slope + half


def bootstrap_interval(
    labels: ArrayLike,
    calls: ArrayLike,
    rival: ArrayLike | None = None,
    *,
    block: int = 500,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the macro-F1, or of its difference from a rival's, by ``bootstrap``."""
    drawn = bootstrap(labels, calls, rival, block=block, draws=draws, seed=seed)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap(
    labels: ArrayLike,
    calls: ArrayLike,
    rival: ArrayLike | None = None,
    *,
    block: int = 500,
    draws: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Macro-F1, or its difference from a rival's, on drawn blocks of rows: (draws,).

    Neighbouring rows share most of their windows, so whole blocks of rows are
    drawn. The same seed draws the same blocks wherever as many rows have a label.
    Source: Kuensch 1989, Ann. Statist. 17(3).
    """
    truth, *columns = _known(labels, calls, *([] if rival is None else [rival]))
    starts = np.arange(0, len(truth), block)
    tables = [
        np.stack([confusion(truth[s : s + block], column[s : s + block]) for s in starts])
        for column in columns
    ]
    picks = np.random.default_rng(seed).integers(len(starts), size=(draws, len(starts)))
    scores = [f1_by_class(table[picks].sum(axis=1)).mean(axis=1) for table in tables]
    drawn: NDArray[np.float64] = scores[0] if rival is None else scores[0] - scores[1]
    return drawn


def _known(labels: ArrayLike, *columns: ArrayLike) -> tuple[NDArray[np.int64], ...]:
    truth = np.asarray(labels)
    known = truth >= 0
    if not known.any():
        raise ValueError("labels: no row has a label; the recording is shorter than the horizon")
    rest = (np.asarray(column)[known] for column in columns)
    return (truth[known].astype(np.int64), *rest)
