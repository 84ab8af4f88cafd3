# SPDX-License-Identifier: Apache-2.0
"""From what the pool says to what really happens that often: the protocol, and the identity."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kernels.calibrators import CalibrationMethod
from server.learning.batches import Flags, Floats, Integers
from server.learning.context import Context


@dataclass(frozen=True, slots=True)
class Pools:
    """N pooled answers: ``log_odds`` (N,), finite; each row's context, and how many members it has."""

    log_odds: Floats
    contexts: tuple[Context, ...]
    members: Integers

    def rows(self, which: Integers | Flags) -> "Pools":
        """Some of the rows."""
        places = np.arange(len(self.contexts))[which]
        return Pools(self.log_odds[places], tuple(self.contexts[i] for i in places), self.members[places])


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of N pooled answers; ``happened`` (N,) 0..1, ``shocks`` as in ``Resolved``."""

    happened: Floats
    shocks: tuple[Hashable, ...]
    weights: Floats


@dataclass(frozen=True, slots=True)
class Curve:
    """A calibration as the kernels apply it and as a replay keeps it."""

    method: CalibrationMethod
    parameters: tuple[float, ...] = ()


IDENTITY = Curve(CalibrationMethod.NONE)


class Calibrator(Protocol):
    """A map of log-odds, learned as time goes by from outcomes that have become known."""

    def observe(self, pools: Pools, outcomes: Outcomes) -> None:
        """Learn from pools whose outcomes have become known."""
        ...

    def calibrate(self, pools: Pools) -> Floats:
        """(N,): calibrated log-odds."""
        ...

    def curve(self, context: Context, members: int) -> Curve:
        """The same for one context and number of members, as the kernels take it."""
        ...


class Uncalibrated:
    """The identity."""

    def observe(self, pools: Pools, outcomes: Outcomes) -> None:
        """Outcomes teach nothing here."""

    def calibrate(self, pools: Pools) -> Floats:
        """See ``Calibrator``."""
        return pools.log_odds

    def curve(self, context: Context, members: int) -> Curve:
        """See ``Calibrator``."""
        return IDENTITY
