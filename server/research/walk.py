# SPDX-License-Identifier: Apache-2.0
"""The walk through time: what each method would have said on each day, knowing only the days before.

On every day, first the outcomes whose resolution date lies before that day are
shown to the learners, then the questions of that day are pooled and calibrated.
Nothing else reaches a learner, so nothing later can.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.learning.batches import Asked, Resolved, expit, log_odds
from server.learning.calibration import Calibrator, Outcomes, Pools
from server.learning.market import without_prices
from server.learning.methods import CALIBRATORS, Weightings
from server.research.cases import BACKGROUND, Ensemble
from server.research.series import Method, Series, pool

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

STRICT, REAGGREGATED = "strict", "reaggregated"
MODES = (STRICT, REAGGREGATED)


@dataclass(frozen=True, slots=True)
class Walked:
    """``said[mode][ensemble]`` (methods, N): each method's probability of YES for each unit.

    The background's are NaN unless they were asked for, and always NaN when reaggregated.
    """

    methods: tuple[Method, ...]
    said: dict[str, tuple[Floats, ...]]


def walk(ensembles: Sequence[Ensemble], methods: Sequence[Method], *, background: bool = False) -> Walked:
    """Walk all methods through all days at once; ``background``: keep what they say of it, too."""
    walker = _Walker(ensembles, methods, background)
    for day in _days(ensembles):
        walker.step(day)
    return Walked(tuple(methods), {mode: tuple(walker.said[mode]) for mode in MODES})


def _days(ensembles: Sequence[Ensemble]) -> list[int]:
    days: set[int] = set()
    for ensemble in ensembles:
        days.update(ensemble.forecast_day.tolist())
        if ensemble.panel != BACKGROUND:
            days.update(ensemble.repool_day.tolist())
    return sorted(days)


class _Walker:
    def __init__(self, ensembles: Sequence[Ensemble], methods: Sequence[Method], background: bool) -> None:
        self._background = background
        self._ensembles = ensembles
        self._methods = methods
        self._series = tuple(dict.fromkeys(method.series for method in methods))
        self._weightings = {
            market: Weightings(with_market=market)
            for market in sorted({series.market for series in self._series})
        }
        self._calibrators: list[Calibrator] = [CALIBRATORS[method.calibration]() for method in methods]
        self._of_series = [
            [i for i, method in enumerate(methods) if method.series == series] for series in self._series
        ]
        self._pooled = [np.full((len(self._series), len(e.unit)), np.nan) for e in ensembles]
        self._known_before = -1
        self.said = {
            mode: [np.full((len(methods), len(e.unit)), np.nan) for e in ensembles] for mode in MODES
        }

    def step(self, day: int) -> None:
        """One day."""
        self._reveal(day)
        for place, ensemble in enumerate(self._ensembles):
            asked = np.flatnonzero(ensemble.forecast_day == day)
            if len(asked):
                self._ask(place, ensemble, asked)
            if ensemble.panel != BACKGROUND:
                again = np.flatnonzero((ensemble.repool_day == day) & (ensemble.forecast_day < day))
                if len(again):
                    self._said(REAGGREGATED, place, again, self._pool(ensemble, again))

    def _reveal(self, day: int) -> None:
        """Show the learners every outcome of the days since the last step, day by day."""
        waiting = [
            (e.resolution_day >= self._known_before) & (e.resolution_day < day) for e in self._ensembles
        ]
        days = {int(d) for e, w in zip(self._ensembles, waiting, strict=True) for d in e.resolution_day[w]}
        for one in sorted(days):
            self._learn([np.flatnonzero(e.resolution_day == one) for e in self._ensembles])
        self._known_before = day

    def _learn(self, rows: Sequence[Rows]) -> None:
        for ensemble, which in zip(self._ensembles, rows, strict=True):
            if len(which):
                for market, weightings in self._weightings.items():
                    resolved = _resolved(ensemble, which, market)
                    for learner in weightings.learners:
                        learner.observe(resolved)
        self._teach_calibrators(rows)

    def _teach_calibrators(self, rows: Sequence[Rows]) -> None:
        pairs = [(e, which) for e, which in zip(self._ensembles, rows, strict=True) if len(which)]
        contexts = tuple(e.asked.contexts[i] for e, which in pairs for i in which)
        members = np.concatenate([_members(e.asked)[which] for e, which in pairs])
        shocks = tuple(e.shocks[i] for e, which in pairs for i in which)
        outcomes = Outcomes(
            np.concatenate([e.outcome[which] for e, which in pairs]), shocks, np.ones(len(shocks))
        )
        pooled = np.concatenate(
            [self._pooled[place][:, which] for place, which in enumerate(rows) if len(which)], axis=1
        )
        for series, its_methods in enumerate(self._of_series):
            pools = Pools(pooled[series], contexts, members)
            for method in its_methods:
                self._calibrators[method].observe(pools, outcomes)

    def _ask(self, place: int, ensemble: Ensemble, rows: Rows) -> None:
        for market, weightings in self._weightings.items():
            asked = _asked(ensemble, rows, market)
            for learner in weightings.learners:
                learner.watch(asked)
        pooled = self._pool(ensemble, rows)
        self._pooled[place][:, rows] = pooled
        if ensemble.panel != BACKGROUND or self._background:
            self._said(STRICT, place, rows, pooled)
        if ensemble.panel == BACKGROUND:
            return
        self.said[REAGGREGATED][place][:, rows] = self.said[STRICT][place][:, rows]

    def _pool(self, ensemble: Ensemble, rows: Rows) -> Floats:
        """(series, N): pooled log-odds with the weights of now."""
        out = np.empty((len(self._series), len(rows)))
        weights: dict[tuple[str, bool], Floats] = {}
        for i, series in enumerate(self._series):
            asked = _asked(ensemble, rows, series.market)
            key = (series.weighting, series.market)
            if key not in weights:
                weights[key] = self._weightings[series.market][series.weighting].weights(asked)
            out[i] = _pooled(series, asked, weights[key], ensemble, rows)
        return out

    def _said(self, mode: str, place: int, rows: Rows, pooled: Floats) -> None:
        ensemble = self._ensembles[place]
        contexts = tuple(ensemble.asked.contexts[i] for i in rows)
        members = _members(ensemble.asked)[rows]
        for series, its_methods in enumerate(self._of_series):
            pools = Pools(pooled[series], contexts, members)
            for method in its_methods:
                self.said[mode][place][method, rows] = expit(self._calibrators[method].calibrate(pools))


def _asked(ensemble: Ensemble, rows: Rows, market: bool) -> Asked:
    asked = ensemble.asked.rows(rows)
    return asked if market else without_prices(asked)


def _resolved(ensemble: Ensemble, rows: Rows, market: bool) -> Resolved:
    shocks = [ensemble.shocks[i] for i in rows]
    return Resolved.of(_asked(ensemble, rows, market), ensemble.outcome[rows], shocks)


def _members(asked: Asked) -> Rows:
    """(N,): how many members have answered, prices apart."""
    return np.asarray(without_prices(asked).present.sum(axis=1), dtype=np.int64)


def _pooled(series: Series, asked: Asked, weights: Floats, ensemble: Ensemble, rows: Rows) -> Floats:
    """(N,): pooled log-odds; a unit that only has a price is pooled from it, whatever the series."""
    nobody = np.full(len(rows), np.nan)
    pooled = pool(series, asked.probabilities, weights) if asked.members else nobody
    alone = np.isnan(pooled)
    if alone.any():
        last = ensemble.asked.probabilities[rows, -2:]
        pooled = np.where(alone, np.where(np.isnan(last[:, 0]), last[:, 1], last[:, 0]), pooled)
    return log_odds(np.where(np.isnan(pooled), 0.5, pooled))
