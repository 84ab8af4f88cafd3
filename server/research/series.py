# SPDX-License-Identifier: Apache-2.0
"""The methods that an evaluation compares: pooling x weighting x calibration, each by its name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.batch import pool_many
from kernels.methods import PoolingMethod
from server.forecasting.pooling import POOLINGS, parameter_vector
from server.learning.methods import (
    ADAPTIVE,
    CALIBRATORS,
    DEFAULT_CALIBRATION,
    DEFAULT_POOLING,
    DEFAULT_WEIGHTING,
    WEIGHTINGS,
)

#: Equal to others here: ``beta_linear`` without fitted exponents is ``linear``, and with
#: them it is ``linear`` under beta calibration.
_SAME_AS_OTHERS = frozenset({"beta_linear"})
#: Poolings that are also scored with the price as a member.
_WITH_MARKET = ("linear", "log_odds")


@dataclass(frozen=True, slots=True)
class Series:
    """One way to pool: the name of the pooling, of the weighting, and whether the price takes part."""

    pooling: str
    weighting: str
    market: bool = False

    @property
    def name(self) -> str:
        """For example ``log_odds/agreement+market``."""
        return f"{self.pooling}/{self.weighting}{'+market' if self.market else ''}"


@dataclass(frozen=True, slots=True)
class Method:
    """A series and a calibrator."""

    series: Series
    calibration: str

    @property
    def name(self) -> str:
        """For example ``log_odds/agreement+market/hierarchical``."""
        return f"{self.series.name}/{self.calibration}"


#: What everything is compared with: the plain mean of the members.
MEAN = Method(Series("linear", "fixed"), "none")
#: What the server uses.
DEFAULT = Method(Series(DEFAULT_POOLING, DEFAULT_WEIGHTING, market=True), DEFAULT_CALIBRATION)


def all_methods() -> tuple[Method, ...]:
    """Every pooling x weighting x calibration."""
    weightings = (*WEIGHTINGS, ADAPTIVE)
    plain = [
        Series(pooling, weighting)
        for pooling in POOLINGS
        if pooling not in _SAME_AS_OTHERS
        for weighting in weightings
    ]
    priced = [Series(pooling, weighting, market=True) for pooling in _WITH_MARKET for weighting in weightings]
    return tuple(Method(series, calibration) for series in (*plain, *priced) for calibration in CALIBRATORS)


def pool(
    series: Series, probabilities: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,): pooled probability of YES of (N, M) answers under (N, M) weights; NaN where nobody answered."""
    both = np.stack([probabilities, 1.0 - probabilities], axis=-1)
    return pool_many(
        np.ascontiguousarray(both),
        np.ascontiguousarray(weights),
        PoolingMethod[series.pooling.upper()],
        parameter_vector(series.pooling, {}),
    )[:, 0]
