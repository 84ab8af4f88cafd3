# SPDX-License-Identifier: Apache-2.0
"""How often the label sets of a walked method hold the truth, and how large they are.

Letters: N units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.forecasting.covering import label_set
from server.learning.coverage import LEVEL, Coverage
from server.research.cases import BACKGROUND, Ensemble
from server.research.rows import POOLED
from server.research.scores import Pool, Scored

Floats = NDArray[np.float64]
_OUTCOMES = ("YES", "NO")


@dataclass(frozen=True, slots=True)
class Covered:
    """Coverage with its 95 % interval (clusters resampled), and the mean size of the sets, on one panel."""

    panel: str
    n_units: int
    n_clusters: int
    wanted: float
    coverage: float
    coverage_low: float
    coverage_high: float
    mean_size: float


def coverage_of(ensembles: Sequence[Ensemble], said: Sequence[Floats], names: Sequence[str]) -> list[Covered]:
    """Each panel and the pool of all, walked forward: an outcome is learned from the day after it.

    ``said`` (N,) for each ensemble, the background's included: what is learned from.
    Units asked before anything can be said have no set and are left out.
    """
    sets = _sets(ensembles, said)
    panels = [e for e in ensembles if e.panel != BACKGROUND]
    parts = [_part(e, found) for e, found in zip(panels, sets, strict=True)]
    told = [(names[e.panel], part) for e, part in zip(panels, parts, strict=True) if part[0].clusters]
    if not told:
        return []
    each = [_covered(name, [part]) for name, part in told]
    return [*each, _covered(POOLED, [part for _, part in told])]


def _sets(ensembles: Sequence[Ensemble], said: Sequence[Floats]) -> list[Floats]:
    """(2, N) for each panel: whether each unit's set holds the truth, and its size; NaN without a set."""
    coverage = Coverage()
    found = [np.full((2, len(e.unit)), np.nan) for e in ensembles]
    for asking, place, row in _events(ensembles):
        ensemble, p = ensembles[place], float(said[place][row])
        kind, happened = ensemble.asked.contexts[row].kind, float(ensemble.outcome[row])
        if not asking:
            truth = np.array([happened, 1.0 - happened])
            coverage.learn(False, kind, np.array([p, 1.0 - p]), truth, ensemble.shocks[row])
        elif threshold := coverage.threshold(numeric=False, kind=kind):
            kept = label_set(_OUTCOMES, (p, 1.0 - p), threshold, LEVEL).outcomes
            holds = happened * ("YES" in kept) + (1.0 - happened) * ("NO" in kept)
            found[place][:, row] = holds, len(kept)
    return [one for e, one in zip(ensembles, found, strict=True) if e.panel != BACKGROUND]


def _events(ensembles: Sequence[Ensemble]) -> Iterator[tuple[bool, int, int]]:
    """Askings and outcomes in order of time: (asking, place of the ensemble, row); askings of a day first."""
    events = []
    for place, ensemble in enumerate(ensembles):
        for row in range(len(ensemble.unit)):
            events.append((int(ensemble.resolution_day[row]), 1, place, row))
            if ensemble.panel != BACKGROUND:
                events.append((int(ensemble.forecast_day[row]), 0, place, row))
    for _, known, place, row in sorted(events):
        yield not known, place, row


def _part(ensemble: Ensemble, found: Floats) -> tuple[Scored, Floats]:
    told = ~np.isnan(found[0])
    clusters = np.unique(ensemble.cluster[told], return_inverse=True)[1]
    return Scored(ensemble.outcome[told], clusters.astype(np.int64)), found[:, told]


def _covered(name: str, parts: Sequence[tuple[Scored, Floats]]) -> Covered:
    pool = Pool(tuple(scored for scored, _ in parts))
    by_cluster = [scored.by_cluster(found) for scored, found in parts]
    coverage, size = pool.mean(by_cluster)
    low, high = pool.interval(by_cluster)
    return Covered(
        panel=name,
        n_units=sum(found.shape[1] for _, found in parts),
        n_clusters=pool.clusters,
        wanted=LEVEL,
        coverage=float(coverage),
        coverage_low=float(low[0]),
        coverage_high=float(high[0]),
        mean_size=float(size),
    )
