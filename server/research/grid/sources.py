# SPDX-License-Identifier: Apache-2.0
"""The data set of a run, and fingerprints of what a run depends on."""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from server.research.grid.dataset import DataSet
from server.research.grid.free_text import read_answers_data, read_matches_data
from server.research.grid.recorded_data import read_panels_data
from server.research.grid.settings import DataSettings

_ROOT = Path(__file__).parents[3]
#: What a run's figures depend on.
_CODE = (
    "kernels",
    "server/engine",
    "server/forecasting",
    "server/learning",
    "server/recordings",
    "server/research",
)


def open_data(settings: DataSettings) -> DataSet:
    """The data set that the settings name.

    Raises:
        ResearchError: a file is missing or does not fit.
    """
    folder = settings.folder.expanduser()
    if settings.kind == "answers":
        return read_answers_data(folder)
    if settings.kind == "matches":
        return read_matches_data(folder)
    return read_panels_data(folder, settings.panels, settings.panels_file, market=settings.market)


def only_panels(data: DataSet, panels: Collection[str]) -> DataSet:
    """The cases of some panels."""
    return replace(
        data,
        cases=tuple(case for case in data.cases if case.panel in panels),
        panels={name: members for name, members in data.panels.items() if name in panels},
    )


def code_version() -> str:
    """A hash of the code that decides what a run finds: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for room in _CODE:
        for path in sorted((_ROOT / room).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
