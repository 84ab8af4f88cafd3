# SPDX-License-Identifier: Apache-2.0
"""Decoded tables on disk, so that a second start needs neither Parquet nor polars.

The name of the file is the hash of what went in: another input is another
file, and nothing needs to be invalidated.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from server.recordings.arrays import read_npz
from server.recordings.tables import Answers, Models, Questions, Tables, Units

#: Raised whenever the tables or what is read into them changes.
FORMAT = 1

_PARTS: dict[str, type[Any]] = {"questions": Questions, "units": Units, "models": Models, "answers": Answers}
_TEXTS = "texts"
log = structlog.get_logger(__name__)


def cache_file(folder: Path, sources: Sequence[Path]) -> Path:
    """Where the tables of these very bytes belong."""
    digest = hashlib.sha256(f"consilience recordings {FORMAT}\n".encode())
    for source in sources:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return folder / f"recordings-{digest.hexdigest()[:32]}.npz"


def load_tables(path: Path) -> Tables | None:
    """The tables, or None where there is no such file or it is damaged."""
    if not path.is_file():
        return None
    try:
        stored = read_npz(path)
        texts = json.loads(stored[_TEXTS].tobytes())
        return Tables(**{part: _load_part(part, kind, stored, texts) for part, kind in _PARTS.items()})
    except (KeyError, ValueError) as error:
        log.warning("recordings_cache_unreadable", path=str(path), error=str(error))
        return None


def store_tables(path: Path, tables: Tables) -> None:
    """Write whole or not at all; where that fails, the next start decodes again."""
    columns = {
        f"{part}.{field.name}": getattr(getattr(tables, part), field.name)
        for part, kind in _PARTS.items()
        for field in fields(kind)
    }
    texts = json.dumps({name: column for name, column in columns.items() if isinstance(column, tuple)})
    arrays = {name: column for name, column in columns.items() if not isinstance(column, tuple)}
    arrays[_TEXTS] = np.frombuffer(texts.encode(), np.uint8)
    try:
        _write(path, arrays)
    except OSError as error:
        log.warning("recordings_cache_not_written", path=str(path), error=str(error))


def _write(path: Path, arrays: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _load_part(part: str, kind: type[Any], stored: Any, texts: dict[str, list[str]]) -> Any:
    names = {field.name: f"{part}.{field.name}" for field in fields(kind)}
    return kind(
        **{
            field: tuple(texts[column]) if column in texts else stored[column]
            for field, column in names.items()
        }
    )
