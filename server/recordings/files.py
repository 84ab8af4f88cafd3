# SPDX-License-Identifier: Apache-2.0
"""The two files of a folder of recorded forecasts."""

from pathlib import Path

from server.recordings.errors import RecordingError

FORECASTS = "forecasts.parquet"
QUESTIONS = "questions.parquet"


def source_files(folder: Path) -> tuple[Path, Path]:
    """Forecasts and questions.

    Raises:
        RecordingError: one of them is missing.
    """
    forecasts, questions = folder / FORECASTS, folder / QUESTIONS
    for path in (forecasts, questions):
        if not path.is_file():
            raise RecordingError(
                path, "", "no such file; recordings.forecasts names the folder of both files"
            )
    return forecasts, questions
