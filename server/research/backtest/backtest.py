# SPDX-License-Identifier: Apache-2.0
"""Decisions on past market questions: who would have made money, and how sure that is.

Every forecast comes from the engine that serves live traffic, asked in virtual time.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.learning.batches import MARKET
from server.recordings.tables import SECONDS_PER_DAY
from server.research.backtest.account import Bets, Fared, fare
from server.research.backtest.kelly import Positions, Rules, everything, positions
from server.research.backtest.optimise import best_weights
from server.research.errors import ResearchError
from server.research.grid.cell import Cell
from server.research.grid.dataset import Case, DataSet
from server.research.grid.drive import Answer, World, drive

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RESAMPLES = 500
SEED = 20250101
FOLDS = 5
ENSEMBLE, OPTIMISED, IN_SAMPLE = "ensemble", "optimised, out of sample", "optimised, in sample"
NO_PRICE = "ensemble without the price"
BUY_ALL, DO_NOTHING = "buy everything", "the market"


@dataclass(frozen=True, slots=True)
class Strategy:
    """Positions on the N questions by a name."""

    name: str
    taken: Positions


@dataclass(frozen=True, slots=True)
class Tested:
    """How a strategy fared, with 95 % intervals; ``minus_ensemble`` is the paired difference of returns."""

    name: str
    fared: Fared
    return_interval: tuple[float, float]
    sharpe_interval: tuple[float, float] | None
    minus_ensemble: float
    minus_ensemble_interval: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "strategy": self.name,
            **self.fared.as_json(),
            "return_interval": _rounded(self.return_interval),
            "sharpe_interval": _rounded(self.sharpe_interval),
            "minus_ensemble": round(self.minus_ensemble, 6) + 0.0,
            "minus_ensemble_interval": _rounded(self.minus_ensemble_interval),
        }


def backtest(
    data: DataSet,
    cell: Cell,
    rules: Rules,
    split: datetime | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Tested]:
    """Every strategy on the questions of a data set that have a price.

    ``split``: weights are optimised on the outcomes known before that day and tested
    on the questions asked from it on, and so is everything else. None: on
    five parts of the questions in turn, each tested with weights of the other four.

    Raises:
        ResearchError: no question has a price, or none is left on a side of the split.
    """
    priced = _priced(data)
    past, tested = _split(priced, split)
    book = _Book(tested.cases)
    strategies = []
    for name, run in _runs(priced, past, tested, cell, split is None):
        progress(name)
        said, size = run()
        strategies.append(Strategy(name, positions(said, book.price, size, rules)))
    strategies.append(Strategy(BUY_ALL, everything(book.price, rules)))
    nothing = np.zeros(len(book.price))
    strategies.append(Strategy(DO_NOTHING, positions(book.price, book.price, nothing, rules)))
    return _tested(strategies, book.bets)


Run = Callable[[], tuple[Floats, Floats]]


def _runs(priced: DataSet, past: DataSet, tested: DataSet, cell: Cell, folds: bool) -> list[tuple[str, Run]]:
    """Each strategy's name and how to get its probabilities and sizes."""
    wanted = [case.question.id for case in tested.cases]
    plain = Cell(pooling="log_odds")

    def through(data: DataSet, one: Cell) -> Run:
        return lambda: _said(drive(World(data), one), wanted)

    runs = [(ENSEMBLE, through(priced, cell))]
    if MARKET in priced.members:
        runs.append((NO_PRICE, through(_without_price(priced), cell)))
    runs.append(("equal weights", through(priced, plain)))
    runs.append((OPTIMISED, lambda: _optimised(past, tested, plain, folds)))
    runs.append((IN_SAMPLE, lambda: _weighed(tested, plain, _weights(tested))))
    singles = [name for name in priced.members if name != MARKET]
    return runs + [(name, through(priced, replace(plain, selection=f"only:{name}"))) for name in singles]


def _priced(data: DataSet) -> DataSet:
    cases = tuple(case for case in data.cases if case.question.market_probability is not None)
    if not cases:
        raise ResearchError(
            Path(data.name), "market_prob_on_due_date", "no question has a price of its forecast date"
        )
    used = {case.panel for case in cases}
    return replace(data, cases=cases, panels={n: m for n, m in data.panels.items() if n in used})


def _without_price(data: DataSet) -> DataSet:
    panels = {name: tuple(m for m in members if m != MARKET) for name, members in data.panels.items()}
    return replace(data, panels=panels)


def _split(data: DataSet, split: datetime | None) -> tuple[DataSet, DataSet]:
    if split is None:
        return data, data
    past = replace(data, cases=tuple(case for case in data.cases if case.known_at <= split))
    later = replace(data, cases=tuple(case for case in data.cases if case.as_of >= split))
    if not past.cases or not later.cases:
        raise ResearchError(Path(data.name), "split", f"{split:%Y-%m-%d} leaves nothing on one of its sides")
    return past, later


