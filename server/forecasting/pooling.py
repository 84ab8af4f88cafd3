# SPDX-License-Identifier: Apache-2.0
"""How answers become one: each pooling by its name, on the kernels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kernels.consensus import NO_PARAMETERS, Consensus
from kernels.methods import (
    CHOSEN,
    DECIDED,
    DISPERSION,
    EFFECTIVE_MEMBERS,
    ENTROPY,
    INTERVAL_HIGH,
    INTERVAL_LOW,
    NORMALISED_DISPERSION,
    PRESENT,
    SUMMARY_SIZE,
    VOTE_SHARE,
    PoolingMethod,
)
from server.forecasting.errors import InvalidRequestError
from server.forecasting.prediction import Agreement, Interval

INTERVAL_LEVEL = 0.9
INTERVAL_METHOD = "dispersion"


@dataclass(frozen=True, slots=True)
class Pooled:
    """A pool with everything that is known about it.

    ``probabilities`` (C,), empty when nobody answered; ``weights`` and
    ``contributions`` (M,). ``decided`` is False where the pooling's own rule
    found no winner (no majority, not unanimous). ``raw`` (C,): the probabilities
    before calibration, empty where there was none.
    """

    probabilities: tuple[float, ...]
    chosen: int
    weights: tuple[float, ...]
    contributions: tuple[float, ...]
    agreement: Agreement
    normalised_dispersion: float
    interval: Interval | None
    decided: bool
    raw: tuple[float, ...] = ()

    @property
    def confidence(self) -> float:
        """The probability of the chosen outcome; 0 when nobody answered."""
        return self.probabilities[self.chosen] if self.probabilities else 0.0


def meta_confidence(confidence: float, vote_share: float, normalised_dispersion: float) -> float:
    """How far to trust an answer: confidence × vote share × (1 − dispersion / ln C), 0..1."""
    return confidence * vote_share * (1.0 - normalised_dispersion)


class Pooling(Protocol):
    """A way to pool. Built once for each ensemble and shape; not shared by threads."""

    def pool(self, probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> Pooled:
        """Pool (M, C) probabilities (a NaN row is absent) with (M,) weights >= 0."""
        ...


def figures_of(pooled: Pooled) -> bytes:
    """The figures of a pool as the kernel gives them, float64 in one run.

    In this order: summary, probabilities (C,), weights (M,), contributions (M,).
    """
    summary = [0.0] * SUMMARY_SIZE
    agreement = pooled.agreement
    summary[CHOSEN] = pooled.chosen
    summary[VOTE_SHARE] = agreement.vote_share
    summary[DISPERSION] = agreement.dispersion
    summary[NORMALISED_DISPERSION] = pooled.normalised_dispersion
    summary[ENTROPY] = agreement.entropy
    summary[EFFECTIVE_MEMBERS] = agreement.effective_members
    summary[PRESENT] = agreement.answered
    if pooled.interval is not None:
        summary[INTERVAL_LOW], summary[INTERVAL_HIGH] = pooled.interval.low, pooled.interval.high
    summary[DECIDED] = float(pooled.decided)
    return np.array([*summary, *pooled.probabilities, *pooled.weights, *pooled.contributions]).tobytes()


#: Names of the scalar parameters that a pooling takes, in the kernel's order.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "linear": (),
    "log_odds": (),
    "extremised": ("exponent",),
    "trimmed_mean": ("share",),
    "median": (),
    "majority": ("confidence",),
    "weighted_vote": ("confidence",),
    "unanimous": (),
    "best_confidence": (),
    "confidence_weighted": (),
    "bayesian": ("correlation",),
    "beta_linear": ("alpha", "beta"),
}
_DEFAULTS = {"exponent": 1.5, "share": 0.1, "confidence": 0.0, "correlation": 1.0, "alpha": 1.0, "beta": 1.0}
_RANGES = {
    "exponent": (0.0, 100.0),
    "share": (0.0, 0.5),
    "confidence": (0.0, 1.0),
    "correlation": (0.0, 1.0),
    "alpha": (1e-6, 1e6),
    "beta": (1e-6, 1e6),
}

POOLINGS: tuple[str, ...] = tuple(PARAMETERS)


def parameter_vector(pooling: str, parameters: Mapping[str, float]) -> NDArray[np.float64]:
    """The kernel's parameter vector.

    Raises:
        InvalidRequestError: a parameter is not one of the pooling's, or out of range.
    """
    names = PARAMETERS[pooling]
    for name, value in parameters.items():
        if name not in names:
            known = ", ".join(names) or "none"
            raise InvalidRequestError.of(
                f"parameters[{name}]", f"{pooling!r} has no such parameter; it has: {known}"
            )
        low, high = _RANGES[name]
        if not low <= value <= high:
            raise InvalidRequestError.of(
                f"parameters[{name}]", f"must be in {low:g}..{high:g}, got {value:g}"
            )
    if not parameters:
        return NO_PARAMETERS
    return np.array([parameters.get(name, _DEFAULTS[name]) for name in names])


def resolved_parameters(pooling: str, parameters: Mapping[str, float]) -> dict[str, float]:
    """The parameters by name, defaults written out: what a record keeps. A plug-in's are as given."""
    if pooling not in PARAMETERS:
        return dict(parameters)
    return {name: parameters.get(name, _DEFAULTS[name]) for name in PARAMETERS[pooling]}


