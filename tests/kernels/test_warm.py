# SPDX-License-Identifier: Apache-2.0
import sys

import numba
import numpy as np
import pytest

from kernels._cache import KernelCache
from kernels._jit import kernel
from kernels.warm import load_all, main


def kernels_loaded():
    modules = [m for name, m in sys.modules.items() if name.startswith("kernels.")]
    return {
        v for m in modules for v in vars(m).values() if isinstance(getattr(v, "_cache", None), KernelCache)
    }


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="there is nothing to compile")
def test_every_kernel_is_compiled_once_and_for_all():
    load_all()
    found = kernels_loaded()
    assert len(found) > 30
    assert all(kernel.overloads for kernel in found)
    assert not any(kernel._can_compile for kernel in found)


#: Those of microseconds that the event loop calls: one query's consensus, one update of a book.
BRIEF = {
    *("consensus", "binary_consensus", "apply_snapshot", "apply_update"),
    *("apply_messages", "advance_candles", "push_row", "read_ring"),
}


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="there is nothing to compile")
def test_only_brief_kernels_hold_the_interpreter_lock_and_none_drops_nan():
    load_all()
    for loaded in kernels_loaded():
        options = loaded.targetoptions
        fast = options.get("fastmath") or set()
        assert options["nogil"] == (loaded.py_func.__name__ not in BRIEF)
        assert fast is not True
        assert not {"nnan", "ninf", "fast"} & set(fast), loaded


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="there is nothing to compile")
def test_what_would_allocate_does_not_compile():
    with pytest.raises(numba.NumbaError, match="NRT required"):
        kernel("f8(i8)")(lambda size: np.zeros(size).sum())


def test_the_command_says_that_all_is_ready(capsys):
    main()
    assert "kernel modules ready in" in capsys.readouterr().out
