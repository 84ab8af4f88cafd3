# SPDX-License-Identifier: Apache-2.0
"""Pooling of given forecasts: the pure hot path, no I/O, nothing stored."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.forecasting.disagreement import decide
from server.forecasting.errors import InvalidRequestError
from server.forecasting.names import choose
from server.forecasting.plugged_pooling import ALL_POOLINGS, any_pooling
from server.forecasting.pooling import POOLINGS, Pooled, meta_confidence
from server.forecasting.prediction import Decision


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A pool with its verdict."""

    pooled: Pooled
    meta_confidence: float
    decision: Decision


def aggregate(
    probabilities: NDArray[np.float64],
    weights: NDArray[np.float64],
    name: str,
    parameters: Mapping[str, float],
    min_agreement: float,
    high_agreement: float,
) -> Aggregated:
    """Pool checked (M, C) probabilities (a NaN row is absent) with checked (M,) weights.

    Raises:
        InvalidRequestError: the pooling or a parameter is not known, or nobody is present.
        PluginError: a plugged-in pooling is broken.
    """
    members, outcomes = probabilities.shape
    chosen = name if name in POOLINGS else choose("pooling", name, ALL_POOLINGS)
    pooled = any_pooling(chosen, parameters, members, outcomes).pool(probabilities, weights)
    if not pooled.probabilities:
        raise InvalidRequestError.of("probabilities", "every row is NaN: nobody is present")
    agreement = pooled.agreement
    decision = decide(
        agreement.vote_share,
        answered=agreement.answered,
        asked=members,
        min_responses=1,
        min_agreement=min_agreement,
        high_agreement=high_agreement,
        decided=pooled.decided,
    )
    trust = meta_confidence(pooled.confidence, agreement.vote_share, pooled.normalised_dispersion)
    return Aggregated(pooled, trust, decision)
