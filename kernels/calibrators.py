# SPDX-License-Identifier: Apache-2.0
"""Calibration curves: from what the pool says to how often it happens.

Fitting stands in kernels.platt, kernels.isotonic, kernels.beta_calibration,
kernels.temperature and kernels.hierarchical; every curve is a method's number
and a vector of parameters, which can be stored and replayed.
"""

import math
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from kernels._arrays import checked
from kernels._jit import kernel, part
from kernels._types import Vector
from kernels.checks import as_array, require_unit
from kernels.members import clamped_log
from kernels.pools import normalise, softmax
from kernels.special import expit, logit


class CalibrationMethod(IntEnum):
    """Which curve, and the layout of its parameters.

    ===========  ==========================================================
    NONE         none
    PLATT        [slope, intercept]: expit(slope × logit p + intercept)
    ISOTONIC     [x (K), y (K)]: straight lines between knots, flat outside
    BETA         [a, b, c]: expit(a log p - b log(1 - p) + c)
    TEMPERATURE  [T]: p^(1/T), normalised over outcomes
    ===========  ==========================================================
    """

    NONE = 0
    PLATT = 1
    ISOTONIC = 2
    BETA = 3
    TEMPERATURE = 4


NONE: Final = 0
PLATT: Final = 1
ISOTONIC: Final = 2
BETA: Final = 3
TEMPERATURE: Final = 4


@part()
def interpolate(x: float, knots: Vector) -> float:
    """Height at x of straight lines between knots [x (K), y (K)], flat outside; K >= 1."""
    count = knots.shape[0] // 2
    if not x > knots[0]:
        return knots[count]
    if x >= knots[count - 1]:
        return knots[2 * count - 1]
    low = 0
    high = count - 1
    while high - low > 1:
        middle = (low + high) // 2
        if knots[middle] <= x:
            low = middle
        else:
            high = middle
    share = (x - knots[low]) / (knots[high] - knots[low])
    return knots[count + low] + share * (knots[count + high] - knots[count + low])


@part()
def curve(p: float, method: int, parameters: Vector) -> float:
    """Calibrated probability of one outcome against the rest; NaN stays NaN.

    Probabilities are held in [1e-6, 1 - 1e-6] but for NONE and ISOTONIC.
    """
    if math.isnan(p) or method == NONE:
        return p
    if method == PLATT:
        return expit(parameters[0] * logit(p) + parameters[1])
    if method == ISOTONIC:
        return interpolate(p, parameters)
    if method == BETA:
        said = parameters[0] * clamped_log(p) - parameters[1] * clamped_log(1.0 - p)
        return expit(said + parameters[2])
    if method == TEMPERATURE:
        return expit(logit(p) / parameters[0])
    return math.nan


@kernel("void(f8[::1],i8,f8[::1],f8[::1])")
def calibrate(p: Vector, method: int, parameters: Vector, out: Vector) -> None:
    """Calibrate one pool.

    p, out (C,), which may be the same. method, parameters: of CalibrationMethod.
    Two outcomes: outcome 0 goes through the curve, outcome 1 is the rest. More:
    TEMPERATURE takes all at once; any other curve takes each outcome against
    the rest, then all are normalised. NaN stays NaN.
    Source: one against the rest, Zadrozny & Elkan (2002).
    """
    outcomes = p.shape[0]
    if outcomes == 2:
        out[0] = curve(p[0], method, parameters)
        out[1] = 1.0 - out[0]
    elif method == TEMPERATURE:
        for c in range(outcomes):
            out[c] = math.nan if math.isnan(p[c]) else clamped_log(p[c]) / parameters[0]
        softmax(out)
    else:
        for c in range(outcomes):
            out[c] = curve(p[c], method, parameters)
        normalise(out)


@kernel("void(f8[::1],i8,f8[::1],f8[::1])")
def calibrate_binary(p: Vector, method: int, parameters: Vector, out: Vector) -> None:
    """Calibrate the probability of YES of many binary questions; p, out (N,), NaN stays NaN."""
    for n in range(p.shape[0]):
        out[n] = curve(p[n], method, parameters)


_SIZES = {
    CalibrationMethod.NONE: 0,
    CalibrationMethod.PLATT: 2,
    CalibrationMethod.BETA: 3,
    CalibrationMethod.TEMPERATURE: 1,
}


def check_curve(method: CalibrationMethod, parameters: ArrayLike) -> Vector:
    """Parameters that fit the curve.

    Raises:
        ValueError: Says what they must be.
    """
    given: Vector = as_array("parameters", parameters, 1)
    if not np.all(np.isfinite(given)):
        raise ValueError(f"parameters of {method.name} must be finite")
    if method == CalibrationMethod.ISOTONIC:
        if len(given) < 2 or len(given) % 2:
            raise ValueError("parameters of ISOTONIC must be as many x as y: [x (K), y (K)]")
        x, y = np.split(given, 2)
        if np.any(np.diff(x) <= 0) or np.any(np.diff(y) < 0):
            raise ValueError("parameters of ISOTONIC must have rising x, and y that never fall")
        require_unit("parameters of ISOTONIC", given)
    elif len(given) != _SIZES[method]:
        raise ValueError(f"parameters of {method.name} must have length {_SIZES[method]}, not {len(given)}")
    if method == CalibrationMethod.TEMPERATURE and given[0] <= 0:
        raise ValueError("parameters of TEMPERATURE must be above 0")
    return given


def calibrated(
    p: ArrayLike, method: CalibrationMethod, parameters: ArrayLike, out: Vector | None = None
) -> Vector:
    """Calibrated probabilities of YES, (N,); NaN stays NaN.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    forecasts: Vector = as_array("p", p, 1)
    require_unit("p", forecasts)
    given = check_curve(CalibrationMethod(method), parameters)
    shape = forecasts.shape
    filled = np.empty(shape) if out is None else checked("out", out, np.float64, shape, writeable=True)
    calibrate_binary(forecasts, int(method), given, filled)
    return filled
