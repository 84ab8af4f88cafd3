# SPDX-License-Identifier: Apache-2.0
"""Machine code on disk, found by what it was made from.

numba looks at one source file to see whether a kernel's stored machine code is
stale, and keeps none where that file's folder cannot be written. Here the name
of the stored file carries the kernel's fingerprint. So a change anywhere below
a kernel is a different file, two versions of the code never read each other's,
and what was compiled while an image was built serves when the image runs, even
read-only and with other time stamps.
"""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core import caching

from kernels._fingerprint import fingerprint


def folder_of(function: Callable[..., Any]) -> Path:
    """Where a function's machine code is kept: NUMBA_CACHE_DIR, else beside its source."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen) / "kernels"
    return Path(function.__code__.co_filename).parent / "__pycache__"


class _Locator(caching._CacheLocator):
    def __init__(self, function: Callable[..., Any]) -> None:
        self._folder = str(folder_of(function))
        self._fingerprint = fingerprint(function)
        # numba's warnings read these two
        self._py_file = function.__code__.co_filename
        self._lineno = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return self._folder

    def get_source_stamp(self) -> str:
        return self._fingerprint

    def get_disambiguator(self) -> str:
        return self._fingerprint


class _Implementation(caching.CompileResultCacheImpl):
    def __init__(self, function: Callable[..., Any]) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Locator(function)
        name = f"{function.__module__}.{function.__qualname__}"
        self._filename_base = self.get_filename_base(name, getattr(sys, "abiflags", ""))  # type: ignore[no-untyped-call]


class KernelCache(caching.FunctionCache):
    """numba's cache of one function, by fingerprint; without a writable folder it only reads."""

    _impl_class = _Implementation
    _warned = False

    @classmethod
    def of(cls, dispatcher: Any) -> "KernelCache":
        """The cache of a numba dispatcher."""
        fingerprint(dispatcher)  # known from here on, compile options included
        return cls(dispatcher.py_func)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Machine code from disk, or None where there is none that can be read."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except OSError:
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store machine code and drop that of older versions; warn once where neither works."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
            self._drop_older()
        except OSError as error:
            self._warn(error)

    def _drop_older(self) -> None:
        base = self._impl.filename_base
        name = base.partition("-")[0]
        for file in Path(self._cache_path).glob(f"{name}-*.nb[ci]"):
            if not file.name.startswith(base):
                file.unlink(missing_ok=True)

    @classmethod
    def _warn(cls, error: OSError) -> None:
        if not KernelCache._warned:
            KernelCache._warned = True
            warnings.warn(
                f"kernels cannot be kept on disk ({error}), so every process compiles them anew, "
                "which takes about a minute; set NUMBA_CACHE_DIR to a writable folder",
                RuntimeWarning,
                stacklevel=2,
            )
