# SPDX-License-Identifier: Apache-2.0
"""A happening as a line."""

from rich.text import Text

from consilience import Happening

_STYLES = {"failure": "red", "alert": "bold red", "mode": "bold yellow", "circuit": "yellow", "spend": "cyan"}


def shown(happening: Happening) -> Text:
    """Time, kind, subject and the sentence; before it how many were lost, if any were."""
    line = Text()
    if happening.lost:
        line.append(f"({happening.lost} events were lost before this one)\n", "bold red")
    line.append(f"{happening.time:%H:%M:%S} ", "dim")
    line.append(f"{happening.kind:<10} ", _STYLES.get(happening.kind, "green"))
    line.append(f"{happening.subject} ", "bold")
    line.append(happening.message)
    return line
