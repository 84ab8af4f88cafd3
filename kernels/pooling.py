# SPDX-License-Identifier: Apache-2.0
"""The checked door to pooling: anything array-like in, a named result out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kernels._types import Matrix, Vector
from kernels.checks import as_array, as_probabilities, require_shape, require_unit, require_weights
from kernels.consensus import Consensus
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
    VOTE_SHARE,
    PoolingMethod,
)


@dataclass(frozen=True, slots=True)
class Pooled:
    """One query's consensus. Shapes: M members, C outcomes.

    Attributes:
        probabilities: (C,) what the pool believes; NaN if all are absent.
        chosen: index of the most probable outcome, -1 if all are absent.
        decided: whether the method reached a decision by its own rule.
        vote_share: share of present members whose own choice is the chosen one.
        dispersion: weighted Jensen–Shannon divergence of the members, nats.
        normalised_dispersion: dispersion over log C, 0..1.
        entropy: of the pooled probabilities, nats.
        effective_members: Kish's 1 / Σ w².
        present: number of members that answered.
        interval: range (low, high) of outcome 0's probability, level 0.9.
        used_weights: (M,) weights that counted, summing to 1.
        contributions: (M,) exact leave-one-out contribution to the chosen outcome.
    """

    probabilities: Vector
    chosen: int
    decided: bool
    vote_share: float
    dispersion: float
    normalised_dispersion: float
    entropy: float
    effective_members: float
    present: int
    interval: tuple[float, float]
    used_weights: Vector
    contributions: Vector


def check_parameters(method: PoolingMethod, parameters: Vector, members: int, outcomes: int) -> None:
    """Raises ValueError unless the parameters fit the method's layout (PoolingMethod)."""
    size = parameters.shape[0]
    allowed = _sizes(method, members, outcomes)
    if size not in allowed:
        raise ValueError(f"parameters of {method.name} must have length {sorted(allowed)}, not {size}")
    if size == 0:
        return
    if method in (PoolingMethod.BEST_CONFIDENCE, PoolingMethod.CONFIDENCE_WEIGHTED):
        require_unit("parameters (members' own confidence)", parameters)
    elif not np.all(np.isfinite(parameters)):
        raise ValueError(f"parameters of {method.name} must be finite")
    elif method in _UNIT_PARAMETERS:
        require_unit(f"parameters of {method.name}", parameters)
    if method == PoolingMethod.TRIMMED_MEAN and parameters[0] > 0.5:
        raise ValueError("parameters of TRIMMED_MEAN: the share cut from each end must be at most 0.5")
    if method in (PoolingMethod.EXTREMISED, PoolingMethod.BETA_LINEAR) and np.any(parameters <= 0):
        raise ValueError(f"parameters of {method.name} must be above 0")


_UNIT_PARAMETERS = frozenset(
    {
        PoolingMethod.TRIMMED_MEAN,
        PoolingMethod.MAJORITY,
        PoolingMethod.WEIGHTED_VOTE,
        PoolingMethod.BAYESIAN,
    }
)


def _sizes(method: PoolingMethod, members: int, outcomes: int) -> frozenset[int]:
    cells = members * outcomes
    sizes: dict[PoolingMethod, tuple[int, ...]] = {
        PoolingMethod.EXTREMISED: (0, 1),
        PoolingMethod.TRIMMED_MEAN: (0, 1),
        PoolingMethod.MAJORITY: (0, 1),
        PoolingMethod.WEIGHTED_VOTE: (0, 1),
        PoolingMethod.BEST_CONFIDENCE: (0, members),
        PoolingMethod.CONFIDENCE_WEIGHTED: (0, members),
        PoolingMethod.BAYESIAN: (0, 1, 1 + outcomes, 1 + outcomes + cells * outcomes),
        PoolingMethod.BETA_LINEAR: (0, 2),
        PoolingMethod.STACKED: (outcomes + members,),
    }
    return frozenset(sizes.get(method, (0,)))


def pool(
    probabilities: ArrayLike,
    weights: ArrayLike | None = None,
    method: PoolingMethod = PoolingMethod.LOG_ODDS,
    parameters: ArrayLike = (),
) -> Pooled:
    """Pool one query's forecasts.

    Args:
        probabilities: (M, C); rows sum to 1, a NaN row is an absent member.
        weights: (M,), >= 0; equal where not given.
        method: How to pool.
        parameters: Of the method; see PoolingMethod.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    p: Matrix = as_probabilities("probabilities", probabilities)
    members, outcomes = p.shape
    if members == 0:
        raise ValueError("probabilities must have at least one member in its first dimension")
    w: Vector = np.ones(members) if weights is None else as_array("weights", weights, 1)
    require_shape("weights", w, (members,), "one for each member")
    require_weights("weights", w)
    given: Vector = as_array("parameters", parameters, 1)
    check_parameters(PoolingMethod(method), given, members, outcomes)
    buffers = Consensus(members, outcomes)
    buffers(p, w, int(method), given)
    return _named(buffers)


def _named(buffers: Consensus) -> Pooled:
    s = buffers.summary
    return Pooled(
        probabilities=buffers.pooled,
        chosen=int(s[CHOSEN]),
        decided=bool(s[DECIDED]),
        vote_share=float(s[VOTE_SHARE]),
        dispersion=float(s[DISPERSION]),
        normalised_dispersion=float(s[NORMALISED_DISPERSION]),
        entropy=float(s[ENTROPY]),
        effective_members=float(s[EFFECTIVE_MEMBERS]),
        present=int(s[PRESENT]),
        interval=(float(s[INTERVAL_LOW]), float(s[INTERVAL_HIGH])),
        used_weights=buffers.used_weights,
        contributions=buffers.contributions,
    )
