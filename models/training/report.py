# SPDX-License-Identifier: Apache-2.0
"""The report after a training: scores beside rivals, plots as PNG, all of it in one HTML page.

Needs the extra ``training`` (matplotlib, scikit-learn).
"""

import base64
import html
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from models import scores
from models.manifest import HorizonScores, Manifest
from models.training.features import read_features
from models.training.plots import confusion_plot, learning_plot, reliability_plot, scores_plot
from models.training.rivals import fit_rivals
from models.training.sources import RecordingSource
from models.training.walk_forward import Task, Tested

#: Neighbouring rows say nearly the same; rivals learn from every third, in a third of the time.
EVERY = 3
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


def rival_scores(task: Task) -> dict[str, list[float]]:
    """Macro-F1 of the learned baselines in the same tests, by horizon; nothing for FI-2010."""
    source, horizons, settings = task.source, task.config.horizons, task.settings
    if not isinstance(source, RecordingSource) or not settings.folds:
        return {}
    features = read_features(source.recording, source.file)
    found: dict[str, list[list[float]]] = {}
    splits = source.tests(folds=settings.folds, validation_share=settings.validation_share, **task.span)
    for split in splits:
        labels = source.targets(
            past=split.train.stop + task.span["horizon"], horizons=horizons, settings=task.labels
        ).directions
        past = np.arange(split.train.start, split.validation.stop, EVERY)
        gap = sum(task.span.values()) // EVERY
        for name, rival in fit_rivals(features[past], labels[past], horizons, gap=gap).items():
            rows = split.test.rows
            calls = np.argmax(rival.log_probabilities(features[rows]) + rival.offsets, axis=2)
            own = [scores.macro_f1(labels[rows, h], calls[:, h]) for h in range(len(horizons))]
            found.setdefault(name, []).append(own)
    return {name: [round(float(value), 4) for value in np.mean(rows, axis=0)] for name, rows in found.items()}


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
    body = ""
    for h, row in enumerate(rows):
        values = [found[h] for found in _by_name(manifest).values()]
        values += [
            row.mcc, row.ece, row.calibration_slope, row.accuracy_most_confident_tenth, row.log_loss
        ]  # fmt: skip
        cells = [f"{value:.3f}" for value in values]
        if row.calibration_slope_interval is not None:
            low, high = row.calibration_slope_interval
            cells[names.index("slope")] += f" ({low:.2f} to {high:.2f})"
        body += f"<tr><td>{row.horizon}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    return f"<table><tr>{head}</tr>{body}</table>"
