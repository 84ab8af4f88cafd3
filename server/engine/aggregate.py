# SPDX-License-Identifier: Apache-2.0
"""Pooling of given forecasts: the pure hot path, no I/O, nothing stored."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.methods import CHOSEN, DECIDED, NORMALISED_DISPERSION, PRESENT, VOTE_SHARE
from server.forecasting.disagreement import decide
from server.forecasting.errors import InvalidRequestError
from server.forecasting.names import choose
from server.forecasting.plugged_pooling import ALL_POOLINGS, any_pooling
from server.forecasting.pooling import POOLINGS, Raw, meta_confidence, pooling, raw_of
from server.forecasting.prediction import Decision

Floats = NDArray[np.float64]


class Aggregated(NamedTuple):
    """A pool with its verdict."""

    pooled: Raw
    chosen: int
    confidence: float
    meta_confidence: float
    decision: Decision


def aggregate(
    probabilities: Floats,
    weights: Floats,
    name: str,
    parameters: Mapping[str, float],
    min_agreement: float,
    high_agreement: float,
) -> Aggregated:
    """Pool checked (M, C) probabilities (a NaN row is absent) with checked (M,) weights.

    Probabilities (M,) are those of the first of two outcomes, and need not have been checked.

    Raises:
        InvalidRequestError: the pooling or a parameter is not known, nobody is
            present, or one of (M,) probabilities is outside 0..1.
        PluginError: a plugged-in pooling is broken.
    """
    if name in POOLINGS:
        raw = _pooled(probabilities, weights, name, parameters)
    else:
        chosen = choose("pooling", name, ALL_POOLINGS)
        known = chosen in POOLINGS
        raw = (_pooled if known else _plugged)(probabilities, weights, chosen, parameters)
    return _with_verdict(raw, len(weights), min_agreement, high_agreement)


def _pooled(probabilities: Floats, weights: Floats, name: str, parameters: Mapping[str, float]) -> Raw:
    if probabilities.ndim == 2:
        return pooling(name, parameters, *probabilities.shape).raw(probabilities, weights)
    raw = pooling(name, parameters, len(probabilities), 2).raw_binary(probabilities, weights)
    if isinstance(raw, int):
        raise InvalidRequestError.of(
            f"probabilities[{raw}]", f"must be in 0..1 or NaN (absent), got {probabilities[raw]:g}"
        )
    return raw


def _plugged(probabilities: Floats, weights: Floats, name: str, parameters: Mapping[str, float]) -> Raw:
    if probabilities.ndim == 1:
        # What a built-in pooling would refuse is refused before a stranger's code sees it.
        _pooled(probabilities, weights, "linear", {})
        probabilities = np.column_stack((probabilities, 1.0 - probabilities))
    return raw_of(any_pooling(name, parameters, *probabilities.shape).pool(probabilities, weights))


def _with_verdict(raw: Raw, asked: int, min_agreement: float, high_agreement: float) -> Aggregated:
    summary = raw.summary
    answered = int(summary[PRESENT])
    if not answered:
        raise InvalidRequestError.of("probabilities", "every row is NaN: nobody is present")
    vote_share = summary[VOTE_SHARE]
    decision = decide(
        vote_share,
        answered=answered,
        asked=asked,
        min_responses=1,
        min_agreement=min_agreement,
        high_agreement=high_agreement,
        decided=summary[DECIDED] != 0.0,
    )
    chosen = int(summary[CHOSEN])
    confidence = raw.probabilities[chosen]
    trust = meta_confidence(confidence, vote_share, summary[NORMALISED_DISPERSION])
    return Aggregated(raw, chosen, confidence, trust, decision)
