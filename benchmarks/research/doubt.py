# SPDX-License-Identifier: Apache-2.0
"""When to abstain: python -m benchmarks.research.doubt DATA/forecasts.

Area under the risk-coverage curve of the default's losses, the answers ordered by its
doubt p (1 - p) and by

- ``distances``: the distance from one half of what simpler pools say;
- ``learned``: scores that try to beat the default's own distance, each walked forward
  over all units of the file, also those outside the panels;
- ``hindsight``: a regression of the loss fitted on the very answers that it orders, which
  nobody could have had: what is there to be gained at most.

Writes ``benchmarks/results/doubt.json``.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import write
from server.learning.batches import expit, log_odds
from server.learning.calibration import Outcomes, Pools
from server.learning.market import prices, without_prices
from server.learning.platt import HierarchicalPlatt
from server.research.cases import BACKGROUND, Ensemble
from server.research.diagnostics import Compared, compare_orders
from server.research.evaluate import evaluate_table
from server.research.panels import read_panels
from server.research.scores import Pool, Scored, brier
from server.research.series import DEFAULT, MEAN, Method, Series
from server.research.table import read_table
from server.research.walk import MODES, Walked, walk

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

LOG_ODDS = Method(Series("log_odds", "fixed"), "none")
RAW = Method(DEFAULT.series, "none")
METHODS = (DEFAULT, MEAN, LOG_ODDS, RAW)
DISTANCES = {"the plain mean": MEAN, "the log-odds mean": LOG_ODDS, "the pool before calibration": RAW}
#: Cases that a ratio of losses is drawn towards 1 by; penalties of the regression.
PRIOR_CASES = 50.0
PENALTIES = (10.0, 30.0, 100.0)


def main(folder: Path) -> None:
    table = read_table(folder / "forecasts.parquet", folder / "market_prices.parquet")
    ensembles = evaluate_table(table, read_panels(folder / "panels.json"), (MEAN,)).ensembles
    walked = walk(ensembles, METHODS, background=True)
    scored = Answers(ensembles, walked)
    results = {
        "distances": {mode: scored.against_distances(mode) for mode in MODES},
        "learned": {name: scored.against_own(doubt) for name, doubt in learned(ensembles, walked).items()},
        "hindsight": {
            f"penalty {penalty:g}": scored.against_own(hindsight(ensembles, walked, penalty))
            for penalty in (1.0, *PENALTIES)
        },
    }
    print(write("doubt", "python -m benchmarks.research.doubt DATA/forecasts", results))


class Answers:
    """The default's answers to the panels' units, their losses, and orders of them."""

    def __init__(self, ensembles: Sequence[Ensemble], walked: Walked) -> None:
        self._panels = panels_of(ensembles)
        self._scored = [Scored(e.outcome, e.cluster) for e in self._panels]
        self._walked = walked

    def against_distances(self, mode: str) -> dict[str, Any]:
        """The default's doubt against the distance from one half of other pools."""
        own = self._said(DEFAULT, mode)
        return {
            name: asdict(self._compared(own, own * (1 - own), -np.abs(self._said(method, mode) - 0.5)))
            for name, method in DISTANCES.items()
        }

    def against_own(self, doubt: Floats) -> dict[str, Any]:
        """Another score against the default's own distance from one half, strict."""
        own = self._said(DEFAULT, "strict")
        return asdict(self._compared(own, doubt, -np.abs(own - 0.5)))

    def _said(self, method: Method, mode: str) -> Floats:
        place = METHODS.index(method)
        return np.concatenate([said[place] for said in self._walked.said[mode][: len(self._panels)]])

    def _compared(self, said: Floats, first: Floats, second: Floats) -> Compared:
        return compare_orders(self._scored, brier(said, Pool(tuple(self._scored)).outcome), first, second)


def learned(ensembles: Sequence[Ensemble], walked: Walked) -> dict[str, Floats]:
    """Scores of doubt for the panels' units, one panel after the other."""
    own = [said[0] for said in walked.said["strict"]]
    features = [features_of(e, p) for e, p in zip(ensembles, own, strict=True)]
    panels = range(len(panels_of(ensembles)))
    found = {
        "members' scatter added": np.concatenate([features[i][:, 1] + features[i][:, 3] for i in panels]),
        "members' own doubts added": np.concatenate(
            [features[i][:, 1] + 0.1 * (features[i][:, 1] + features[i][:, 5]) for i in panels]
        ),
        "spread of the calibration": spread(ensembles, walked),
        "loss against expected, by kind": ratio(ensembles, own, lambda e, i: e.asked.contexts[i].kind),
        "loss against expected, by source": ratio(ensembles, own, lambda e, i: e.asked.contexts[i].source),
    }
    for penalty in PENALTIES:
        found[f"regression of the loss, penalty {penalty:g}"] = regression(ensembles, own, features, penalty)
    return found


def features_of(ensemble: Ensemble, said: Floats) -> Floats:
    """(N, 6): one, doubt, its square, members' variance, gap to the price, members' own doubts above it."""
    answers = without_prices(ensemble.asked).probabilities
    known = ~np.isnan(answers)
    count = np.maximum(known.sum(axis=1), 1)
    told = np.where(known, answers, 0.0)
    mean = told.sum(axis=1) / count
    variance = np.where(known, (told - mean[:, None]) ** 2, 0.0).sum(axis=1) / count
    own_doubts = (told * (1.0 - told)).sum(axis=1) / count
    price = prices(ensemble.asked)[0]
    gap = np.where(np.isnan(price), 0.0, np.abs(expit(np.nan_to_num(price)) - said))
    doubt = said * (1.0 - said)
    columns = (np.full(len(said), 0.25), doubt, 4.0 * doubt**2, variance, gap, own_doubts - doubt)
    return np.column_stack(columns)


