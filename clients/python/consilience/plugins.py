# SPDX-License-Identifier: Apache-2.0
"""What a plug-in of your own must look like.

A plug-in is a callable that an installed package announces as an entry point;
the entry point's name is the name that configuration and requests use:

    [project.entry-points."consilience.poolings"]
    cautious = "mypackage:cautious"

    [project.entry-points."consilience.selections"]
    cheapest = "mypackage:cheapest"

Import nothing from the server: these Protocols are all that it asks for. They are
checked by shape, so a plain function is enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

__all__ = ["POOLING_GROUP", "SELECTION_GROUP", "Candidate", "Pooling", "Selection"]

#: Entry-point groups.
POOLING_GROUP = "consilience.poolings"
SELECTION_GROUP = "consilience.selections"


class Pooling(Protocol):
    """Turns the forecasts of several members into one."""

    def __call__(self, probabilities: "Array", weights: "Array", parameters: Mapping[str, float]) -> "Array":
        """Pool.

        Args:
            probabilities: (M, C), M >= 1 present members, C >= 2 outcomes; rows sum to 1.
            weights: (M,), >= 0 with a positive sum.
            parameters: The request's or the configuration's own figures, by name.

        Returns:
            (C,): probabilities that sum to 1. Pure: the arguments stay as they are.
        """
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that may be asked; None where nothing is known yet."""

    name: str
    weight: float
    accuracy: float | None = None
    cost_nano_usd: int | None = None
    latency_s: float | None = None


class Selection(Protocol):
    """Decides who is asked."""

    def __call__(
        self, candidates: Sequence[Candidate], category: str, parameters: Mapping[str, float]
    ) -> Sequence[str]:
        """Names of those to ask, at least one, in any order; unknown names are refused.

        Args:
            candidates: All members that are switched on, in configured order.
            category: The question's category; "" where it has none.
            parameters: The request's or the configuration's own figures, by name.
        """
        ...
