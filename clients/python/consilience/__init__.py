# SPDX-License-Identifier: Apache-2.0
"""Client for Consilience, the forecasting ensemble server.

>>> from consilience import Client
>>> with Client("127.0.0.1:50051") as client:       # doctest: +SKIP
...     print(client.predict("Will it rain in Oslo tomorrow?"))
71.4% YES (proceed, 11 of 12 answered)

``Client`` waits, ``AsyncClient`` awaits; both have the same methods. The
contract's own messages are in ``consilience.v1``. The names load when one of them is
first used, so that ``consilience.plugins`` and ``consilience.v1`` cost only themselves.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from consilience._version import __version__ as __version__

if TYPE_CHECKING:
    from consilience._public import *  # noqa: F403


def __getattr__(name: str) -> Any:
    public = import_module("consilience._public")
    if name == "__all__" or name in public.__all__:
        return getattr(public, name)
    raise AttributeError(f"module 'consilience' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *__getattr__("__all__")]
