# SPDX-License-Identifier: Apache-2.0
"""What systems of this kind claim, measured: python -m benchmarks.research.claims DATA/forecasts.

Every figure comes from the engine that serves live traffic, driven over recorded
answers in virtual time. Latencies, failures and prices are declared.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from genai_prices import Usage, calc_price

from benchmarks.reporting import write
from server.forecasting.ensemble import EnsembleSpec
from server.research.grid.cell import Cell
from server.research.grid.dataset import DataSet
from server.research.grid.declared import Declared
from server.research.grid.drive import World, drive
from server.research.grid.recorded_data import read_panels_data
from server.research.grid.score import CellScores
from server.research.grid.sources import only_panels
from server.research.grid.summary import Scorer

RESAMPLES, SEED = 1000, 1
MEDIAN_S = 4.0
TAILS = (2.0, 4.0, 8.0, 16.0)
#: Multiple of the median after which a second attempt goes out, and how many of them a first one may set off.
HEDGES = ((2.0, 0.08), (2.0, 0.5))
FAILURES = (0.01, 0.02, 0.05, 0.10, 0.20)
PATIENT = EnsembleSpec("", (), deadline_s=300.0, member_timeout_s=300.0, hedge_delay_s=8.0)

#: The cheap five and the large ones of the panel, with whose price list says what they cost.
CHEAP = {
    "cf:gpt4o-mini-2024-07-18:cot": ("openai", "gpt-4o-mini"),
    "cf:gpt4o-mini-2024-07-18:direct": ("openai", "gpt-4o-mini"),
    "cf:llama-3.1-8B:cot": ("openrouter", "meta-llama/llama-3.1-8b-instruct"),
    "cf:llama-3.1-8B:direct": ("openrouter", "meta-llama/llama-3.1-8b-instruct"),
    "cf:llama-3.1-70B:cot": ("openrouter", "meta-llama/llama-3.1-70b-instruct"),
}
LARGE = {
    "cf:o1-preview:cot": ("openai", "o1-preview"),
    "cf:claude-3.5-sonnet:cot": ("anthropic", "claude-3-5-sonnet"),
    "cf:gpt4o-2024-08-06:cot": ("openai", "gpt-4o"),
}
TOKENS = Usage(input_tokens=1000, output_tokens=500)


def main(folder: Path) -> None:
    data = read_panels_data(folder, market=False)
    results = {
        "hedging": [row for tail in TAILS for row in hedging(data, tail)],
        "sequential": sequential(data),
        "ensemble_against_single": singles(data),
        "five_members": five(only_panels(data, {"consistency-2024"})),
    }
    print(write("claims", "python -m benchmarks.research.claims DATA/forecasts", results))


def hedging(data: DataSet, tail: float) -> list[dict[str, Any]]:
    """99th percentile of five members at once, all needed, without hedges and with either way of them."""
    declared = Declared(latency_median_s=MEDIAN_S, latency_p99_s=MEDIAN_S * tail)
    spec = replace(PATIENT, min_responses=5)
    plain = scores(World(data, others=declared, spec=spec), Cell(selection="first:5"))
    rows = []
    for multiple, share in HEDGES:
        own = replace(spec, hedge_multiple=multiple, hedge_share=share)
        cell = Cell(execution="hedged", selection="first:5")
        hedged = scores(World(data, others=declared, spec=own), cell)
        how = {"p99_over_median_of_a_call": tail, "hedge_multiple": multiple, "hedge_share": share}
        rows.append({**how, **cut(plain, hedged)})
    return rows


def cut(plain: CellScores, hedged: CellScores) -> dict[str, Any]:
    """By how much hedges cut the 99th percentile; questions are resampled."""
    both = np.stack([plain.latency_s, hedged.latency_s])
    ends = np.percentile(both, 99, axis=1)
    drawn = np.random.default_rng(SEED).integers(0, both.shape[1], (RESAMPLES, both.shape[1]))
    resampled = np.percentile(both[:, drawn], 99, axis=2)
    low, high = np.percentile(1.0 - resampled[1] / resampled[0], (2.5, 97.5))
    return {
        "p99_s": ends.tolist(),
        "p99_cut": float(1.0 - ends[1] / ends[0]),
        "p99_cut_interval": [float(low), float(high)],
        "more_calls": float(hedged.calls.mean() / plain.calls.mean() - 1.0),
    }


def sequential(data: DataSet) -> list[dict[str, Any]]:
    """Calls saved against asking everyone at once, and what it costs in Brier score."""
    scorer = Scorer(data.cases)
    whole = scores(World(data), Cell())
    rows = []
    for execution, selection, quorum in (
        ("sequential", "all", None),
        ("sequential", "all", 3),
        ("sequential", "all", 2),
        ("sequential", "value", 3),
        ("sequential", "value", 2),
        ("cascade", "value", None),
    ):
        spec = EnsembleSpec("", (), deadline_s=60.0, min_responses=quorum)
        own = scores(World(data, spec=spec), Cell(execution=execution, selection=selection))
        saved, low, high = scorer.interval(1.0 - own.calls / whole.calls)
        mean, worse_low, worse_high = scorer.interval(own.brier - whole.brier)
        rows.append(
            {
                "execution": execution,
                "selection": selection,
                "min_responses": quorum or ("1" if execution == "cascade" else "half"),
                "calls": scorer.mean(own.calls),
                "saved": saved,
                "saved_interval": [low, high],
                "brier": scorer.mean(own.brier),
                "brier_diff": mean,
                "brier_diff_interval": [worse_low, worse_high],
            }
        )
    return rows


def singles(data: DataSet) -> list[dict[str, Any]]:
    """Brier score and accuracy of ensembles minus those of single members, panel by panel."""
    scorer = Scorer(data.cases)
    names: dict[str, str] = {}
    brier, right, average = (np.zeros(len(data.cases)) for _ in range(3))
    for panel, members in data.panels.items():
        own = only_panels(data, {panel})
        alone = {name: scores(World(own), Cell(selection=f"only:{name}")) for name in members}
        mean = Scorer(own.cases).mean
        names[panel] = min(alone, key=lambda name, of=alone, mean=mean: mean(of[name].brier))
        here = np.array([case.panel == panel for case in data.cases])
        brier[here], right[here] = alone[names[panel]].brier, alone[names[panel]].right
        average[here] = np.mean([one.brier for one in alone.values()], axis=0)
    rows = []
    for cell in (Cell("linear"), Cell(), Cell(weighting="agreement", calibration="hierarchical")):
        whole = scores(World(data), cell)
        rows.append(
            {
                "ensemble": cell.name,
                "brier": scorer.mean(whole.brier),
                "best_single_in_hindsight": names,
                "brier_minus_best_in_hindsight": scorer.interval(whole.brier - brier),
                "accuracy_minus_best_in_hindsight": scorer.interval(whole.right - right),
                "brier_minus_average_single": scorer.interval(whole.brier - average),
            }
        )
    return rows


def five(data: DataSet) -> dict[str, Any]:
    """Five cheap members against one large one: answered in time, price and Brier score."""
    scorer = Scorer(data.cases)
    cheap = replace(data, panels=dict.fromkeys(data.panels, tuple(CHEAP)))
    price = sum(usd(*where) for where in CHEAP.values())
    together = scores(World(cheap), Cell())
    found: dict[str, Any] = {"price_usd": price, "brier": scorer.mean(together.brier), "large": []}
    for name, where in LARGE.items():
        alone = scores(World(data), Cell(selection=f"only:{name}"))
        found["large"].append(
            {
                "member": name,
                "price_usd": usd(*where),
                "price_share": price / usd(*where),
                "brier": scorer.mean(alone.brier),
                "five_minus_it": scorer.interval(together.brier - alone.brier),
                "accuracy_of_five_minus_it": scorer.interval(together.right - alone.right),
            }
        )
    found["reliability"] = [answered(cheap, share) for share in FAILURES]
    return found


def answered(data: DataSet, failures: float) -> dict[str, Any]:
    """Share of questions answered where calls fail independently so often, over four seeds."""
    row: dict[str, Any] = {"failure_share": failures}
    for quorum in (1, 2, 3):
        spec = EnsembleSpec("", (), deadline_s=60.0, min_responses=quorum)
        shares = [
            _sufficient(World(data, others=Declared(failure_share=failures), spec=spec, seed=seed))
            for seed in range(4)
        ]
        row[f"quorum_{quorum}"] = float(np.mean(shares))
    row["one_alone"] = 1.0 - failures
    return row


def _sufficient(world: World) -> float:
    """Share of questions on which at least the quorum answered."""
    least = world.spec.min_responses or 1
    counts = [a.prediction.agreement.answered if a.prediction else 0 for a in drive(world, Cell())]
    return float(np.mean([count >= least for count in counts]))


def scores(world: World, cell: Cell) -> CellScores:
    return CellScores.of(drive(world, cell))


def usd(provider: str, model: str) -> float:
    return float(calc_price(TOKENS, model, provider_id=provider).total_price)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the folder of forecasts.parquet and panels.json")
    main(Path(sys.argv[1]))
