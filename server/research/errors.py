# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a file that research is given."""

from pathlib import Path


class ResearchError(ValueError):
    """A file does not fit; says where and how to mend it."""

    def __init__(self, path: Path, place: str, problem: str) -> None:
        where = f"{path}: {place}" if place else str(path)
        super().__init__(f"{where}: {problem}")
        self.path = path
        self.place = place
