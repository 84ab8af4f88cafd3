# SPDX-License-Identifier: Apache-2.0
"""Everything compiled before the first request: ``python -m kernels.warm``.

Takes a minute or two where no machine code is on disk, about a second where it is.
"""

import importlib
import pkgutil
import sys
import time

import kernels


def load_all() -> int:
    """Import every module of this room, so that every kernel is compiled or loaded from disk.

    Returns the number of modules.
    """
    names = [module.name for module in pkgutil.walk_packages(kernels.__path__, "kernels.")]
    for name in names:
        importlib.import_module(name)
    return len(names)


def main() -> None:
    """Load everything and say how long it took."""
    begun = time.perf_counter()
    count = load_all()
    sys.stdout.write(f"{count} kernel modules ready in {time.perf_counter() - begun:.1f} s\n")


if __name__ == "__main__":
    main()
