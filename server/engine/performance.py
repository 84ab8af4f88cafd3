# SPDX-License-Identifier: Apache-2.0
"""How well members did, from what has been learned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.engine.ensembles import Ensembles
from server.engine.learner import Learner
from server.forecasting.deadline import Clock
from server.learning.errors import UNKNOWN_CORRELATION
from server.learning.rolling import WINDOWS
from server.learning.standing import Standing

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PerformanceWish:
    """Which rows are wanted; empty: all."""

    ensemble: str = ""
    member: str = ""
    category: str = ""
    horizon: str = ""
    regime: str = ""
    windows: tuple[str, ...] = tuple(WINDOWS)


class Performances:
    """Reads the learner's tables."""

    def __init__(self, learner: Learner, ensembles: Ensembles, clock: Clock) -> None:
        self._learner = learner
        self._ensembles = ensembles
        self._clock = clock

    def rows(self, wish: PerformanceWish) -> Sequence[Standing]:
        """Every member in every cell in which it was judged, by window, member and cell.

        Raises:
            NotFoundError: there is no such ensemble.
        """
        name = self._ensembles.get(wish.ensemble).spec.name
        now_us = int(self._clock.now().timestamp() * 1e6)
        return [
            row
            for row in self._learner.memory.standings(name, now_us, wish.windows)
            if wish.member in ("", row.member)
            and wish.category in ("", row.category)
            and wish.horizon in ("", row.horizon)
            and wish.regime in ("", row.regime)
        ]

    def correlation(self, ensemble: str) -> tuple[tuple[str, ...], Floats, float] | None:
        """Members, the correlation of their errors (M, M), and their effective number; None before outcomes.

        Raises:
            NotFoundError: there is no such ensemble.
        """
        name = self._ensembles.get(ensemble).spec.name
        record = self._learner.memory.records.get(name)
        if record is None or not record.members:
            return None
        members = tuple(record.members)
        effective = record.errors.independent(members, np.ones(len(members)), UNKNOWN_CORRELATION)
        return members, record.errors.correlation(members), effective
