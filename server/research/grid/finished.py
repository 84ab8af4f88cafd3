# SPDX-License-Identifier: Apache-2.0
"""Finished cells on disk, so that a run that was killed goes on where it was."""

import hashlib
import json
from pathlib import Path
from typing import Any

from server.research.grid.score import CellScores


class FinishedCells:
    """One JSON file a cell, named by a hash of everything that it depends on."""

    def __init__(self, folder: Path, common: dict[str, Any]) -> None:
        self._folder = folder
        self._common = common
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, what: dict[str, Any]) -> CellScores | None:
        """The scores of a finished cell; None where there is none, or half of one."""
        try:
            found = json.loads(self._path(what).read_text(encoding="utf-8"))
            return CellScores.from_json(found["scores"])
        except (OSError, ValueError, KeyError):
            return None

    def keep(self, what: dict[str, Any], scores: CellScores) -> CellScores:
        """Write a finished cell, whole or not at all; gives back what a later ``find`` will give."""
        path = self._path(what)
        columns = scores.as_json()
        text = json.dumps({"cell": what, "scores": columns}, separators=(",", ":"))
        half = path.with_suffix(".part")
        half.write_text(text + "\n", encoding="utf-8")
        half.replace(path)
        return CellScores.from_json(columns)

    def _path(self, what: dict[str, Any]) -> Path:
        key = json.dumps([self._common, what], sort_keys=True, default=str)
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
