# SPDX-License-Identifier: Apache-2.0
"""Which configuration is the fastest, the cheapest, the most reliable, the best for its money."""

from collections.abc import Callable, Sequence
from typing import Any

from server.research.grid.summary import Figures


def price(row: Figures) -> float:
    """What a question costs: declared dollars, or calls where no cost is declared."""
    return row.calls if row.cost_usd is None else row.cost_usd


def frontier(rows: Sequence[Figures]) -> list[Figures]:
    """Rows that no other beats at the same or a lower price, cheapest first."""
    best: list[Figures] = []
    for row in sorted(rows, key=lambda row: (price(row), row.brier, row.cell)):
        if not best or row.brier < best[-1].brier:
            best.append(row)
    return best


def best_value(rows: Sequence[Figures]) -> Figures:
    """The bend of the frontier: farthest below the line from its cheapest to its best row.

    Both axes are scaled to 0..1; of two rows the cheaper is taken.
    """
    edge = frontier(rows)
    first, last = edge[0], edge[-1]
    wide, high = price(last) - price(first), first.brier - last.brier
    if wide <= 0.0 or high <= 0.0:
        return first
    return max(edge, key=lambda row: (first.brier - row.brier) / high - (price(row) - price(first)) / wide)


def profile(rows: Sequence[Figures]) -> dict[str, Any]:
    """A cell for each wish with the figure that decided; None where it cannot be told.

    Latency needs declared latencies; the cheapest is told by calls where no cost is
    declared. Ties go to the lower Brier score, then to the name.
    """
    timed = [row for row in rows if row.latency_p95_s is not None]
    found: dict[str, Any] = {
        "fastest": _least(timed, lambda row: row.latency_p95_s or 0.0, "latency_p95_s"),
        "cheapest": _least(rows, price, "calls" if rows[0].cost_usd is None else "cost_usd"),
        "most_reliable": _least(rows, lambda row: -row.reliability, "reliability"),
        "most_accurate": _least(rows, lambda row: row.brier, "brier"),
    }
    value = best_value(rows)
    found["best_value"] = {"cell": value.cell, "brier": value.brier, "price": price(value)}
    return found


def _least(rows: Sequence[Figures], key: Callable[[Figures], float], name: str) -> dict[str, Any] | None:
    if not rows:
        return None
    best = min(rows, key=lambda row: (key(row), row.brier, row.cell))
    return {"cell": best.cell, name: getattr(best, name), "brier": best.brier}
