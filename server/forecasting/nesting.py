# SPDX-License-Identifier: Apache-2.0
"""Ensembles of ensembles: no circles, no towers."""

from collections.abc import Mapping, Sequence

MAX_DEPTH = 4


def check_nesting(inner: Mapping[str, Sequence[str]]) -> None:
    """Check which ensembles contain which (``inner``: names of the ensembles inside each).

    Raises:
        ValueError: an ensemble contains itself, is unknown, or is nested too deep.
    """

    def walk(name: str, above: tuple[str, ...]) -> None:
        path = " > ".join((*above, name))
        if name in above:
            raise ValueError(f"ensemble {name!r} contains itself: {path}")
        if name not in inner:
            raise ValueError(f"ensemble {name!r} is not defined: {path}")
        if len(above) >= MAX_DEPTH:
            raise ValueError(f"ensembles are nested deeper than {MAX_DEPTH}: {path}")
        for below in inner[name]:
            walk(below, (*above, name))

    for name in inner:
        walk(name, ())
