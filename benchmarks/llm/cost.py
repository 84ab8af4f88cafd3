# SPDX-License-Identifier: Apache-2.0
"""Sequential, cascade and value-of-information stopping on real forecasts: Brier score against calls.

    python -m benchmarks.llm.cost DATA/forecasts

Every question of every panel is asked through the engine, with recorded
forecasters, in order of its date; members are asked in the order that selection
``value`` has learned from earlier answers, and in the configured one. Against
each way stand random members: of the same number for each question (paired), and
of the same mean number, the same for all questions. Clusters count once;
intervals are 95 % bootstraps, clusters resampled within panels. ``--plot`` draws
the curve.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from benchmarks.reporting import write
from server.engine.ensembles import Ensemble as Members
from server.engine.ensembles import Ensembles
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.forecasting.deadline import SystemClock
from server.forecasting.ensemble import Durability, EnsembleSpec, MemberSpec
from server.forecasting.pooling import pooling
from server.forecasting.question import Question
from server.recordings.library import RecordingLibrary
from server.recordings.settings import RecordedSettings, RecordingsSettings
from server.recordings.unit_ids import unit_id
from server.research.cases import BACKGROUND, Ensemble, make_ensembles
from server.research.grid.nowhere import NoCatalogue, Nowhere
from server.research.panels import read_panels
from server.research.scores import Pool, Scored, brier
from server.research.table import ForecastTable, read_table

Floats = NDArray[np.float64]

#: Random sets of each size that a question's loss is averaged over.
DRAWS = 40
SEED = 11
SELECTIONS = ("value", "all")
EXPLORE = 0.05
LEVELS: dict[str, tuple[tuple[str, Any], ...]] = {
    "sequential": tuple(("min_responses", n) for n in (2, 3, 4, 5)),
    "cascade": tuple(("confidence_threshold", c) for c in (0.7, 0.8, 0.9, 0.95)),
    "value": tuple(("call_cost_usd", c) for c in (0.01, 0.005, 0.002, 0.001)),
}


@dataclass(frozen=True)
class Panel:
    """One panel's questions, its members' forecasters, and (units, members) of what they said."""

    ensemble: Ensemble
    names: tuple[str, ...]
    questions: list[Question]
    library: RecordingLibrary

    @property
    def said(self) -> Floats:
        return self.ensemble.asked.probabilities[:, : len(self.names)]

    def members(self, spec: EnsembleSpec) -> Members:
        forecasters = {name: self.library.forecaster(RecordedSettings(model=name)) for name in self.names}
        return Members(spec, forecasters)


def panels_of(folder: Path) -> list[Panel]:
    table = read_table(folder / "forecasts.parquet")
    library = RecordingLibrary.open(RecordingsSettings(forecasts=folder, cache=None))
    ensembles = make_ensembles(table, read_panels(folder / "panels.json"))
    return [_panel(table, library, e) for e in ensembles if e.panel != BACKGROUND]


def _panel(table: ForecastTable, library: RecordingLibrary, ensemble: Ensemble) -> Panel:
    questions = [library.catalogue.get(_id(table, unit)) for unit in ensemble.unit.tolist()]
    assert all(questions)
    return Panel(ensemble, ensemble.asked.members[:-2], [q for q in questions if q is not None], library)


def _id(table: ForecastTable, unit: int) -> str:
    context, asked = table.contexts[unit], int(table.forecast_day[unit])
    return unit_id(
        source=context.source,
        question_id=table.question_id[unit],
        question_type=context.kind,
        forecast_day=datetime.fromtimestamp(asked * 86_400, UTC).date().isoformat(),
        horizon_days=int(table.resolution_day[unit]) - asked,
    )


async def drive(panel: Panel, execution: str, selection: str, **thresholds: Any) -> tuple[Floats, Floats]:
    """(N,) what the engine answers, and how many calls it made for it."""
    spec = EnsembleSpec(
        "panel",
        tuple(MemberSpec(name) for name in panel.names),
        execution=execution,
        selection=selection,
        explore_share=EXPLORE,
        durability=Durability.NONE,
        **{"min_consensus": 1.0, "min_responses": 1, "loss_usd": 1.0, "deadline_s": 60.0, **thresholds},
    )
    engine = PredictionEngine(
        Ensembles([panel.members(spec)], "panel"),
        NoCatalogue(),
        Recorder(Nowhere()),
        (),
        SystemClock(),
        EngineSettings("benchmark"),
    )
    answers, calls = [], []
    for question in panel.questions:
        prediction = await engine.predict(PredictionRequest(question))
        answers.append(prediction.probabilities[0])
        calls.append(sum(m.forecast is not None for m in prediction.members))
    return np.array(answers), np.array(calls, dtype=np.float64)


def random_losses(panel: Panel) -> Floats:
    """(M, N): mean Brier score of 1, 2, ... random members, pooled as the engine pools."""
    said, chance = panel.said, np.random.default_rng(SEED)
    count = len(panel.names)
    losses = np.zeros((count, len(said)))
    kernel, ones = pooling("log_odds", {}, count, 2), np.ones(count)
    for unit, row in enumerate(said):
        present = np.flatnonzero(~np.isnan(row))
        for _ in range(DRAWS):
            order = chance.permutation(present)
            matrix = np.full((count, 2), np.nan)
            for size in range(count):
                if size < len(order):
                    p = row[order[size]]
                    matrix[order[size]] = p, 1.0 - p
                    loss = (kernel.pool(matrix, ones).probabilities[0] - panel.ensemble.outcome[unit]) ** 2
                losses[size, unit] += loss / DRAWS
    return losses


def at_size(losses: Floats, size: Floats | float) -> Floats:
    """(N,) losses of so many random members, between whole numbers a mixture of both."""
    held = np.clip(np.broadcast_to(np.asarray(size, dtype=np.float64), losses.shape[1:]), 1, len(losses))
    low = np.floor(held).astype(int)
    high = np.minimum(low + 1, len(losses))
    share, units = held - low, np.arange(losses.shape[1])
    return np.asarray((1 - share) * losses[low - 1, units] + share * losses[high - 1, units])


@dataclass(frozen=True)
class Judge:
    """Means and intervals over the clusters of all panels."""

    panels: Sequence[Panel]
    losses: Sequence[Floats]
    scored: tuple[Scored, ...]

    @classmethod
    def of(cls, panels: Sequence[Panel]) -> "Judge":
        scored = tuple(Scored(p.ensemble.outcome, p.ensemble.cluster) for p in panels)
        return cls(panels, [random_losses(panel) for panel in panels], scored)

    def mean(self, values: Sequence[Floats]) -> float:
        return float(Pool(self.scored).mean(self._clustered(values)))

    def interval(self, values: Sequence[Floats]) -> list[float]:
        return [float(end) for end in Pool(self.scored).interval(self._clustered(values))]

    def _clustered(self, values: Sequence[Floats]) -> list[Floats]:
        return [one.by_cluster(own) for one, own in zip(self.scored, values, strict=True)]

    def random(self) -> list[dict[str, float]]:
        """The curve of random members."""
        most = max(len(losses) for losses in self.losses)
        return [
            {"calls": k, "brier": self.mean([at_size(losses, k) for losses in self.losses])}
            for k in range(1, most + 1)
        ]

    def row(self, answers: Sequence[Floats], calls: Sequence[Floats]) -> dict[str, Any]:
        own = [brier(a, p.ensemble.outcome) for a, p in zip(answers, self.panels, strict=True)]
        mean_calls = self.mean(calls)
        paired = [o - at_size(ls, c) for o, ls, c in zip(own, self.losses, calls, strict=True)]
        fixed = [o - at_size(ls, mean_calls) for o, ls in zip(own, self.losses, strict=True)]
        return {
            "calls": mean_calls,
            "brier": self.mean(own),
            "minus_random_same_mean": self.mean(fixed),
            "minus_random_same_mean_interval": self.interval(fixed),
            "minus_random_same_calls": self.mean(paired),
            "minus_random_same_calls_interval": self.interval(paired),
        }


async def measure(panels: Sequence[Panel]) -> dict[str, Any]:
    judge, rows = Judge.of(panels), []
    for selection in SELECTIONS:
        for execution, levels in LEVELS.items():
            for name, level in levels:
                begun = time.process_time()
                done = [await drive(p, execution, selection, **{name: level}) for p in panels]
                row = judge.row([a for a, _ in done], [c for _, c in done])
                head = {"execution": execution, "selection": selection, "threshold": name, "level": level}
                rows.append({**head, **row, "cpu_s": time.process_time() - begun})
                print(line(rows[-1]), flush=True)
    whole = [await drive(p, "parallel", "all") for p in panels]
    everyone = judge.row([a for a, _ in whole], [c for _, c in whole])
    return {
        "clusters": sum(scored.clusters for scored in judge.scored),
        "questions": sum(len(panel.questions) for panel in panels),
        "everyone": {"calls": everyone["calls"], "brier": everyone["brier"]},
        "random": judge.random(),
        "rows": rows,
    }


def line(row: dict[str, Any]) -> str:
    (low, high), (own_low, own_high) = (
        row[f"minus_random_{what}_interval"] for what in ("same_mean", "same_calls")
    )
    mean, paired = row["minus_random_same_mean"], row["minus_random_same_calls"]
    return (
        f"| {row['execution']} | {row['selection']} | {row['threshold']} {row['level']:g} "
        f"| {row['calls']:.2f} | {row['brier']:.4f} | {mean:+.4f} ({low:+.4f} to {high:+.4f}) "
        f"| {paired:+.4f} ({own_low:+.4f} to {own_high:+.4f}) |"
    )


def plot(results: dict[str, Any], path: Path) -> None:
    """The curve as PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only for drawing

    figure = Figure(figsize=(8, 5), dpi=120)
    axes = figure.subplots()
    curve = results["random"]
    axes.plot([r["calls"] for r in curve], [r["brier"] for r in curve], "k--", label="random members")
    for execution, marker in (("sequential", "o"), ("cascade", "s"), ("value", "^")):
        own = [r for r in results["rows"] if r["execution"] == execution and r["selection"] == "value"]
        own.sort(key=lambda r: r["calls"])
        axes.plot([r["calls"] for r in own], [r["brier"] for r in own], marker=marker, label=execution)
    everyone = results["everyone"]
    axes.plot(everyone["calls"], everyone["brier"], "k*", markersize=12, label="everyone")
    axes.set_xlabel("calls per question")
    axes.set_ylabel("Brier score (lower is better)")
    axes.set_title(f"Recorded forecasts, {results['clusters']} clusters; members in learned order")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plot", type=Path, default=None, help="write the curve as PNG")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    results = asyncio.run(measure(panels_of(given.folder)))
    write("llm_cost", "python -m benchmarks.llm.cost DATA/forecasts", results)
    if given.plot is not None:
        plot(results, given.plot)


if __name__ == "__main__":
    main()
