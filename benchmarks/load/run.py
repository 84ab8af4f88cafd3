# SPDX-License-Identifier: Apache-2.0
"""Runs every scenario beside this file with ghz against a server of its own.

python -m benchmarks.load.run [SCENARIO ...] [--server HOST:PORT] [--out FOLDER]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ghz import failures, latencies_ms, protoset, run_ghz
from benchmarks.load.market_data import write_messages
from benchmarks.load.report import Outcome, write_html
from benchmarks.reporting import machine, quantiles
from benchmarks.serving import REPOSITORY, Served, serving

SCENARIOS = Path(__file__).parent
OUT = REPOSITORY / "build" / "load"


def main() -> None:
    arguments = _arguments()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    OUT.mkdir(parents=True, exist_ok=True)
    write_messages(OUT / "market.json")
    with _target(arguments.server) as (address, served):
        outcomes = [_run(path, address, served, out) for path in chosen(arguments.scenarios)]
    document = {"machine": machine(), "scenarios": [outcome.__dict__ for outcome in outcomes]}
    (out / "report.json").write_text(json.dumps(document, indent=2) + "\n")
    write_html(out / "report.html", outcomes, machine())
    print(f"reports: {out / 'report.html'} and {out / 'report.json'}")
    sys.exit(any(outcome.failures for outcome in outcomes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Load a server with ghz.")
    parser.add_argument("scenarios", nargs="*", help="names of scenarios; none: all")
    parser.add_argument("--server", default="", help="a running server on this machine; none: a new one")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def chosen(names: Sequence[str]) -> list[Path]:
    """Scenario files by name, all where none is named."""
    paths = {path.stem: path for path in sorted(SCENARIOS.glob("*.json"))}
    unknown = [name for name in names if name not in paths]
    if unknown:
        sys.exit(f"no scenario {unknown[0]!r}; there are {', '.join(paths)}")
    return [paths[name] for name in names or paths]


@contextmanager
def _target(address: str) -> Iterator[tuple[str, Served | None]]:
    if address:
        yield address, None
        return
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        yield served.address, served


def _run(path: Path, address: str, served: Served | None, out: Path) -> Outcome:
    settings = json.loads(path.read_text())
    print(f"{settings['name']} ...", flush=True)
    before_s = served.cpu_s() if served else 0.0
    report = run_ghz(address, {**settings, "protoset": str(protoset(out))}, out)
    used_s = served.cpu_s() - before_s if served else None
    (out / f"{path.stem}.ghz.json").write_text(json.dumps(report))
    outcome = outcome_of(settings, report, used_s)
    print(
        f"  {outcome.calls:,} calls, {outcome.calls_a_second:,.0f} a second, p50 "
        f"{outcome.latency_ms.get('p50', 0):.2f} ms, p99 {outcome.latency_ms.get('p99', 0):.2f} ms"
        + (f", FAILED {outcome.failures}" if outcome.failures else ""),
        flush=True,
    )
    return outcome


def outcome_of(settings: dict[str, Any], report: dict[str, Any], used_s: float | None) -> Outcome:
    """What a run has shown."""
    taken = latencies_ms(report)
    return Outcome(
        name=settings["name"],
        call=settings["call"],
        calls=report["count"],
        concurrency=settings["concurrency"],
        connections=settings["connections"],
        seconds=report["total"] / 1e9,
        calls_a_second=report["rps"],
        latency_ms=quantiles(taken) if len(taken) > 1 else {},
        histogram=[(bucket["mark"] * 1e3, bucket["count"]) for bucket in report.get("histogram") or ()],
        server_cpu_us_a_call=None if used_s is None else used_s / report["count"] * 1e6,
        failures=failures(report),
    )


if __name__ == "__main__":
    main()
