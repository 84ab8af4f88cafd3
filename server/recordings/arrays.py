# SPDX-License-Identifier: Apache-2.0
"""Read an npz file into memory."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.recordings.errors import RecordingError

_DAMAGE = (OSError, EOFError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of the file; nothing in it is ever unpickled.

    Raises:
        RecordingError: there is no such file, or it is no npz file, or it is damaged.
    """
    if not path.is_file():
        raise RecordingError(path, "", "no such file")
    if not zipfile.is_zipfile(path):  # of such a file NumPy would say that it might be unpickled
        raise RecordingError(path, "", "not a readable npz file (it is none, or cut short)")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except _DAMAGE as error:
        raise RecordingError(path, "", f"not a readable npz file ({error})") from None
