# SPDX-License-Identifier: Apache-2.0
"""Scores, calibration and weights against NumPy and scikit-learn."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import special
from sklearn import metrics
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from benchmarks.kernels.alternate import Case
from kernels.calibrators import CalibrationMethod, calibrated
from kernels.covariance import ledoit_wolf
from kernels.hedge import hedge_weights
from kernels.isotonic import fit_isotonic
from kernels.platt import fit_platt
from kernels.reliability import assess
from kernels.rolling import DAY_NS, RollingWindows
from kernels.scoring import Score, score_binary


def answers(count: int) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    p = special.expit(random.normal(size=count) * 1.5)
    return p, (random.random(count) < special.expit(1.4 * special.logit(p))).astype(float)


def score_cases() -> Iterator[Case]:
    p, y = answers(1_000_000)

    def numpy_log() -> Any:
        q = np.clip(p, 1e-6, 1 - 1e-6)
        return -(y * np.log(q) + (1 - y) * np.log1p(-q))

    yield Case(
        "Log score of 10⁶ binary questions, checked",
        "kernel",
        {"kernel": lambda: score_binary(p, y, Score.LOG), "NumPy, unchecked": numpy_log},
        len(p),
        1e-9,
    )
    small_p, small_y = p[:100_000], y[:100_000]
    yield Case(
        "AUC, Brier parts and calibration error of 10⁵ questions",
        "kernel",
        {
            "kernel": lambda: assess(small_p, small_y).area_under_curve,
            "scikit-learn, AUC only": lambda: metrics.roc_auc_score(small_y, small_p),
        },
        len(small_p),
        1e-9,
    )


def calibration_cases() -> Iterator[Case]:
    p, y = answers(100_000)
    log_odds = special.logit(p)[:, None]
    points = np.linspace(0.01, 0.99, 99)

    def platt() -> Any:
        return fit_platt(p, y, strength=0.0)

    def sklearn_platt() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8).fit(log_odds, y)
        return [model.coef_[0, 0], model.intercept_[0]]

    def isotonic() -> Any:
        return calibrated(points, CalibrationMethod.ISOTONIC, fit_isotonic(p, y))

    def sklearn_isotonic() -> Any:
        return IsotonicRegression(out_of_bounds="clip").fit(p, y).predict(points)

    yield Case(
        "Platt scaling of 10⁵ questions",
        "kernel",
        {"kernel": platt, "scikit-learn (newton-cholesky)": sklearn_platt},
        len(p),
        1e-4,
    )
    yield Case(
        "Isotonic calibration of 10⁵ questions",
        "kernel",
        {"kernel": isotonic, "scikit-learn": sklearn_isotonic},
        len(p),
        1e-6,
    )


def weight_cases() -> Iterator[Case]:
    random = np.random.default_rng(1)
    errors = random.normal(size=(2000, 24)) + random.normal(size=(2000, 1))
    covariance = np.empty((24, 24))

    def shrunk() -> Any:
        ledoit_wolf(errors, covariance)
        return covariance

    yield Case(
        "Ledoit–Wolf covariance, 2,000 questions × 24 members",
        "kernel",
        {"kernel": shrunk, "scikit-learn": lambda: sklearn_ledoit_wolf(errors, assume_centered=True)[0]},
        errors.size,
        1e-9,
    )
    losses = random.random((2000, 24))

    def numpy_hedge() -> Any:
        w, path = np.full(24, 1 / 24), np.empty_like(losses)
        for t, row in enumerate(losses):
            path[t] = w
            w = w * np.exp(-0.1 * (row - row.min()))
            w /= w.sum()
        return path

    yield Case(
        "Hedge, 2,000 rounds × 24 members",
        "kernel",
        {"kernel": lambda: hedge_weights(losses, 0.1)[0], "NumPy, a round at a time": numpy_hedge},
        losses.size,
        1e-9,
    )
    rolling, values = RollingWindows(4), np.random.default_rng(0).random(4)
    clock = iter(range(0, 10**18, DAY_NS // 1000))
    yield Case(
        "Rolling windows: one value of 4 measures into 3 windows, from Python",
        "kernel",
        {"kernel": lambda: rolling.add(next(clock), values)},
    )
