# SPDX-License-Identifier: Apache-2.0
"""What the engine asks of learning: weights and a calibration curve for one question, as of now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from server.forecasting.deadline import Deadline
from server.forecasting.ensemble import EnsembleSpec, Plan
from server.forecasting.ports import Forecaster
from server.forecasting.question import Question
from server.learning.calibration import Curve
from server.learning.context import Context
from server.learning.context_value import ContextValue

Floats = NDArray[np.float64]


class Advice(Protocol):
    """Advice for one question, as of the moment at which it is used."""

    @property
    def version(self) -> str:
        """What it was learned from."""
        ...

    def weights(self, probabilities: Floats) -> Floats:
        """(M,), >= 0: the planned members' weights for their answers (M, C), NaN rows absent."""
        ...

    def curve(self, probabilities: Floats) -> Curve:
        """The calibration of a pool of these answers (M, C)."""
        ...


@runtime_checkable
class Covering(Protocol):
    """Advice that knows how strange outcomes have been."""

    @property
    def coverage(self) -> float:
        """The strangeness that the truth stays below at ``coverage.LEVEL``; 0 where it is not known."""
        ...


@runtime_checkable
class Comparing(Protocol):
    """Advice that knows who errs with whom."""

    def independent(self, weights: Floats) -> float | None:
        """How many independent members the plan's are worth by these weights (M,), 0 for the absent.

        None: too few outcomes have been shared.
        """
        ...


@dataclass(frozen=True, slots=True)
class Experience:
    """What outcomes have taught of an ensemble's members.

    ``value`` orders them for ``context``; ``excess`` is each member's Brier score above
    the others' over 30 days, where it is known well enough.
    """

    value: ContextValue
    context: Context
    excess: Mapping[str, float]


class Adviser(Protocol):
    """Gives advice; what it learns, and when, is its own affair."""

    async def advise(
        self, forecasters: Mapping[str, Forecaster], plan: Plan, question: Question, deadline: Deadline
    ) -> Advice | None:
        """Advice by the plan's weighting and calibration; None where nothing can be learned for it.

        It may wait for what is still being read, but leaves most of the time to the members.
        """
        ...


class Experienced(Protocol):
    """Knows how an ensemble's members have done."""

    def experience(self, ensemble: str, question: Question) -> Experience | None:
        """What outcomes have taught of the ensemble's members; None before any, and where it is of later."""
        ...


def learns(spec: EnsembleSpec) -> bool:
    """Whether an ensemble's choices need any advice."""
    return spec.weighting != "fixed" or spec.calibration != "none"
