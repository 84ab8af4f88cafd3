# SPDX-License-Identifier: Apache-2.0
"""A manifest with nothing but what it must have."""

BARE = {
    "name": "bin_ctabl",
    "version": 1,
    "architecture": "bin_ctabl",
    "config": {"horizons": [10, 50]},
    "parameters": 1,
    "created": "2026-01-01T00:00:00Z",
    "code_version": "models/1",
    "inputs": [{"name": "book_window", "shape": [100, 20, 4], "encoding": "x"}],
    "outputs": [{"name": "direction_logits", "shape": [2, 3]}],
    "horizons": [10, 50],
    "primary_horizon": 50,
    "labels": {"kind": "decoupled", "alphas": [1e-4, 2e-4], "rule": "half_mean", "rows": [0, 10]},
    "decision": {"rule": "argmax", "call_offsets": [[0, 0, 0], [0, 0, 0]]},
    "market": {"symbol": "MADEUP", "venue": "", "tick_size": 0.1, "lot_size": 0.1},
    "provenance": {
        "recording": "madeup",
        "recording_sha256": "",
        "rows": 10,
        "source": "",
        "train_rows": [0, 5],
        "validation_rows": [5, 10],
        "settings": {},
        "seed": 0,
        "epochs_run": 1,
        "best_epoch": 0,
        "seconds": 1.0,
        "device": "cpu",
    },
    "weights": {},
}
