# SPDX-License-Identifier: Apache-2.0
"""The evaluation: every pooling x weighting x calibration, walked forward over a file of forecasts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.research.cases import BACKGROUND, Ensemble, make_ensembles
from server.research.errors import ResearchError
from server.research.panels import Panel, read_panels
from server.research.references import best_single
from server.research.rows import Row, make_rows
from server.research.scores import Scored
from server.research.series import DEFAULT, MEAN, Method, all_methods
from server.research.table import ForecastTable, read_table
from server.research.walk import MODES, Walked, walk

#: Name of the reference that goes with whoever has been best so far.
BEST_SINGLE = "best_single"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The walk, and the panels that it is scored on."""

    panels: tuple[tuple[str, Scored], ...]
    ensembles: tuple[Ensemble, ...]
    walked: Walked

    def rows(self) -> list[Row]:
        """Every method on every panel and on the pool of all, in both modes."""
        names = [method.name for method in self.walked.methods]
        baseline = names.index(MEAN.name)
        rows = []
        for mode in MODES:
            said = self.walked.said[mode][: len(self.panels)]
            plain = [one[baseline] for one in said]
            rows += make_rows(mode, self.panels, names, DEFAULT.name, said, plain)
            single = [best_single(e, mode)[None, :] for e in self.ensembles if e.panel != BACKGROUND]
            rows += make_rows(mode, self.panels, [BEST_SINGLE], DEFAULT.name, single, plain)
        return rows


def evaluate_table(
    table: ForecastTable, panels: Sequence[Panel], methods: Sequence[Method] | None = None
) -> Evaluation:
    """Walk the methods (all of them unless told) through a table; the plain mean is always among them."""
    chosen = tuple(dict.fromkeys((MEAN, *(all_methods() if methods is None else methods))))
    ensembles = make_ensembles(table, panels)
    scored = tuple(
        (panels[e.panel].name, Scored(e.outcome, e.cluster)) for e in ensembles if e.panel != BACKGROUND
    )
    return Evaluation(scored, ensembles, walk(ensembles, chosen))


def evaluate(forecasts: Path, panels: Path, market: Path | None = None) -> list[Row]:
    """The rows of the evaluation command.

    ``forecasts`` and ``market`` are Parquet files of the schema of ForecastBench-like
    collections, ``panels`` a JSON file that says what is scored. The same input
    gives the same rows, to the last digit.

    Raises:
        ResearchError: a file is missing or does not fit, or no panel has a unit.
    """
    evaluation = evaluate_table(read_table(forecasts, market), read_panels(panels))
    if not any(scored.clusters for _, scored in evaluation.panels):
        raise ResearchError(panels, "panels", f"no unit of {forecasts.name} belongs to any of them")
    return evaluation.rows()


def write_json(rows: Sequence[Row], path: Path) -> None:
    """One JSON list, one row a line."""
    lines = ",\n".join(json.dumps(row.as_json()) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
