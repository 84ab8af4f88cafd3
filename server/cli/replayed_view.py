# SPDX-License-Identifier: Apache-2.0
"""A replay for people."""

from rich.console import Console
from rich.text import Text

from consilience import Replay, ReplayVerdict
from server.cli.looks import percent

STYLES = {
    ReplayVerdict.IDENTICAL: "bold green",
    ReplayVerdict.EQUIVALENT: "bold yellow",
    ReplayVerdict.DIFFERENT: "bold red",
}


def show_replay(out: Console, again: Replay) -> None:
    """Verdict, what was answered, what differs, and which builds computed it."""
    stored = again.stored
    verdict = Text(again.verdict.upper(), STYLES.get(again.verdict, ""))
    out.print(verdict, f"{stored.id}: {stored.outcome} at {percent(stored.confidence)}, {stored.ensemble}")
    for difference in again.differences:
        out.print(f"  {difference}")
    same = again.build == again.stored_build
    out.print(
        f"build {again.build}" if same else f"build {again.build}, stored by {again.stored_build}",
        style="dim",
    )
