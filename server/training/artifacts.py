# SPDX-License-Identifier: Apache-2.0
"""What a finished training says about itself, read without loading a network."""

import json
from pathlib import Path

_SCORES = ("macro_f1", "macro_f1_persistence", "mcc", "ece", "accuracy_most_confident_tenth")


def read_metrics(folder: Path) -> dict[str, float]:
    """Walk-forward scores from the manifest, as ``macro_f1_h10``; empty where there are none."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        rows = (manifest.get("metrics") or {}).get("horizons", [])
        return {f"{name}_h{row['horizon']}": float(row[name]) for row in rows for name in _SCORES}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
