# SPDX-License-Identifier: Apache-2.0
"""A load run as one page of HTML that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bar: #2f7fd1; --bad: #c33; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
small, .dim { opacity: .7; }
.bad { color: var(--bad); font-weight: 600; }
svg { width: 100%; height: 8rem; display: block; }
rect { fill: var(--bar); }
text { font: 11px system-ui, sans-serif; fill: currentColor; }
"""
_QUANTILES = ("min", "p50", "p90", "p99", "max")


@dataclass
class Outcome:
    """What one scenario has shown; times of a call in milliseconds."""

    name: str
    call: str
    calls: int
    concurrency: int
    connections: int
    seconds: float
    calls_a_second: float
    latency_ms: dict[str, float]
    histogram: list[tuple[float, int]]
    server_cpu_us_a_call: float | None
    failures: dict[str, int]


def write_html(path: Path, outcomes: Sequence[Outcome], machine: Mapping[str, Any]) -> None:
    """Write the page."""
    path.write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>Consilience under load</title>"
        f"<style>{_STYLE}</style><h1>Consilience under load</h1>"
        f"<p class='dim'>{escape(_machine(machine))}. The load generator ran on the same machine.</p>"
        f"{_table(outcomes)}{''.join(_section(outcome) for outcome in outcomes)}</html>\n",
        encoding="utf-8",
    )


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['processor']}, {machine['cores']} cores, load average {machine['load_average']},"
        f" Python {machine['python']}, grpcio {machine['packages'].get('grpcio', '')}"
    )


def _table(outcomes: Sequence[Outcome]) -> str:
    heads = "".join(f"<th>{name}, ms" for name in _QUANTILES)
    rows = "".join(_row(outcome) for outcome in outcomes)
    return f"<table><tr><th>Scenario<th>Calls/s{heads}<th>Server CPU, µs/call<th>Failed</tr>{rows}</table>"


def _row(outcome: Outcome) -> str:
    cells = "".join(f"<td>{_number(outcome.latency_ms.get(name))}" for name in _QUANTILES)
    failed = sum(outcome.failures.values())
    mark = f"<span class='bad'>{failed:,}</span>" if failed else "0"
    return (
        f"<tr><td>{escape(outcome.name)}<td>{outcome.calls_a_second:,.0f}{cells}"
        f"<td>{_number(outcome.server_cpu_us_a_call)}<td>{mark}</tr>"
    )


def _number(value: float | None) -> str:
    if value is None:
        return "n/a"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _section(outcome: Outcome) -> str:
    failed = "".join(
        f"<p class='bad'>{escape(status)}: {count:,}</p>" for status, count in outcome.failures.items()
    )
    return (
        f"<h2>{escape(outcome.name)}</h2><p class='dim'>{escape(outcome.call)}: {outcome.calls:,} calls in"
        f" {outcome.seconds:.1f} s, {outcome.concurrency} at a time on {outcome.connections} connections</p>"
        f"{failed}{_histogram(outcome.histogram)}"
    )


def _histogram(buckets: Sequence[tuple[float, int]]) -> str:
    """Latencies of calls as bars; each is marked with its upper end in milliseconds."""
    if not buckets:
        return ""
    most = max(count for _, count in buckets) or 1
    width = 600 / len(buckets)
    bars = "".join(
        f"<rect x='{index * width + 2:.1f}' y='{90 - 80 * count / most:.1f}' width='{width - 4:.1f}'"
        f" height='{80 * count / most:.1f}'><title>{count:,} calls up to {mark:.2f} ms</title></rect>"
        f"<text x='{(index + 0.5) * width:.1f}' y='104' text-anchor='middle'>{_number(mark)}</text>"
        for index, (mark, count) in enumerate(buckets)
    )
    return f"<svg viewBox='0 0 600 110' role='img' aria-label='latencies, ms'>{bars}</svg>"
