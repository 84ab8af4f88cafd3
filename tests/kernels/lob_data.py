# SPDX-License-Identifier: Apache-2.0
"""Real recordings for the tests, found through CONSILIENCE_DATA."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.recording import Events

_ROOT = os.environ.get("CONSILIENCE_DATA")
FOLDER = Path(_ROOT) / "lob" if _ROOT else None
PRESENT = FOLDER is not None and FOLDER.is_dir()
needs_recordings = pytest.mark.skipif(
    not PRESENT, reason="no recordings: set CONSILIENCE_DATA to the folder that holds lob/"
)
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")

NEXO = "nexousdt_spot_20240723_25_train70"


def names(suffix: str) -> list[str]:
    """Recordings that have a file of this kind."""
    if FOLDER is None or not PRESENT:
        return []
    return sorted(path.name.removesuffix(suffix) for path in FOLDER.glob(f"*{suffix}"))


def path(name: str) -> Path:
    assert FOLDER is not None
    return FOLDER / name


@cache
def book_rows(recording: str) -> dict[str, Any]:
    with np.load(path(f"{recording}.book20.npz")) as table:
        return {key: table[key] for key in table.files}


@cache
def event_columns(recording: str) -> dict[str, Any]:
    with np.load(path(f"{recording}.events.npz")) as table:
        return {key: table[key] for key in table.files}


def events(recording: str, rows: int | None = None) -> Events:
    """A recording's events, or its first rows; event time is the exchange's."""
    columns = event_columns(recording)
    names = ("kind", "side", "price", "qty", "msg")
    time_us = np.maximum(columns["exch_ms"][:rows], 0) * 1000
    return Events.from_columns(**{name: columns[name][:rows] for name in names}, time_us=time_us)


def meta(recording: str) -> dict[str, Any]:
    """Symbol, tick size, lot size and the rest."""
    described: dict[str, Any] = json.loads(str(book_rows(recording)["meta"]))
    return described
