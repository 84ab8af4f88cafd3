# SPDX-License-Identifier: Apache-2.0
"""From columns to figures: means over clusters, intervals, and paired differences from a baseline."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.research.grid.dataset import Case
from server.research.grid.score import CellScores
from server.research.scores import Pool, Scored, calibration_error

Floats = NDArray[np.float64]

POOLED = "pooled"
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Figures:
    """One cell on one panel or on the pool of all; every cluster of questions counts once.

    ``*_low`` and ``*_high``: 95 % bootstrap intervals, clusters resampled within
    panels. ``*_diff``: paired differences from the baseline cell; negative Brier
    and log score are better. ``reliability``: share of questions answered in time.
    Latency, seconds, and cost, US dollars a question, are simulated or None.
    ``consensus``: mean vote share; ``acted``: mean size that the decisions leave.
    """

    panel: str
    cell: str
    pooling: str
    weighting: str
    calibration: str
    execution: str
    selection: str
    n_questions: int
    n_clusters: int
    reliability: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    brier: float
    brier_low: float
    brier_high: float
    log_score: float
    ece: float | None
    calls: float
    cost_usd: float | None
    cost_total_usd: float | None
    latency_mean_s: float | None
    latency_p50_s: float | None
    latency_p95_s: float | None
    latency_p99_s: float | None
    consensus: float | None
    acted: float
    brier_diff: float
    brier_diff_low: float
    brier_diff_high: float
    log_score_diff: float
    log_score_diff_low: float
    log_score_diff_high: float
    accuracy_diff: float
    accuracy_diff_low: float
    accuracy_diff_high: float

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


class Scorer:
    """Knows the cases; turns columns into figures."""

    def __init__(self, cases: Sequence[Case]) -> None:
        names = list(dict.fromkeys(case.panel for case in cases))
        places = np.array([names.index(case.panel) for case in cases])
        self.panels = tuple(names)
        self._rows = [np.flatnonzero(places == i) for i in range(len(names))]
        self._scored = [_scored([cases[i] for i in rows.tolist()]) for rows in self._rows]

    def figures(self, names: dict[str, Any], own: CellScores, baseline: CellScores) -> list[Figures]:
        """One row for each panel, then the pool of all where there is more than one.

        ``names``: the cell's name and choices, by field.
        """
        wholes = [(panel, [i]) for i, panel in enumerate(self.panels)]
        if len(self.panels) > 1:
            wholes.append((POOLED, list(range(len(self.panels)))))
        return [self._figures(panel, which, names, own, baseline) for panel, which in wholes]

    def mean(self, column: Floats) -> float:
        """Mean over all clusters of all panels."""
        pool, parts = self._pool(range(len(self.panels)))
        return float(pool.mean([s.by_cluster(column[rows]) for s, rows in parts]))

    def interval(self, column: Floats) -> tuple[float, float, float]:
        """Mean with its interval, over all panels."""
        return self._estimate(column, range(len(self.panels)))

    def _pool(self, which: Sequence[int]) -> tuple[Pool, list[tuple[Scored, NDArray[np.int64]]]]:
        parts = [(self._scored[i], self._rows[i]) for i in which]
        return Pool(tuple(scored for scored, _ in parts)), parts

    def _estimate(self, column: Floats, which: Sequence[int]) -> tuple[float, float, float]:
        pool, parts = self._pool(which)
        by_cluster = [scored.by_cluster(column[rows]) for scored, rows in parts]
        low, high = pool.interval(by_cluster)
        return float(pool.mean(by_cluster)), float(low), float(high)

    def _figures(
        self, panel: str, which: Sequence[int], names: dict[str, Any], own: CellScores, baseline: CellScores
    ) -> Figures:
        pool, parts = self._pool(which)
        rows = np.concatenate([rows for _, rows in parts])
        latency = own.latency_s[rows][~np.isnan(own.latency_s[rows])]
        estimates: dict[str, Any] = {}
        for name in ("accuracy", "brier", "log_score"):
            column = "right" if name == "accuracy" else name
            mine, theirs = getattr(own, column), getattr(baseline, column)
            _put(estimates, name, self._estimate(mine, which))
            _put(estimates, f"{name}_diff", self._estimate(mine - theirs, which))
        for name in ("log_score_low", "log_score_high"):
            del estimates[name]
        rounded: dict[str, Any] = {name: _rounded(value) for name, value in estimates.items()}
        return Figures(
            panel=panel,
            **names,
            n_questions=len(rows),
            n_clusters=pool.clusters,
            reliability=_rounded(own.answered[rows].mean()),
            ece=_ece(own, rows, pool.weights),
            calls=_rounded(own.calls[rows].mean()),
            cost_usd=_mean_of_known(own.cost_usd[rows]),
            cost_total_usd=_sum_of_known(own.cost_usd[rows]),
            latency_mean_s=_mean_of_known(latency),
            latency_p50_s=_percentile(latency, 50),
            latency_p95_s=_percentile(latency, 95),
            latency_p99_s=_percentile(latency, 99),
            consensus=_mean_of_known(own.vote_share[rows]),
            acted=_rounded(own.size[rows].mean()),
            **rounded,
        )


def _scored(cases: Sequence[Case]) -> Scored:
    numbers = {cluster: i for i, cluster in enumerate(dict.fromkeys(case.cluster for case in cases))}
    return Scored(np.zeros(len(cases)), np.array([numbers[case.cluster] for case in cases], dtype=np.int64))


def _put(into: dict[str, Any], name: str, estimate: tuple[float, float, float]) -> None:
    into[name], into[f"{name}_low"], into[f"{name}_high"] = estimate


def _ece(own: CellScores, rows: NDArray[np.int64], weights: Floats) -> float | None:
    said, happened = own.said[rows], own.happened[rows]
    told = ~np.isnan(said)
    if not told.any():
        return None
    return _rounded(calibration_error(said[told], happened[told], weights[told]))


def _mean_of_known(values: Floats) -> float | None:
    told = values[~np.isnan(values)]
    return _rounded(told.mean()) if len(told) else None


def _sum_of_known(values: Floats) -> float | None:
    told = values[~np.isnan(values)]
    return _rounded(told.sum()) if len(told) else None


def _percentile(values: Floats, rank: float) -> float | None:
    return _rounded(np.percentile(values, rank)) if len(values) else None


def _rounded(value: float) -> float:
    """Rounded, and never minus zero."""
    return round(float(value), DIGITS) + 0.0
