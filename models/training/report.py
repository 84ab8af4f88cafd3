# SPDX-License-Identifier: Apache-2.0
"""The report after a training: scores beside rivals, plots as PNG, all of it in one HTML page.

Needs the extra ``training`` (matplotlib, scikit-learn).
"""

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.manifest import HorizonScores, Manifest
from models.training.features import read_features
from models.training.plots import confusion_plot, learning_plot, reliability_plot, scores_plot
from models.training.rivals import fit_rivals
from models.training.sources import RecordingSource
from models.training.splits import Split
from models.training.walk_forward import Task, Tested

#: Neighbouring rows say nearly the same; rivals learn from every third, in a third of the time.
EVERY = 3
_LEGEND = (
    "<p><small>Macro-F1; beside each baseline the 95 % interval of the lead over it, by moving-block "
    "bootstrap within each test. Slope: of calibration, with its 95 % interval.</small></p>"
)
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;max-width:1080px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .7rem;text-align:right;
border-bottom:1px solid #e4e7eb}td:first-child,th:first-child{text-align:left}img{max-width:100%}
small{color:#52606d}
"""


def check_extra() -> None:
    """Whether a report can be written.

    Raises:
        ValueError: a library is missing.
    """
    missing = [name for name in ("matplotlib", "sklearn") if find_spec(name) is None]
    if missing:
        raise ValueError(f"report: needs {', '.join(missing)}; pip install 'consilience-server[training]'")


def beside_rivals(tests: Sequence[Tested], task: Task) -> list[Tested]:
    """The same tests beside the calls of the learned baselines; of FI-2010, without features, as they are.

    ``tests`` holds all folds of the first seed, then all of the second, and so on.
    """
    source, settings = task.source, task.settings
    if not isinstance(source, RecordingSource) or not tests:
        return list(tests)
    features = read_features(source.recording, source.file)
    splits = source.tests(folds=settings.folds, validation_share=settings.validation_share, **task.span)
    called = [_rival_calls(task, source, split, features) for split in splits]
    return [
        replace(test, baselines={**test.baselines, **called[place % len(called)]})
        for place, test in enumerate(tests)
    ]


def _rival_calls(
    task: Task, source: RecordingSource, split: Split, features: NDArray[np.float32]
) -> dict[str, NDArray[np.int64]]:
    """Calls (N, H) of each learned baseline on the rows of a test."""
    horizons, span = task.config.horizons, task.span
    past = split.train.stop + span["horizon"]
    labels = source.targets(past=past, horizons=horizons, settings=task.labels).directions
    seen = np.arange(split.train.start, split.validation.stop, EVERY)
    fitted = fit_rivals(features[seen], labels[seen], horizons, gap=sum(span.values()) // EVERY)
    rows = split.test.rows
    return {
        name: np.argmax(rival.log_probabilities(features[rows]) + rival.offsets, axis=2)
        for name, rival in fitted.items()
    }


def write_report(
    manifest: Manifest, tests: Sequence[Tested], final: Sequence[Mapping[str, object]], folder: Path
) -> Path:
    """Write the plots and ``report.html``; returns the page.

    ``final`` is the history of the shipped network's own training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plots = _plots(manifest, tests, final)
    for name, image in plots.items():
        (folder / f"{name}.png").write_bytes(image)
    page = folder / "report.html"
    page.write_text(_page(manifest, plots), encoding="utf-8")
    return page


def _plots(
    manifest: Manifest, tests: Sequence[Tested], final: Sequence[Mapping[str, object]]
) -> dict[str, bytes]:
    histories = [*(test.history for test in tests), final]
    plots = {"learning_curves": learning_plot([history for history in histories if history])}
    if not tests:
        return plots
    directions = np.concatenate([test.directions for test in tests])
    calls = np.concatenate([test.calls for test in tests])
    confidence = np.concatenate([test.answers.confidence for test in tests]).astype(np.float64)
    known = (directions >= 0).all(axis=1)
    plots["f1_by_horizon"] = scores_plot(manifest.horizons, _by_name(manifest))
    plots["confusion"] = confusion_plot(manifest.horizons, directions, calls)
    plots["reliability"] = reliability_plot(
        manifest.horizons, (calls == directions)[known], confidence[known]
    )
    return plots


def _by_name(manifest: Manifest) -> dict[str, list[float]]:
    rows: Sequence[HorizonScores] = manifest.metrics.horizons if manifest.metrics else ()
    found = {
        manifest.name: [row.macro_f1 for row in rows],
        "persistence": [row.macro_f1_persistence for row in rows],
        "majority": [row.macro_f1_majority for row in rows],
    }
    for name in rows[0].rivals if rows else ():
        found[name] = [row.rivals[name] for row in rows]
    return found


def _page(manifest: Manifest, plots: Mapping[str, bytes]) -> str:
    provenance = manifest.provenance
    facts = (
        f"{manifest.architecture}, {manifest.parameters:,} parameters, trained on {provenance.recording} "
        f"(rows {provenance.train_rows[0]:,} to {provenance.train_rows[1]:,}) in {provenance.seconds:,.0f} s "
        f"on {provenance.device}, seed {provenance.seed}. {manifest.purpose}"
    )
    images = "".join(
        f"<h2>{html.escape(name.replace('_', ' ').capitalize())}</h2>"
        f'<img alt="{html.escape(name)}" src="data:image/png;base64,{base64.b64encode(image).decode()}">'
        for name, image in plots.items()
    )
    method = manifest.metrics.method if manifest.metrics else "no walk-forward test was asked for"
    title = f"{manifest.name} version {manifest.version}"
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1><p>{html.escape(facts)}</p>"
        f"{_table(manifest)}<p><small>{html.escape(method)}</small></p>{images}</html>\n"
    )


def _table(manifest: Manifest) -> str:
    rows: Sequence[HorizonScores] = manifest.metrics.horizons if manifest.metrics else ()
    names = [*(_by_name(manifest) if rows else ()), "MCC", "ECE", "slope", "top tenth right", "log loss"]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("updates ahead", *names))
    body = "".join(_row(manifest, h, row) for h, row in enumerate(rows))
    return f"<table><tr>{head}</tr>{body}</table>{_LEGEND}"


def _row(manifest: Manifest, h: int, row: HorizonScores) -> str:
    cells = [
        f"{found[h]:.3f}{_interval(row.lead_intervals.get(name), '+.3f')}"
        for name, found in _by_name(manifest).items()
    ]
    cells += [f"{row.mcc:.3f}", f"{row.ece:.3f}"]
    cells.append(f"{row.calibration_slope:.3f}{_interval(row.calibration_slope_interval, '.2f')}")
    cells += [f"{row.accuracy_most_confident_tenth:.3f}", f"{row.log_loss:.3f}"]
    return f"<tr><td>{row.horizon}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _interval(ends: tuple[float, float] | None, form: str) -> str:
    return "" if ends is None else f" ({ends[0]:{form}} to {ends[1]:{form}})"
