# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a file of recordings."""

from pathlib import Path


class RecordingError(ValueError):
    """A file does not fit its schema; the message names the file, the column and the mend."""

    def __init__(self, path: Path | str, column: str, problem: str) -> None:
        where = f"{path}: column {column!r}" if column else str(path)
        super().__init__(f"{where}: {problem}")
        self.path = Path(path)
        self.column = column
