# SPDX-License-Identifier: Apache-2.0
"""What docs/models.md says of the shipped networks is what their manifests say."""

import re
from pathlib import Path

import pytest

import models
from models.manifest import read_manifest

WEIGHTS = Path(models.__path__[0]) / "weights"
PAGE = (Path(models.__path__[0]).parent / "docs" / "models.md").read_text(encoding="utf-8")
#: | `name` VERSION, perhaps a remark | macro-F1 at 10, 20, 30, 50 and 100 updates |
ROW = re.compile(r"^\| `(\w+)` (\d+)[^|]*\|" + r" (\.\d+)? ?\|" * 5 + "$", re.MULTILINE)
ROWS = ROW.findall(PAGE)
HORIZONS = (10, 20, 30, 50, 100)


def manifest(name, version):
    return read_manifest(WEIGHTS / name / version)


def test_every_shipped_version_has_its_row():
    shipped = {(file.parent.parent.name, file.parent.name) for file in WEIGHTS.glob("*/*/manifest.json")}
    assert {(name, version) for name, version, *_ in ROWS} == shipped


@pytest.mark.parametrize(("name", "version", "cells"), [(row[0], row[1], row[2:]) for row in ROWS])
def test_scores_are_those_of_the_manifest(name, version, cells):
    scores = {row.horizon: row.macro_f1 for row in manifest(name, version).metrics.horizons}
    told = {horizon: float(cell) for horizon, cell in zip(HORIZONS, cells, strict=True) if cell}
    assert told.keys() == scores.keys()
    for horizon, value in told.items():
        assert value == pytest.approx(scores[horizon], abs=0.00055)


def test_costs_of_smaller_weights_are_the_largest_of_the_manifests():
    for precision in ("bf16", "int8"):
        weights = [read_manifest(file.parent).weights for file in WEIGHTS.glob("*/*/manifest.json")]
        share = [each[precision].bytes / each["fp32"].bytes for each in weights]
        lost = max(loss for each in weights for loss in each[precision].macro_f1_loss.values())
        added = max(change for each in weights for change in each[precision].ece_change.values())
        cells = (f"{min(share):.2f} to {max(share):.2f}", f"{lost:.4f}", f"{added:.4f}")
        row = f"| {precision} | " + " | ".join(cells) + " |"
        assert row.replace("0.", ".") in PAGE
