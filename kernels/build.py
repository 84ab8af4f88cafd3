# SPDX-License-Identifier: Apache-2.0
"""Which machine code pools and calibrates in this process, as a short hash.

Two processes with the same build compute the same bits. It covers the kernels'
own code and constants, the compiler and its version, NumPy's, the interpreter's,
and the processor with its features, because LLVM compiles for exactly that one.
"""

import hashlib
import platform
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import binding

from kernels._fingerprint import LENGTH, fingerprint
from kernels.calibrators import calibrate
from kernels.consensus import consensus

_KERNELS: tuple[Callable[..., Any], ...] = (consensus, calibrate)


@cache
def build() -> str:
    """16 hexadecimal digits; a few milliseconds on the first call, nothing after."""
    return hashlib.sha256("\n".join(parts()).encode()).hexdigest()[:LENGTH]


def parts() -> list[str]:
    """What the build is made of, for people who want to know why two differ."""
    return [
        *(f"kernel {fingerprint(kernel)}" for kernel in _KERNELS),
        f"numba {numba.__version__}" if _is_compiled() else "interpreted",
        f"llvm {'.'.join(map(str, binding.llvm_version_info))}",
        f"numpy {np.__version__}",
        f"python {sys.version_info.major}.{sys.version_info.minor}",
        f"machine {platform.machine()} {platform.system()}",
        f"processor {binding.get_host_cpu_name()}",
        f"features {binding.get_host_cpu_features().flatten()}",
    ]


def _is_compiled() -> bool:
    return hasattr(consensus, "py_func")
