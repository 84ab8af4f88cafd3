# SPDX-License-Identifier: Apache-2.0
"""Units sorted into ensembles: one for each panel, and one for each collection's remaining units."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.learning.batches import PRICES, Asked
from server.research.panels import Panel
from server.research.table import ForecastTable

#: No panel: these units are learned from, not scored.
BACKGROUND = -1


@dataclass(frozen=True, slots=True)
class Ensemble:
    """N units as answered by the same members, in order of (forecast day, unit id).

    ``panel`` is its place in the list of panels or BACKGROUND. ``asked`` holds the
    members' answers and, in its last two columns, the prices. ``unit`` (N,) indexes
    the table. ``cluster`` (N,): 0, 1, ...; ``shocks``: rows with the same source
    and resolution day are moved by the same news.
    """

    panel: int
    asked: Asked
    unit: NDArray[np.int64]
    forecast_day: NDArray[np.int64]
    resolution_day: NDArray[np.int64]
    outcome: NDArray[np.float64]
    cluster: NDArray[np.int64]
    shocks: tuple[tuple[str, int], ...]

    @property
    def repool_day(self) -> NDArray[np.int64]:
        """(N,): the day before resolution, but never before the forecast day."""
        return np.maximum(self.resolution_day - 1, self.forecast_day)


def make_ensembles(table: ForecastTable, panels: Sequence[Panel]) -> tuple[Ensemble, ...]:
    """The panels' ensembles in their order, then the background by collection."""
    place = {name: i for i, name in enumerate(table.models)}
    scored: set[int] = set()
    found = []
    for index, panel in enumerate(panels):
        models = [place[name] for name in panel.models if name in place]
        units = _units_of(table, panel, models)
        scored.update(units)
        found.append(_ensemble(table, index, panel.name, models, units, panel.cluster_of))
    rest: dict[str, list[int]] = defaultdict(list)
    for unit, collection in enumerate(table.collection):
        if unit not in scored:
            rest[collection].append(unit)
    for collection in sorted(rest):
        units = rest[collection]
        models = sorted({int(model) for unit in units for model in table.answers(unit)[0]})
        found.append(_ensemble(table, BACKGROUND, f"rest of {collection}", models, units, str))
    return tuple(found)


def _units_of(table: ForecastTable, panel: Panel, models: list[int]) -> list[int]:
    wanted = np.array(sorted(models), dtype=np.int64)
    counts = np.add.reduceat(np.append(np.isin(table.model, wanted), False), table.starts[:-1])
    counts = np.where(np.diff(table.starts) > 0, counts, 0)
    return [
        unit
        for unit in np.flatnonzero(counts >= max(panel.min_forecasters, 1)).tolist()
        if table.collection[unit] == panel.collection and panel.kind in (None, table.contexts[unit].kind)
    ]


def _ensemble(
    table: ForecastTable,
    panel: int,
    name: str,
    models: list[int],
    units: list[int],
    cluster_of: Callable[[str], str],
) -> Ensemble:
    chosen = np.array(units, dtype=np.int64)
    clusters = [cluster_of(table.question_id[unit]) for unit in units]
    numbers = {cluster: i for i, cluster in enumerate(dict.fromkeys(clusters))}
    contexts = tuple(table.contexts[unit] for unit in units)
    days = table.resolution_day[chosen].tolist()
    return Ensemble(
        panel=panel,
        asked=Asked(
            members=(*(table.models[model] for model in models), *PRICES),
            probabilities=_matrix(table, models, chosen),
            contexts=contexts,
            ensemble=name,
        ),
        unit=chosen,
        forecast_day=table.forecast_day[chosen],
        resolution_day=table.resolution_day[chosen],
        outcome=table.outcome[chosen],
        cluster=np.array([numbers[cluster] for cluster in clusters], dtype=np.int64),
        shocks=tuple((context.source, day) for context, day in zip(contexts, days, strict=True)),
    )


def _matrix(table: ForecastTable, models: list[int], units: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N, M + 2): answers of the models, then the fresh and the stale price."""
    column = np.full(len(table.models), -1)
    column[models] = np.arange(len(models))
    matrix = np.full((len(units), len(models) + 2), np.nan)
    for row, unit in enumerate(units.tolist()):
        model, probability = table.answers(unit)
        kept = column[model] >= 0
        matrix[row, column[model[kept]]] = probability[kept]
    matrix[:, -2] = table.price[units]
    matrix[:, -1] = table.stale_price[units]
    return matrix
