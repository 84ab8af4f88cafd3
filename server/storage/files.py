# SPDX-License-Identifier: Apache-2.0
"""Folders and files on a local disk, made so that they survive a loss of power."""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder and its parents; each new name is synced in the folder that holds it."""
    missing = [folder, *folder.parents]
    new = [path for path in missing if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder; does nothing where folders cannot be opened (Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fill_with_zeros(path: Path, size: int) -> None:
    """Make an existing file at least ``size`` bytes long, with blocks that are really there."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        length = os.fstat(descriptor).st_size
        if length < size:
            os.pwrite(descriptor, bytes(size - length), length)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
