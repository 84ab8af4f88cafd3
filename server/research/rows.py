# SPDX-License-Identifier: Apache-2.0
"""The table that an evaluation gives out: one row a mode, panel and method."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.research.scores import (
    Pool,
    Scored,
    brier,
    calibration_error,
    calibration_line,
    log_score,
)

Floats = NDArray[np.float64]

#: Name of the pool of all panels.
POOLED = "pooled"
#: Digits after the point; far below the noise, far above rounding.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one panel, or on the pool of all.

    ``diff_mean`` is the mean paired difference of Brier scores from the plain mean
    of the members, with its 95 % interval; negative is better. ``slope`` and
    ``intercept`` are those of outcomes on log-odds; (1, 0) is calibrated; None where
    no finite line fits.
    """

    mode: str
    panel: str
    method: str
    default: bool
    n_clusters: int
    brier: float
    log_score: float
    ece: float
    slope: float | None
    intercept: float | None
    diff_mean: float
    diff_mean_low: float
    diff_mean_high: float

    def as_json(self) -> dict[str, Any]:
        """The row as a JSON object."""
        return asdict(self)


def make_rows(
    mode: str,
    panels: Sequence[tuple[str, Scored]],
    names: Sequence[str],
    default: str,
    said: Sequence[Floats],
    baseline: Sequence[Floats],
) -> list[Row]:
    """Rows of all panels, then of their pool.

    ``said`` holds (methods, N) probabilities for each panel, ``baseline`` (N,) those
    of the plain mean.
    """
    scored = [panel for _, panel in panels]
    briers = [panel.by_cluster(brier(p, panel.outcome)) for p, panel in zip(said, scored, strict=True)]
    logs = [panel.by_cluster(log_score(p, panel.outcome)) for p, panel in zip(said, scored, strict=True)]
    plain = [panel.by_cluster(brier(p, panel.outcome)) for p, panel in zip(baseline, scored, strict=True)]
    differences = [own - base for own, base in zip(briers, plain, strict=True)]
    rows = []
    for index, (name, panel) in enumerate(panels):
        if panel.clusters:
            one = slice(index, index + 1)
            pool = Pool((panel,))
            rows += _rows(
                mode, name, names, default, pool, said[one], briers[one], logs[one], differences[one]
            )
    return rows + _rows(mode, POOLED, names, default, Pool(tuple(scored)), said, briers, logs, differences)


def _rows(
    mode: str,
    panel: str,
    names: Sequence[str],
    default: str,
    pool: Pool,
    said: Sequence[Floats],
    briers: Sequence[Floats],
    logs: Sequence[Floats],
    differences: Sequence[Floats],
) -> list[Row]:
    low, high = pool.interval(differences)
    means = pool.mean(briers), pool.mean(logs), pool.mean(differences)
    probabilities = np.concatenate(said, axis=-1)
    outcome, weights = pool.outcome, pool.weights
    rows = []
    for i, name in enumerate(names):
        slope, intercept = calibration_line(probabilities[i], outcome, weights)
        rows.append(
            Row(
                mode=mode,
                panel=panel,
                method=name,
                default=name == default,
                n_clusters=pool.clusters,
                brier=_rounded(means[0][i]),
                log_score=_rounded(means[1][i]),
                ece=_rounded(calibration_error(probabilities[i], outcome, weights)),
                slope=_finite(slope),
                intercept=_finite(intercept),
                diff_mean=_rounded(means[2][i]),
                diff_mean_low=_rounded(low[i]),
                diff_mean_high=_rounded(high[i]),
            )
        )
    return rows


def _rounded(value: float) -> float:
    """Rounded, and never minus zero."""
    return round(float(value), DIGITS) + 0.0


def _finite(value: float) -> float | None:
    return _rounded(value) if np.isfinite(value) else None
