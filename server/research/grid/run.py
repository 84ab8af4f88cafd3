# SPDX-License-Identifier: Apache-2.0
"""A whole run: every cell of the grid, then sizes, single members and ablations, and what they add up to.

The same settings, data and code give the same ``results.json``, byte for byte.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from server.research.errors import ResearchError
from server.research.grid.cell import ALL, Cell
from server.research.grid.dataset import DataSet
from server.research.grid.declared import NOTHING
from server.research.grid.drive import World, drive
from server.research.grid.finished import FinishedCells
from server.research.grid.profile import frontier, profile
from server.research.grid.score import CellScores
from server.research.grid.settings import RunSettings
from server.research.grid.sources import code_version, only_panels, open_data
from server.research.grid.summary import Figures, Scorer

#: Stands for every member that is not named.
OTHERS = "*"


class Watcher(Protocol):
    """Is told how a run gets on."""

    def planned(self, cells: int) -> None:
        """So many cells are to be done."""
        ...

    def began(self, name: str, cases: int) -> None:
        """A cell begins that was not finished before."""
        ...

    def asked(self) -> None:
        """One case of it has been asked."""
        ...

    def ended(self) -> None:
        """The cell is finished, or was found finished."""
        ...


@dataclass(frozen=True, slots=True)
class Results:
    """What a run has found; ``as_json`` is all of it."""

    configuration: dict[str, Any]
    figures: tuple[Figures, ...]
    sizes: tuple[Figures, ...]
    members: tuple[dict[str, Any], ...]
    frontier: tuple[str, ...]
    profile: dict[str, Any]
    scores: dict[str, CellScores]

    def as_json(self) -> dict[str, Any]:
        """As a JSON object; without the columns of the cells, which have files of their own."""
        return {
            "configuration": self.configuration,
            "simulated": [
                "cost_usd",
                "cost_total_usd",
                "latency_mean_s",
                "latency_p50_s",
                "latency_p95_s",
                "latency_p99_s",
            ],
            "figures": [row.as_json() for row in self.figures],
            "sizes": [row.as_json() for row in self.sizes],
            "members": list(self.members),
            "frontier": list(self.frontier),
            "profile": self.profile,
        }


def run(settings: RunSettings, out: Path, watcher: Watcher) -> Results:
    """Do all that is not done yet, and add it up.

    Raises:
        ResearchError: the data does not fit, or is not what the settings were recorded with.
    """
    return _Run(settings, out, watcher).run()


class _Run:
    def __init__(self, settings: RunSettings, out: Path, watcher: Watcher) -> None:
        self._settings = settings
        self._watcher = watcher
        self._data = open_data(settings.data)
        fingerprints = {"data": dict(self._data.sources), "code": code_version()}
        _check_recorded(settings, self._data.sources)
        plain = settings.model_dump(mode="json", exclude={"recorded"})
        self._configuration = {**plain, "recorded": fingerprints}
        common = {key: plain[key] for key in ("seed", "data", "ensemble", "declared")}
        common["data"] = {k: v for k, v in common["data"].items() if k in ("kind", "market")}
        self._finished = FinishedCells(out / "cells", {**common, **fingerprints})
        self._cells = settings.cells().cells()
        self._base = self._baseline()

    def run(self) -> Results:
        members = self._data.members if len(self._data.members) > 1 else ()
        sizes = self._sizes()
        extra = len(sizes) + 3 * len(members) * self._ablates
        self._watcher.planned(len(self._cells) + extra)
        whole = frozenset(self._data.panels)
        scores = {cell.name: self._scores(cell, whole) for cell in self._cells}
        scorer = Scorer(self._data.cases)
        base = scores[self._base.name]
        figures = [row for c in self._cells for row in scorer.figures(_names(c), scores[c.name], base)]
        sized = [row for c in sizes for row in scorer.figures(_names(c), self._scores(c, whole), base)]
        whole_rows = [row for row in figures if row.panel == figures[-1].panel]
        return Results(
            configuration=self._configuration,
            figures=tuple(figures),
            sizes=tuple(sized),
            members=tuple(self._member(name) for name in members) if self._ablates else (),
            frontier=tuple(row.cell for row in frontier(whole_rows)),
            profile=profile(whole_rows),
            scores=scores,
        )

    @property
    def _ablates(self) -> bool:
        return self._settings.ablations

    def _baseline(self) -> Cell:
        wanted = self._settings.baseline or self._cells[0].name
        for cell in self._cells:
            if cell.name == wanted:
                return cell
        raise ResearchError(
            Path(self._settings.name),
            "baseline",
            f"{wanted!r} is not a cell of the grid, as {self._cells[0].name!r} is",
        )

    def _whole(self, selection: str = ALL) -> Cell:
        """The baseline's choices, with everyone asked at once or as told."""
        base = self._base
        return Cell(base.pooling, base.weighting, base.calibration, "parallel", selection)

    def _sizes(self) -> tuple[Cell, ...]:
        if not self._settings.sizes:
            return ()
        most = max(len(members) for members in self._data.panels.values())
        return tuple(self._whole(f"random:{count}") for count in range(1, most + 1))

    def _panels_of(self, member: str) -> frozenset[str]:
        return frozenset(name for name, members in self._data.panels.items() if member in members)

    def _member(self, name: str) -> dict[str, Any]:
        """One member alone, and the ensemble with and without it, on the panels that have it."""
        panels = self._panels_of(name)
        data = only_panels(self._data, panels)
        whole, alone, without = (
            self._scores(self._whole(selection), panels)
            for selection in (ALL, f"only:{name}", f"without:{name}")
        )
        scorer = Scorer(data.cases)
        row: dict[str, Any] = {"member": name, "panels": sorted(panels), "n_questions": len(data.cases)}
        row["reliability"] = round(float(alone.answered.mean()), 6)
        for key, column in (
            ("brier", whole.brier),
            ("alone", alone.brier),
            ("without", without.brier),
            ("ensemble_minus_alone", whole.brier - alone.brier),
            ("without_minus_with", without.brier - whole.brier),
        ):
            mean, low, high = scorer.interval(column)
            row[key], row[f"{key}_low"], row[f"{key}_high"] = (round(v, 6) + 0.0 for v in (mean, low, high))
        return row

    def _scores(self, cell: Cell, panels: frozenset[str]) -> CellScores:
        what = {**asdict(cell), "panels": sorted(panels)}
        found = self._finished.find(what)
        if found is None:
            data = only_panels(self._data, panels)
            self._watcher.began(cell.name, len(data.cases))
            answers = drive(self._world(data), cell, self._watcher.asked)
            found = self._finished.keep(what, CellScores.of(answers))
        self._watcher.ended()
        return found

    def _world(self, data: DataSet) -> World:
        declared = {name: each.declared() for name, each in self._settings.declared.items()}
        others = declared.pop(OTHERS, NOTHING)
        return World(data, declared, others, self._settings.ensemble.spec(), self._settings.seed)


def _names(cell: Cell) -> dict[str, Any]:
    return {"cell": cell.name, **asdict(cell)}


def _check_recorded(settings: RunSettings, found: Mapping[str, str]) -> None:
    """Another file under the same name must not pass for the one that the run was made with."""
    recorded = settings.recorded.get("data", {})
    for name, digest in recorded.items():
        if found.get(name) != digest:
            raise ResearchError(
                settings.data.folder / name,
                "",
                "is not the file that this configuration was recorded with; "
                "find that file, or remove `recorded` to make a new run",
            )


def choices(rows: Sequence[Figures]) -> list[Figures]:
    """The rows of the whole, best Brier score first."""
    last = rows[-1].panel if rows else ""
    return sorted((row for row in rows if row.panel == last), key=lambda row: (row.brier, row.cell))
