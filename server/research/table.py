# SPDX-License-Identifier: Apache-2.0
"""Forecasts of a file as columns, checked once.

Letters: U units, A answers. A unit is a question as asked on one day for one
resolution date. Days count from 1970-01-01.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from server.learning.context import Context
from server.research.errors import ResearchError

#: Kinds whose resolution date is part of the question. For the others it tells
#: when it happened, which nobody knew on the forecast date.
DATED_KINDS = frozenset({"dataset", "sports"})

_DATES = ("forecast_due_date", "resolution_date")
_KEYS = ("collection", "unit_id", "question_id", "model")
_COLUMNS = (*_KEYS, "source", "question_type", *_DATES, "prob", "outcome")
_MARKET_COLUMNS = ("question_id", "forecast_due_date")
#: Columns that a file may lack; they are then unknown throughout.
_OPTIONAL = ("category", "market_prob", "market_prob_on_due_date")
_MARKET_OPTIONAL = ("source", *_OPTIONAL, "resolution_date", "outcome")
_SHARES = ("prob", "outcome", "market_prob", "market_prob_on_due_date")


@dataclass(frozen=True, slots=True)
class ForecastTable:
    """Units in order of (forecast day, unit id), and the answers to each.

    ``outcome`` (U,) 0..1. ``price`` and ``stale_price`` (U,): market probability on
    the forecast day and when the question was chosen, NaN where unknown.
    ``starts`` (U + 1,): where each unit's answers begin in ``model`` and
    ``probability`` (A,); ``model`` indexes ``models``. A unit may have no answers:
    only a price.
    """

    unit_id: tuple[str, ...]
    question_id: tuple[str, ...]
    collection: tuple[str, ...]
    contexts: tuple[Context, ...]
    forecast_day: NDArray[np.int64]
    resolution_day: NDArray[np.int64]
    outcome: NDArray[np.float64]
    price: NDArray[np.float64]
    stale_price: NDArray[np.float64]
    starts: NDArray[np.int64]
    model: NDArray[np.int64]
    probability: NDArray[np.float64]
    models: tuple[str, ...]

    def answers(self, unit: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Models and probabilities of one unit."""
        span = slice(int(self.starts[unit]), int(self.starts[unit + 1]))
        return self.model[span], self.probability[span]


def read_table(forecasts: Path, market: Path | None = None) -> ForecastTable:
    """The forecasts, with the prices of the second file where there is one.

    Columns that are not listed in the README beside the data are ignored. A row
    without a probability or an outcome is left out; of several forecasts of one model
    on one unit the first counts.

    Raises:
        ResearchError: a file or a column is missing, or a value is out of range.
    """
    rows = _checked(forecasts, _read(forecasts, _COLUMNS, _OPTIONAL))
    units = rows.unique("unit_id", keep="first", maintain_order=True).drop("model", "prob")
    if market is not None:
        units = _with_prices(units, _read(market, _MARKET_COLUMNS, _MARKET_OPTIONAL))
    return _columns(units.sort("forecast_day", "unit_id"), rows)


def _read(path: Path, wanted: tuple[str, ...], optional: tuple[str, ...]) -> pl.DataFrame:
    """The columns, each in its type; dates as days in columns of their own, too."""
    try:
        rows = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ResearchError(path, "", f"cannot be read as Parquet: {error}") from error
    for name in wanted:
        if name not in rows.columns:
            raise ResearchError(path, name, "no such column; README.md beside the data lists them")
    found = pl.DataFrame(
        [_typed(path, rows, name) for name in (*wanted, *(n for n in optional if n in rows.columns))]
    )
    lacking = [n for n in optional if n not in rows.columns]
    return found.with_columns(
        pl.lit(None, dtype=pl.Float64 if n in _SHARES else pl.String).alias(n) for n in lacking
    ).with_columns(_day("forecast_due_date", "forecast_day"), _day("resolution_date", "resolution_day"))


def _typed(path: Path, rows: pl.DataFrame, name: str) -> pl.Series:
    wanted = pl.Float64 if name in _SHARES else pl.String
    try:
        column = rows[name].cast(wanted)
    except pl.exceptions.PolarsError as error:
        raise ResearchError(path, name, f"{rows[name].dtype} where {wanted} is wanted: {error}") from error
    if name in _DATES:
        return column.str.slice(0, 10)
    if name in _SHARES:
        column = column.fill_nan(None)
        if not column.drop_nulls().is_between(0, 1).all():
            raise ResearchError(path, name, "must lie in 0..1")
    return column


