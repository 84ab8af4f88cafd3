# SPDX-License-Identifier: Apache-2.0
"""The one door to numba.

A ``kernel`` is compiled for explicit signatures when its module is imported,
so nothing compiles later, on a request. Its machine code is kept on disk, see
``kernels._cache``. A ``part`` is a function that only kernels call: it becomes
part of their machine code, and is compiled by itself only when Python calls it.

Both do without numba's runtime, which counts references: a kernel owns no
memory. So what would allocate does not compile (``out[:] = row`` is such a
case, see ``kernels.rows``), a call wraps no arrays, and no atomic instruction
counts the views, which was more than half of a tick. A part that returns a view
must be ``inline``.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numba

from kernels._cache import KernelCache

F = TypeVar("F", bound=Callable[..., Any])

#: Relaxed float arithmetic that lets LLVM reorder sums into vectors. Never
#: "nnan" or "ninf": absent members are NaN rows and must stay NaN.
REORDER = frozenset({"reassoc", "contract", "arcp", "nsz"})


def kernel(
    signature: str | Sequence[str],
    *,
    fastmath: frozenset[str] | bool = False,
    inline: bool = False,
    brief: bool = False,
) -> Callable[[F], F]:
    """Compile a function for the given signature(s), without the GIL, kept on disk.

    ``brief``: the function takes microseconds and is called on an event loop, so it
    keeps the GIL: where another thread waits for it, giving it up means a switch of
    threads and back, which costs many times the work. Division by zero gives inf or
    NaN, as in NumPy. ``inline`` copies the function into its callers before LLVM
    sees it. With NUMBA_DISABLE_JIT=1 the function stays plain Python.
    """
    signatures = [signature] if isinstance(signature, str) else list(signature)

    def compile_now(function: F) -> F:
        compiled = _dispatcher(function, fastmath, inline, nogil=not brief)
        if hasattr(compiled, "py_func"):
            compiled._cache = KernelCache.of(compiled)
            for one in signatures:
                compiled.compile(one)
            compiled.disable_compile()
        return cast("F", compiled)

    return compile_now


def part(*, fastmath: frozenset[str] | bool = False, inline: bool = False) -> Callable[[F], F]:
    """Mark a function that kernels call; it is compiled into them, for the types that they pass."""

    def mark(function: F) -> F:
        return cast("F", _dispatcher(function, fastmath, inline, nogil=True))

    return mark


def _dispatcher(
    function: Callable[..., Any], fastmath: frozenset[str] | bool, inline: bool, *, nogil: bool
) -> Any:
    options: dict[str, Any] = {
        "nogil": nogil,
        "error_model": "numpy",
        "fastmath": set(fastmath) if isinstance(fastmath, frozenset) else fastmath,
        "inline": "always" if inline else "never",
        "_nrt": False,  # as numba.extending.register_jitable documents it
    }
    return numba.njit(**options)(function)
