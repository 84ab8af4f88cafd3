# SPDX-License-Identifier: Apache-2.0
"""Starts processes on a disk whose syncs fail or never return; see ``faulty_disk.c``.

disk = FaultyDisk(build(tmp_path), folder=where_the_database_is, control=tmp_path / "disk")
process = subprocess.Popen(command, env=os.environ | disk.environment)
disk.hang()
...
disk.heal()
"""

import mmap
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).with_name("faulty_disk.c")
HEALTHY, FAILING, HANGING = 0, 1, 2
_CONTROL = struct.Struct("iii")


def why_unavailable() -> str:
    """Why there can be no faulty disk here, or nothing."""
    if sys.platform != "linux":
        return "a faulty disk needs Linux's LD_PRELOAD"
    return "" if shutil.which("gcc") else "a faulty disk needs gcc"


def build(folder: Path) -> Path:
    """Compile the library into a folder."""
    library = folder / "faulty_disk.so"
    command = ["gcc", "-Wall", "-Werror", "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)  # noqa: S603
    return library


class FaultyDisk:
    """The syncs of one folder, for all processes that are started with ``environment``."""

    def __init__(self, library: Path, *, folder: Path, control: Path) -> None:
        control.write_bytes(bytes(_CONTROL.size))
        with control.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _CONTROL.size)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAULTY_DISK_FOLDER": str(folder),
            "FAULTY_DISK_CONTROL": str(control),
        }

    def heal(self) -> None:
        """Sync as usual; syncs that hang go on."""
        self._set(HEALTHY)

    def fail(self) -> None:
        """Every sync fails with EIO from now on."""
        self._set(FAILING)

    def hang(self) -> None:
        """No sync returns from now on."""
        self._set(HANGING)

    @property
    def syncs(self) -> int:
        """Syncs begun so far."""
        return int(_CONTROL.unpack(self._memory[:])[1])

    def wait_until_hanging(self, timeout_s: float = 30.0) -> None:
        """Return when at least one sync hangs."""
        limit = time.monotonic() + timeout_s
        while not _CONTROL.unpack(self._memory[:])[2]:
            if time.monotonic() > limit:
                msg = "no sync has been asked for"
                raise TimeoutError(msg)
            time.sleep(0.001)

    def _set(self, mode: int) -> None:
        self._memory[:4] = struct.pack("i", mode)