class KernelPooling:
    """A pooling of ``kernels.consensus`` with its buffers for one shape; not shared by threads."""

    __slots__ = ("_consensus", "_members", "_method", "_outcomes", "_parameters")

    def __init__(self, method: int, parameters: NDArray[np.float64], members: int, outcomes: int) -> None:
        self._consensus = Consensus(members, outcomes)
        self._method = method
        self._parameters = parameters
        self._members = members
        self._outcomes = outcomes

    def figures(self, probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> bytes:
        """Pool (M, C) probabilities (a NaN row is absent) with (M,) weights >= 0; see ``figures_of``."""
        self._consensus(probabilities, weights, self._method, self._parameters)
        return self._consensus.results.tobytes()

    def binary_figures(self, first: NDArray[np.float64], weights: NDArray[np.float64]) -> bytes | int:
        """Pool two outcomes from the first one's (M,) probabilities, NaN for the absent.

        The index of a probability outside 0..1, if there is one.
        """
        bad = self._consensus.binary(first, weights, self._method, self._parameters)
        return self._consensus.results.tobytes() if bad < 0 else bad

    def pool(self, probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> Pooled:
        """Pool (M, C) probabilities (a NaN row is absent) with (M,) weights >= 0, all of it named."""
        self._consensus(probabilities, weights, self._method, self._parameters)
        found = self._consensus.results.tolist()
        summary = found[:SUMMARY_SIZE]
        present = int(summary[PRESENT])
        if not present:
            return _nobody(len(weights))
        weighing = SUMMARY_SIZE + self._outcomes
        contributing = weighing + self._members
        return Pooled(
            probabilities=tuple(found[SUMMARY_SIZE:weighing]),
            chosen=int(summary[CHOSEN]),
            weights=tuple(found[weighing:contributing]),
            contributions=tuple(found[contributing:]),
            agreement=Agreement(
                vote_share=summary[VOTE_SHARE],
                dispersion=summary[DISPERSION],
                effective_members=summary[EFFECTIVE_MEMBERS],
                entropy=summary[ENTROPY],
                answered=present,
                asked=len(weights),
            ),
            normalised_dispersion=summary[NORMALISED_DISPERSION],
            interval=Interval(summary[INTERVAL_LOW], summary[INTERVAL_HIGH], INTERVAL_LEVEL, INTERVAL_METHOD),
            decided=bool(summary[DECIDED]),
        )


def _nobody(members: int) -> Pooled:
    none = (0.0,) * members
    return Pooled((), 0, none, none, Agreement(0.0, 0.0, 0.0, 0.0, 0, members), 0.0, None, decided=False)


@lru_cache(maxsize=256)
def _kernel_pooling(
    name: str, parameters: tuple[tuple[str, float], ...], members: int, outcomes: int
) -> KernelPooling:
    method = int(PoolingMethod[name.upper()])
    return KernelPooling(method, parameter_vector(name, dict(parameters)), members, outcomes)


def pooling(name: str, parameters: Mapping[str, float], members: int, outcomes: int) -> KernelPooling:
    """The pooling of that canonical name for that shape, from a cache: the event loop's alone.

    Raises:
        InvalidRequestError: a parameter is not one of the pooling's, or out of range.
    """
    given = tuple(sorted(parameters.items())) if parameters else ()
    return _kernel_pooling(name, given, members, outcomes)


def weight_vector(weights: Sequence[float]) -> NDArray[np.float64]:
    """Weights as the kernels take them."""
    return np.array(weights, dtype=np.float64)
