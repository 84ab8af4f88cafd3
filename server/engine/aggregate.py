# SPDX-License-Identifier: Apache-2.0
"""Pooling of given forecasts: the pure hot path, no I/O, nothing stored."""

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.methods import CHOSEN, NORMALISED_DISPERSION, PRESENT, SUMMARY_SIZE, VOTE_SHARE
from server.forecasting.disagreement import decide
from server.forecasting.errors import InvalidRequestError
from server.forecasting.names import choose
from server.forecasting.plugged_pooling import ALL_POOLINGS, any_pooling
from server.forecasting.pooling import PARAMETERS, figures_of, meta_confidence, pooling
from server.forecasting.prediction import Decision

Floats = NDArray[np.float64]

_SUMMARY = Struct(f"<{SUMMARY_SIZE}d")
_FIGURE = Struct("<d")


class Aggregated(NamedTuple):
    """A pool for those who count microseconds.

    ``figures``: summary, probabilities (C,), weights (M,) and contributions (M,),
    float64 in one run. ``summary``: the first of them, places named in
    ``kernels.methods``.
    """

    figures: bytes
    summary: tuple[float, ...]
    chosen: int
    confidence: float
    meta_confidence: float


def aggregate(
    probabilities: Floats, weights: Floats, name: str, parameters: Mapping[str, float]
) -> Aggregated:
    """Pool checked (M, C) probabilities (a NaN row is absent) with checked (M,) weights.

    Probabilities (M,) are those of the first of two outcomes, and need not have been checked.

    Raises:
        InvalidRequestError: the pooling or a parameter is not known, nobody is
            present, or one of (M,) probabilities is outside 0..1.
        PluginError: a plugged-in pooling is broken.
    """
    if name in PARAMETERS:
        figures = _pooled(probabilities, weights, name, parameters)
    else:
        chosen = choose("pooling", name, ALL_POOLINGS)
        known = chosen in PARAMETERS
        figures = (_pooled if known else _plugged)(probabilities, weights, chosen, parameters)
    return _summed_up(figures)


def verdict(
    vote_share: float, answered: int, asked: int, decided: bool, min_agreement: float, high_agreement: float
) -> Decision:
    """What may be done with a pool; whoever is present is quorum enough."""
    return decide(
        vote_share,
        answered=answered,
        asked=asked,
        min_responses=1,
        min_agreement=min_agreement,
        high_agreement=high_agreement,
        decided=decided,
    )


def _pooled(probabilities: Floats, weights: Floats, name: str, parameters: Mapping[str, float]) -> bytes:
    if probabilities.ndim == 2:
        return pooling(name, parameters, *probabilities.shape).figures(probabilities, weights)
    figures = pooling(name, parameters, len(probabilities), 2).binary_figures(probabilities, weights)
    if isinstance(figures, int):
        raise InvalidRequestError.of(
            f"probabilities[{figures}]", f"must be in 0..1 or NaN (absent), got {probabilities[figures]:g}"
        )
    return figures


def _plugged(probabilities: Floats, weights: Floats, name: str, parameters: Mapping[str, float]) -> bytes:
    if probabilities.ndim == 1:
        # What a built-in pooling would refuse is refused before a stranger's code sees it.
        _pooled(probabilities, weights, "linear", {})
        probabilities = np.column_stack((probabilities, 1.0 - probabilities))
    return figures_of(any_pooling(name, parameters, *probabilities.shape).pool(probabilities, weights))


def _summed_up(figures: bytes) -> Aggregated:
    summary = _SUMMARY.unpack_from(figures)
    if not summary[PRESENT]:
        raise InvalidRequestError.of("probabilities", "every row is NaN: nobody is present")
    chosen = int(summary[CHOSEN])
    (confidence,) = _FIGURE.unpack_from(figures, 8 * (SUMMARY_SIZE + chosen))
    trust = meta_confidence(confidence, summary[VOTE_SHARE], summary[NORMALISED_DISPERSION])
    return Aggregated(figures, summary, chosen, confidence, trust)
