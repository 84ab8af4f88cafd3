# SPDX-License-Identifier: Apache-2.0
"""A pooling that leans towards the member nearest to even odds, and a selection by price."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from consilience.plugins import Candidate, Pooling, Selection

if TYPE_CHECKING:
    from consilience.plugins import Array


def cautious(probabilities: "Array", weights: "Array", parameters: Mapping[str, float]) -> "Array":
    """The weighted mean, drawn by the share ``caution`` (0.5) towards the least certain member."""
    caution = parameters.get("caution", 0.5)
    mean = weights @ probabilities / weights.sum()
    least_certain = probabilities[probabilities.max(axis=1).argmin()]
    return np.asarray((1.0 - caution) * mean + caution * least_certain)


def cheapest(
    candidates: Sequence[Candidate], category: str, parameters: Mapping[str, float]
) -> Sequence[str]:
    """The ``members`` (3) cheapest; those of unknown price come last."""
    del category
    count = max(int(parameters.get("members", 3)), 1)
    by_price = sorted(candidates, key=lambda c: (c.cost_nano_usd is None, c.cost_nano_usd or 0))
    return [candidate.name for candidate in by_price[:count]]


# A type checker proves here that both are what the server asks for.
_POOLING: Pooling = cautious
_SELECTION: Selection = cheapest
