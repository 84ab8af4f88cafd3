# SPDX-License-Identifier: Apache-2.0
"""Machine code on disk, tried on a small copy of the room in processes of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import kernels
from kernels._fingerprint import fingerprint

DOOR = ["__init__.py", "_jit.py", "_cache.py", "_fingerprint.py"]
PART = """
from kernels._jit import part
FACTOR = {factor}

@part()
def scaled(x):
    return x * FACTOR{comment}
"""
KERNEL = """
from kernels import small_part
from kernels._jit import kernel
from kernels.small_part import scaled

@kernel("f8(f8)")
def twice(x):
    return scaled(x) + small_part.FACTOR
"""
CALL = """
import warnings
warnings.simplefilter("error")
from kernels.small import twice
print(twice(1.0), sum(twice.stats.cache_hits.values()))
"""


@pytest.fixture
def room(tmp_path):
    folder = tmp_path / "kernels"
    folder.mkdir()
    for name in DOOR:
        shutil.copy(Path(kernels.__path__[0]) / name, folder / name)
    (folder / "small.py").write_text(KERNEL)
    return tmp_path


def write_part(room, factor, comment=""):
    (room / "kernels" / "small_part.py").write_text(PART.format(factor=factor, comment=comment))


def python(room, script, **environment):
    """Run a script in a process of its own that sees only this small room."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    told = {"PYTHONPATH": str(room), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    command = [sys.executable, "-c", script]
    return subprocess.run(  # noqa: S603 - our own script
        command, env=inherited | told, capture_output=True, text=True, cwd=room, check=False
    )


def run(room, **environment):
    """Value that the kernel gives in a process of its own, and whether it came from disk."""
    done = python(room, CALL, **environment)
    if done.returncode:
        return done.stderr
    value, hits = done.stdout.split()
    return float(value), int(hits)


def stored(room):
    return list((room / "kernels" / "__pycache__").glob("*.nbc"))


def test_a_change_below_a_kernel_is_never_served_from_old_machine_code(room):
    write_part(room, factor=2.0)
    assert run(room) == (4.0, 0)
    assert run(room) == (4.0, 1)
    write_part(room, factor=3.0)
    assert run(room) == (6.0, 0)
    assert len(stored(room)) == 1


def test_comments_and_time_stamps_change_nothing(room):
    write_part(room, factor=2.0)
    assert run(room) == (4.0, 0)
    write_part(room, factor=2.0, comment="  # twice")
    os.utime(room / "kernels" / "small.py", (0, 0))
    assert run(room) == (4.0, 1)


def test_a_folder_that_cannot_be_written_is_a_clear_warning(room):
    write_part(room, factor=2.0)
    (room / "file").write_text("")
    message = run(room, NUMBA_CACHE_DIR=str(room / "file"))
    assert "RuntimeWarning: kernels cannot be kept on disk" in message
    assert "set NUMBA_CACHE_DIR to a writable folder" in message


def test_the_folder_can_be_chosen(room):
    write_part(room, factor=2.0)
    assert run(room, NUMBA_CACHE_DIR=str(room / "elsewhere")) == (4.0, 0)
    assert run(room, NUMBA_CACHE_DIR=str(room / "elsewhere")) == (4.0, 1)
    assert not stored(room)


def test_without_jit_kernels_are_plain_functions(room):
    write_part(room, factor=2.0)
    plain = "from kernels.small import twice; print(twice(1.0), type(twice).__name__)"
    done = python(room, plain, NUMBA_DISABLE_JIT="1")
    assert done.stdout.split() == ["4.0", "function"]


def times(factor):
    return lambda x: x * factor


def test_the_fingerprint_sees_constants():
    assert fingerprint(times(2)) == fingerprint(times(2))
    assert fingerprint(times(2)) != fingerprint(times(3))


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="options belong to compiled kernels")
def test_the_fingerprint_sees_compile_options():
    strict = numba.njit(nogil=True)(times(2))
    loose = numba.njit(nogil=True, fastmath={"contract"})(times(2))
    assert fingerprint(strict) != fingerprint(loose)
