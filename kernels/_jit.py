# SPDX-License-Identifier: Apache-2.0
"""The one door to numba.

Every kernel is compiled for explicit signatures when its module is imported,
so nothing compiles later, on a request. The machine code is kept on disk
beside the source, or in ``NUMBA_CACHE_DIR``; where neither can be written the
kernels still work, but every process compiles them anew, and says so.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

#: Relaxed float arithmetic that lets LLVM reorder sums into vectors. Never
#: "nnan" or "ninf": absent members are NaN rows and must stay NaN.
REORDER = frozenset({"reassoc", "contract", "arcp", "nsz"})


def _cache_is_writable() -> bool:
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent / "__pycache__")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


CACHED = _cache_is_writable()
if not CACHED:
    warnings.warn(
        "kernels cannot be cached on disk, so every process compiles them anew; "
        "set NUMBA_CACHE_DIR to a writable folder",
        RuntimeWarning,
        stacklevel=2,
    )


def kernel(
    signature: str | Sequence[str],
    *,
    fastmath: frozenset[str] | bool = False,
    inline: bool = False,
) -> Callable[[F], F]:
    """Compile a function for the given signature(s), without the GIL, cached on disk."""

    def compile_now(function: F) -> F:
        compiled: Any = numba.njit(
            signature if isinstance(signature, str) else list(signature),
            cache=CACHED,
            nogil=True,
            error_model="numpy",
            fastmath=set(fastmath) if isinstance(fastmath, frozenset) else fastmath,
            inline="always" if inline else "never",
        )(function)
        return cast("F", compiled)

    return compile_now