class _Book:
    """Prices and bets of cases."""

    def __init__(self, cases: tuple[Case, ...]) -> None:
        self.price = np.array([case.question.market_probability for case in cases], dtype=np.float64)
        numbers = {name: i for i, name in enumerate(dict.fromkeys(case.cluster for case in cases))}
        self.bets = Bets(
            opened=np.array([_day(case.as_of) for case in cases], dtype=np.int64),
            settled=np.array([_day(case.known_at) for case in cases], dtype=np.int64),
            happened=_happened(cases),
            cluster=np.array([numbers[case.cluster] for case in cases], dtype=np.int64),
        )


def _day(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp()) // SECONDS_PER_DAY


def _happened(cases: tuple[Case, ...]) -> Floats:
    return np.array([float(case.truth == case.question.outcomes[0]) for case in cases])


def _said(answers: list[Answer], wanted: list[str]) -> tuple[Floats, Floats]:
    """(N,) probabilities of YES, NaN unanswered, and the sizes that the decisions leave."""
    by_id = {answer.case.question.id: answer.prediction for answer in answers}
    found = [by_id.get(name) for name in wanted]
    said = np.array([np.nan if p is None else p.probabilities[0] for p in found])
    return said, np.array([0.0 if p is None else p.decision.size_multiplier for p in found])


def _weights(data: DataSet) -> dict[str, float]:
    """Optimised on all cases of a data set, from what its members said through the engine."""
    names = data.members
    answers = drive(World(data), Cell())
    rows = np.full((len(answers), len(names)), np.nan)
    for row, answer in enumerate(answers):
        for member in answer.prediction.members if answer.prediction else ():
            if member.forecast is not None:
                rows[row, names.index(member.member)] = member.forecast.probabilities[0]
    return dict(zip(names, best_weights(rows, _happened(data.cases)).tolist(), strict=True))


def _weighed(data: DataSet, cell: Cell, weights: dict[str, float]) -> tuple[Floats, Floats]:
    return _said(drive(World(data, weights=weights), cell), [case.question.id for case in data.cases])


def _optimised(past: DataSet, tested: DataSet, cell: Cell, folds: bool) -> tuple[Floats, Floats]:
    if not folds:
        return _weighed(tested, cell, _weights(past))
    said, size = np.full(len(tested.cases), np.nan), np.zeros(len(tested.cases))
    part = _parts(tested.cases)
    for fold in range(FOLDS):
        own = np.flatnonzero(part == fold)
        if len(own):
            rest = tuple(case for case, its in zip(tested.cases, part, strict=True) if its != fold)
            mine = replace(tested, cases=tuple(tested.cases[i] for i in own.tolist()))
            said[own], size[own] = _weighed(mine, cell, _weights(replace(tested, cases=rest)))
    return said, size


def _parts(cases: tuple[Case, ...]) -> Integers:
    """(N,): the part of each case; a cluster is never torn apart."""
    names = list(dict.fromkeys(case.cluster for case in cases))
    drawn = np.random.default_rng(SEED).permutation(len(names))
    part = {name: int(place) % FOLDS for name, place in zip(names, drawn, strict=True)}
    return np.array([part[case.cluster] for case in cases], dtype=np.int64)


def _tested(strategies: list[Strategy], bets: Bets) -> list[Tested]:
    draws = _draws(bets)
    first = [fare(bets.rows(rows), _rows(strategies[0].taken, rows)) for rows in draws]
    base = fare(bets, strategies[0].taken)
    found = []
    for strategy in strategies:
        own = fare(bets, strategy.taken)
        each = [fare(bets.rows(rows), _rows(strategy.taken, rows)) for rows in draws]
        returns = np.array([one.total_return for one in each])
        sharpes = [one.sharpe for one in each if one.sharpe is not None]
        differences = returns - np.array([one.total_return for one in first])
        found.append(
            Tested(
                name=strategy.name,
                fared=own,
                return_interval=_interval(returns),
                sharpe_interval=_interval(np.array(sharpes)) if own.sharpe is not None else None,
                minus_ensemble=own.total_return - base.total_return,
                minus_ensemble_interval=_interval(differences),
            )
        )
    return found


def _draws(bets: Bets) -> list[Integers]:
    """Rows of each resample: clusters drawn with replacement, each whole."""
    chance = np.random.default_rng(SEED)
    count = int(bets.cluster.max()) + 1
    rows = [np.flatnonzero(bets.cluster == i) for i in range(count)]
    return [np.concatenate([rows[i] for i in chance.integers(0, count, count)]) for _ in range(RESAMPLES)]


def _rows(taken: Positions, which: Integers) -> Positions:
    return Positions(taken.side[which], taken.cost[which], taken.share[which])


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(end, 6) + 0.0 for end in interval]


def as_json(tested: list[Tested], rules: Rules, cell: Cell, data: DataSet) -> dict[str, Any]:
    """Everything that a backtest found and what it came from."""
    return {
        "cell": cell.name,
        "rules": asdict(rules),
        "data": dict(data.sources),
        "questions": len(_priced(data).cases),
        "strategies": [one.as_json() for one in tested],
    }
