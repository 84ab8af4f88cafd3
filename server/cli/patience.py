# SPDX-License-Identifier: Apache-2.0
"""A word to whoever waits for a server that takes long to start."""

import sys
import threading
from types import TracebackType
from typing import Self

#: A start with machine code on disk takes about half of this.
LONG_S = 8.0


class Patience:
    """Says once, on standard error, why the start takes long. ``silent``: never."""

    def __init__(self, silent: bool = False, after_s: float = LONG_S) -> None:
        self._timer = threading.Timer(after_s, _say)
        self._timer.daemon = True
        self._silent = silent

    def end(self) -> None:
        """The wait is over."""
        self._timer.cancel()

    def join(self) -> None:
        """Wait until it has spoken, or will not."""
        self._timer.join()

    def __enter__(self) -> Self:
        if not self._silent:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def _say() -> None:
    sys.stderr.write("consilience: starting; the first start compiles kernels, a minute or two, once ...\n")
    sys.stderr.flush()
