# SPDX-License-Identifier: Apache-2.0
"""Platt scaling and beta calibration: logistic curves on log-odds, fitted to what happened."""

import numpy as np
from numpy.typing import ArrayLike

from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.checks import as_array, require_shape, require_unit, require_weights
from kernels.logistic import fit_logistic, logistic_workspace_size
from kernels.members import clamped_log
from kernels.special import logit

#: Prior strength that only keeps a fit finite: worth a small part of one question.
GENTLE = 1e-3


@kernel("void(f8[::1],f8[:,::1])")
def platt_features(p: Vector, out: Matrix) -> None:
    """Log-odds of p (N,) and 1, for the coefficients [slope, intercept]. out (N, 2); NaN gives 0."""
    for n in range(p.shape[0]):
        known = p[n] == p[n]
        out[n, 0] = logit(p[n]) if known else 0.0
        out[n, 1] = 1.0


@kernel("void(f8[::1],f8[:,::1])")
def beta_features(p: Vector, out: Matrix) -> None:
    """Log p, -log(1 - p) and 1, for the coefficients [a, b, c]. p (N,), out (N, 3); NaN gives 0."""
    for n in range(p.shape[0]):
        known = p[n] == p[n]
        out[n, 0] = clamped_log(p[n]) if known else 0.0
        out[n, 1] = -clamped_log(1.0 - p[n]) if known else 0.0
        out[n, 2] = 1.0


def fit_platt(
    p: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    towards: ArrayLike = (1.0, 0.0),
    strength: ArrayLike = GENTLE,
) -> Vector:
    """Parameters [slope, intercept] of Platt scaling on log-odds.

    calibrated p = expit(slope × logit p + intercept), by penalised maximum
    likelihood. Slope 1 and intercept 0 is "already calibrated"; a slope above 1
    says that the forecasts were too timid.

    Args:
        p: (N,) probabilities of YES, NaN for none.
        y: (N,) what happened, 0..1, NaN where annulled or open.
        weights: (N,), >= 0; equal where not given.
        towards: Parameters that little evidence is drawn to.
        strength: Precision of that prior, for both or for each; 0 for none.

    Raises:
        ValueError: Names the argument and what it must be; also where y is
            separable and strength 0.

    Source: Platt (1999), on log-odds instead of scores.
    """
    forecasts, happened, w = _checked(p, y, weights)
    features = np.empty((len(forecasts), 2))
    platt_features(forecasts, features)
    return _fitted(features, happened, w, towards, strength)


def fit_beta(
    p: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    towards: ArrayLike = (1.0, 1.0, 0.0),
    strength: ArrayLike = GENTLE,
) -> Vector:
    """Parameters [a, b, c] of beta calibration, expit(a log p - b log(1 - p) + c), with a, b >= 0.

    Arguments as fit_platt. Where the fit would have a or b below 0, so that the
    curve would fall, that one is set to 0 and the others are fitted again.
    a = b is Platt scaling.

    Raises:
        ValueError: Names the argument and what it must be.

    Source: Kull, Silva Filho & Flach (2017), Beta calibration.
    """
    forecasts, happened, w = _checked(p, y, weights)
    features = np.empty((len(forecasts), 3))
    beta_features(forecasts, features)
    around = as_array("towards", towards, 1)
    require_shape("towards", around, (3,), "a, b, c")
    held = np.broadcast_to(np.asarray(strength, float), (3,))
    found = _fitted(features, happened, w, around, held)
    for k in np.flatnonzero(found[:2] < 0.0)[:1]:
        kept = np.array([j for j in range(3) if j != k])
        rest = _fitted(features[:, kept], happened, w, around[kept], held[kept])
        found[k] = 0.0
        found[kept] = np.maximum(rest, [0.0, -np.inf])
    return found


def _checked(p: ArrayLike, y: ArrayLike, weights: ArrayLike | None) -> tuple[Vector, Vector, Vector]:
    forecasts: Vector = as_array("p", p, 1)
    happened: Vector = as_array("y", y, 1)
    require_shape("y", happened, forecasts.shape, "one for each forecast")
    require_unit("p", forecasts)
    require_unit("y", happened)
    w: Vector = np.ones(len(forecasts)) if weights is None else as_array("weights", weights, 1)
    require_shape("weights", w, forecasts.shape, "one for each forecast")
    require_weights("weights", w)
    return forecasts, happened, np.where(np.isnan(forecasts) | np.isnan(happened), 0.0, w)


def _fitted(features: Matrix, y: Vector, w: Vector, towards: ArrayLike, strength: ArrayLike) -> Vector:
    size = features.shape[1]
    around: Vector = as_array("towards", towards, 1)
    require_shape("towards", around, (size,), "one for each parameter")
    held: Vector = as_array("strength", np.broadcast_to(np.asarray(strength, float), (size,)), 1)
    require_weights("strength", held)
    theta, hessian = np.empty(size), np.empty((size, size))
    workspace = np.empty(logistic_workspace_size(size))
    x = np.ascontiguousarray(features)
    if fit_logistic(x, y, w, around, held, theta, hessian, workspace) < 0:
        raise ValueError("p and y do not determine the curve; give a strength above 0")
    return theta
