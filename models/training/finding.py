# SPDX-License-Identifier: Apache-2.0
"""Data sets by path, by name and by symbol."""

import os
from pathlib import Path

from models.training.fi2010 import Fi2010Source
from models.training.recordings import SUFFIX, RecordingError
from models.training.sources import RecordingSource, Source


def find_source(name: str) -> Source:
    """The source of that name: a recording by path or by name, or a folder with FI-2010.

    Raises:
        RecordingError: there is none, or it cannot be read.
    """
    candidates = [Path(name)]
    if data := os.environ.get("CONSILIENCE_DATA"):
        folder = Path(data) / "lob"
        candidates.append(folder / f"{name.removesuffix(SUFFIX)}{SUFFIX}")
        candidates += _of_symbol(folder, name)
    for candidate in candidates:
        if candidate.is_dir():
            return Fi2010Source(candidate)
        if candidate.is_file():
            return RecordingSource(candidate)
    raise RecordingError(f"recording: {name!r} is no file; give a path, or set CONSILIENCE_DATA")


def _of_symbol(folder: Path, symbol: str) -> list[Path]:
    """Recordings whose names begin with the symbol, the largest file first."""
    found = [file for file in folder.glob(f"*{SUFFIX}") if file.name.split("_")[0] == symbol.lower()]
    return sorted(found, key=lambda file: file.stat().st_size, reverse=True)