def days(ensembles: Sequence[Ensemble]) -> Iterator[tuple[list[Rows], list[Rows]]]:
    """For each day on which a panel is asked: the rows that have become known before it, and those asked."""
    before = -(2**31)
    for day in sorted({int(d) for e in panels_of(ensembles) for d in e.forecast_day}):
        known = [np.flatnonzero((e.resolution_day >= before) & (e.resolution_day < day)) for e in ensembles]
        yield known, [np.flatnonzero(e.forecast_day == day) for e in ensembles]
        before = day


def ratio(
    ensembles: Sequence[Ensemble], own: Sequence[Floats], group: Callable[[Ensemble, int], str]
) -> Floats:
    """Doubt times what losses in its group have been against what was expected."""
    happened: dict[str, float] = defaultdict(float)
    expected: dict[str, float] = defaultdict(float)
    out = [np.zeros(len(e.unit)) for e in ensembles]
    for known, asked in days(ensembles):
        for e, p, rows in zip(ensembles, own, known, strict=True):
            for i in rows:
                happened[group(e, i)] += float((p[i] - e.outcome[i]) ** 2)
                expected[group(e, i)] += float(p[i] * (1 - p[i]))
        for e, p, rows, score in zip(ensembles, own, asked, out, strict=True):
            for i in rows:
                name, prior = group(e, i), PRIOR_CASES * 0.15
                score[i] = p[i] * (1 - p[i]) * (happened[name] + prior) / (expected[name] + prior)
    return of_panels(ensembles, out)


def regression(
    ensembles: Sequence[Ensemble], own: Sequence[Floats], features: Sequence[Floats], penalty: float
) -> Floats:
    """Doubt and a ridge regression of what the loss was beyond it; one day's outcomes count as few."""
    size = features[0].shape[1]
    squares, products = penalty * np.eye(size), np.zeros(size)
    out = [np.zeros(len(e.unit)) for e in ensembles]
    for known, asked in days(ensembles):
        for e, p, x, rows in zip(ensembles, own, features, known, strict=True):
            if len(rows):
                sizes = Counter(e.shocks[i] for i in rows)
                weights = 1.0 / np.sqrt([sizes[e.shocks[i]] for i in rows])
                beyond = (p[rows] - e.outcome[rows]) ** 2 - p[rows] * (1 - p[rows])
                squares += (x[rows] * weights[:, None]).T @ x[rows]
                products += (x[rows] * weights[:, None]).T @ beyond
        line = np.linalg.solve(squares, products)
        for x, rows, score in zip(features, asked, out, strict=True):
            score[rows] = x[rows, 1] + x[rows] @ line
    return of_panels(ensembles, out)


def hindsight(ensembles: Sequence[Ensemble], walked: Walked, penalty: float) -> Floats:
    """The same regression, one for all panels and one for each on top, fitted on what it then orders."""
    panels = panels_of(ensembles)
    own = [said[0] for said in walked.said["strict"][: len(panels)]]
    x = np.concatenate([features_of(e, p) for e, p in zip(panels, own, strict=True)])
    panel = np.repeat(np.arange(len(panels)), [len(p) for p in own])
    design = np.column_stack([x, *(x * (panel == i)[:, None] for i in range(len(panels)))])
    pool = Pool(tuple(Scored(e.outcome, e.cluster) for e in panels))
    beyond = brier(np.concatenate(own), pool.outcome) - x[:, 1]
    weighted = design * pool.weights[:, None]
    line = np.linalg.solve(weighted.T @ design + penalty * np.eye(design.shape[1]), weighted.T @ beyond)
    return np.asarray(x[:, 1] + design @ line)


def spread(ensembles: Sequence[Ensemble], walked: Walked) -> Floats:
    """Doubt of the probability averaged over what is not known of the calibration (MacKay 1992)."""
    raw = [log_odds(said[METHODS.index(RAW)]) for said in walked.said["strict"]]
    members = [without_prices(e.asked).present.sum(axis=1) for e in ensembles]
    calibrator = HierarchicalPlatt()
    out = [np.zeros(len(e.unit)) for e in ensembles]

    def pools(rows: Sequence[Rows]) -> Pools:
        each = list(zip(ensembles, raw, members, rows, strict=True))
        contexts = tuple(e.asked.contexts[i] for e, _, _, own in each for i in own)
        logs = np.concatenate([logs[own] for _, logs, _, own in each])
        return Pools(logs, contexts, np.concatenate([count[own] for _, _, count, own in each]))

    for known, asked in days(ensembles):
        if any(len(rows) for rows in known):
            shocks = tuple(e.shocks[i] for e, own in zip(ensembles, known, strict=True) for i in own)
            happened = np.concatenate([e.outcome[own] for e, own in zip(ensembles, known, strict=True)])
            calibrator.observe(pools(known), Outcomes(happened, shocks, np.ones(len(shocks))))
        for place, rows in enumerate(asked):
            if len(rows):
                some = pools([rows if i == place else rows[:0] for i in range(len(asked))])
                wide = np.sqrt(1.0 + np.pi * calibrator.spread(some) / 8.0)
                p = expit(calibrator.calibrate(some) / wide)
                out[place][rows] = p * (1 - p)
    return of_panels(ensembles, out)


def panels_of(ensembles: Sequence[Ensemble]) -> list[Ensemble]:
    return [e for e in ensembles if e.panel != BACKGROUND]


def of_panels(ensembles: Sequence[Ensemble], scores: Sequence[Floats]) -> Floats:
    return np.concatenate([s for e, s in zip(ensembles, scores, strict=True) if e.panel != BACKGROUND])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the folder of forecasts.parquet, market_prices.parquet and panels.json")
    main(Path(sys.argv[1]))
