# SPDX-License-Identifier: Apache-2.0
"""The panels of a folder of recorded forecasts as a data set: real answers of real models."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from server.forecasting.market_price import MarketPrice
from server.forecasting.ports import Forecaster
from server.forecasting.question import NO, YES, Question
from server.learning.batches import MARKET
from server.recordings.errors import RecordingError
from server.recordings.library import RecordingLibrary
from server.recordings.settings import RecordedSettings, RecordingsSettings
from server.recordings.tables import SECONDS_PER_DAY
from server.recordings.unit_ids import unit_id
from server.research.cases import BACKGROUND, Ensemble, make_ensembles
from server.research.errors import ResearchError
from server.research.grid.dataset import Case, DataSet
from server.research.panels import Panel, read_panels
from server.research.table import ForecastTable, read_table

FORECASTS, PRICES, PANELS = "forecasts.parquet", "market_prices.parquet", "panels.json"


def read_panels_data(
    folder: Path, wanted: Sequence[str] = (), panels: Path | None = None, *, market: bool = True
) -> DataSet:
    """The panels of ``folder`` (all unless some are wanted by name), asked on their forecast dates.

    The folder holds ``forecasts.parquet`` and ``questions.parquet``, the panels
    lie beside them in ``panels.json`` unless a file is given, and
    ``market_prices.parquet`` adds prices where it is there. ``market``: the price of
    the forecast date is a member of every panel that has one.

    Raises:
        ResearchError: a file is missing or does not fit, or a panel is not known.
    """
    prices = folder / PRICES if (folder / PRICES).is_file() else None
    panels_file = panels or folder / PANELS
    chosen = _chosen(panels_file, wanted)
    table = read_table(folder / FORECASTS, prices)
    library = _library(folder)
    ensembles = [e for e in make_ensembles(table, chosen) if e.panel != BACKGROUND]
    cases = [case for ensemble in ensembles for case in _cases(table, ensemble, chosen, library)]
    members = {chosen[e.panel].name: _members(e, market) for e in ensembles if len(e.unit)}
    used = dict.fromkeys(name for names in members.values() for name in names)
    files = [folder / FORECASTS, folder / "questions.parquet", panels_file, *([prices] if prices else [])]
    return DataSet(
        name=folder.name,
        cases=tuple(sorted(cases, key=lambda case: (case.as_of, case.question.id))),
        panels=members,
        forecasters={name: _forecaster(library, name) for name in used},
        sources={path.name: sha256(path) for path in files},
    )


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _chosen(path: Path, wanted: Sequence[str]) -> tuple[Panel, ...]:
    panels = read_panels(path)
    known = {panel.name: panel for panel in panels}
    for name in wanted:
        if name not in known:
            raise ResearchError(path, "panels", f"no panel {name!r}; there is: {', '.join(known)}")
    return tuple(known[name] for name in wanted) if wanted else panels


def _library(folder: Path) -> RecordingLibrary:
    try:
        return RecordingLibrary.open(RecordingsSettings(forecasts=folder, cache=None))
    except RecordingError as error:
        raise ResearchError(error.path, error.column, str(error)) from error


def _forecaster(library: RecordingLibrary, name: str) -> Forecaster:
    return MarketPrice() if name == MARKET else library.forecaster(RecordedSettings(model=name))


def _members(ensemble: Ensemble, market: bool) -> tuple[str, ...]:
    """The panel's models, and the fresh price where any unit has one."""
    priced = market and not np.isnan(ensemble.asked.probabilities[:, -2]).all()
    return (*ensemble.asked.members[:-2], *((MARKET,) if priced else ()))


def _cases(
    table: ForecastTable, ensemble: Ensemble, panels: Sequence[Panel], library: RecordingLibrary
) -> list[Case]:
    panel = panels[ensemble.panel]
    found = []
    for row, unit in enumerate(ensemble.unit.tolist()):
        question = library.catalogue.get(_id(table, unit))
        assert question is not None  # noqa: S101 - both read the same file
        found.append(
            Case(
                question=_asked(question, float(table.price[unit]), table.contexts[unit].kind),
                panel=panel.name,
                truth=YES if ensemble.outcome[row] >= 0.5 else NO,
                as_of=_instant(int(ensemble.forecast_day[row])),
                known_at=_instant(int(ensemble.resolution_day[row]) + 1),
                cluster=panel.cluster_of(table.question_id[unit]),
                context=table.contexts[unit],
                shock=(ensemble.shocks[row][0], str(ensemble.shocks[row][1])),
            )
        )
    return found


def _id(table: ForecastTable, unit: int) -> str:
    context = table.contexts[unit]
    asked, resolved = int(table.forecast_day[unit]), int(table.resolution_day[unit])
    return unit_id(
        source=context.source,
        question_id=table.question_id[unit],
        question_type=context.kind,
        forecast_day=_instant(asked).date().isoformat(),
        horizon_days=resolved - asked,
    )


def _asked(question: Question, price: float, kind: str) -> Question:
    """The question with the price of the forecast date, and without its resolution."""
    priced = None if np.isnan(price) else price
    return replace(question, resolution=None, market_probability=priced, origin=kind)


def _instant(day: int) -> datetime:
    return datetime.fromtimestamp(day * SECONDS_PER_DAY, UTC)