def _checked(path: Path, rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.drop_nulls(("prob", "outcome"))
    for name in _KEYS:
        if rows[name].null_count():
            raise ResearchError(path, name, "must never be missing")
    for name, day in zip(_DATES, ("forecast_day", "resolution_day"), strict=True):
        if rows[day].null_count():
            raise ResearchError(path, name, "dates must be ISO dates and never missing")
    outcomes = rows.group_by("unit_id").agg(pl.col("outcome").n_unique())
    mixed = outcomes.filter(pl.col("outcome") > 1)["unit_id"].sort()
    if len(mixed):
        raise ResearchError(path, "outcome", f"differs between the rows of unit {mixed[0]!r}")
    return rows.unique(("unit_id", "model"), keep="first", maintain_order=True)


def _day(name: str, alias: str) -> pl.Expr:
    return pl.col(name).str.to_date(strict=False).cast(pl.Int32).cast(pl.Int64).alias(alias)


def _with_prices(units: pl.DataFrame, market: pl.DataFrame) -> pl.DataFrame:
    """Prices filled in where they were unknown, and resolved units added that only have a price."""
    key = ["question_id", "forecast_due_date"]
    priced = ["market_prob", "market_prob_on_due_date"]
    known = market.unique(key, keep="first", maintain_order=True)
    joined = units.join(known.select(*key, *priced), on=key, how="left", suffix="_market")
    filled = joined.with_columns(pl.coalesce(name, f"{name}_market").alias(name) for name in priced)
    only = known.join(units.select(key).unique(), on=key, how="anti").with_columns(
        pl.lit("market_prices").alias("collection"),
        pl.lit("market").alias("question_type"),
        pl.format("market_prices|{}|{}", *key).alias("unit_id"),
    )
    resolved = only.drop_nulls(("question_id", "outcome", "forecast_day", "resolution_day"))
    return pl.concat([filled.select(units.columns), _like(resolved, units)])


def _like(rows: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    """The rows with the columns and types of another frame; missing columns are unknown."""
    return rows.select(
        pl.col(name).cast(kind) if name in rows.columns else pl.lit(None, dtype=kind).alias(name)
        for name, kind in model.schema.items()
    )


def _columns(units: pl.DataFrame, rows: pl.DataFrame) -> ForecastTable:
    place = units.select("unit_id").with_row_index("unit")
    models = tuple(sorted(rows["model"].unique().to_list()))
    number = pl.DataFrame({"model": models}, {"model": pl.String}).with_row_index("model_index")
    answers = (
        rows.select("unit_id", "model", "prob")
        .join(place, on="unit_id")
        .join(number, on="model")
        .sort("unit", "model_index")
    )
    counts = np.bincount(answers["unit"].to_numpy(), minlength=len(units))
    return ForecastTable(
        unit_id=tuple(units["unit_id"].to_list()),
        question_id=tuple(units["question_id"].to_list()),
        collection=tuple(units["collection"].to_list()),
        contexts=_contexts(units),
        forecast_day=units["forecast_day"].to_numpy().astype(np.int64),
        resolution_day=units["resolution_day"].to_numpy().astype(np.int64),
        outcome=units["outcome"].to_numpy().astype(np.float64),
        price=units["market_prob_on_due_date"].to_numpy().astype(np.float64),
        stale_price=units["market_prob"].to_numpy().astype(np.float64),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        model=answers["model_index"].to_numpy().astype(np.int64),
        probability=answers["prob"].to_numpy().astype(np.float64),
        models=models,
    )


def _contexts(units: pl.DataFrame) -> tuple[Context, ...]:
    columns = ("question_type", "source", "category", "forecast_day", "resolution_day")
    return tuple(
        Context(
            kind=kind or "",
            source=source or "",
            category=category or "",
            horizon_days=float(resolved - asked) if kind in DATED_KINDS else None,
        )
        for kind, source, category, asked, resolved in units.select(columns).iter_rows()
    )
